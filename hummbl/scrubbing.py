"""Removing secrets from what leaves the process: log lines and error reports.

A value is removed when the name it stands under is one that names a secret, or when its text looks
like one: provider keys, bearer tokens, JWTs, credentials in URLs, `password=…` pairs.
"""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"
MAX_DEPTH = 40

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|authorization|cookie|csrf|credential|private|session_?id"
    r"|(^|[_\-. ])(api)?(token|key|dsn|jwt|bearer)s?$|apikey|x-api-key",
    re.IGNORECASE,
)
# A whole word, looked at once: strangers' texts must not make it try every part of it.
_NAME = (
    r"(?<![\w-])(?=[\w-]*secret"
    r"|[\w-]*(?:pass(?:word|wd|phrase)|api[_-]?keys?|_keys?)(?![\w-])"
    r"|(?:(?:[\w-]*[_-])?token|key|sessionid|csrftoken|sig)(?![\w-]))[\w-]++"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(://)[^/\s:@]*:[^/\s@]+@"), rf"\1{REDACTED}@"),
    (re.compile(r"\b(?:sk|pk|rk|hk)[-_][A-Za-z0-9_\-]{6,}"), REDACTED),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*"), REDACTED),
    (re.compile(r"\bhummbl_[A-Za-z0-9_\-]{20,}"), REDACTED),
    (re.compile(r"\b(?:AIza[\w\-]{20,}|gh[pousr]_\w{20,}|xox[abprs]-[\w\-]{10,})"), REDACTED),
    (
        re.compile(r"""((?:authorization|cookie)["']?\s*[:=]\s*["']?)[^\r\n"'}]+""", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=\-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (
        re.compile(
            rf"""({_NAME}(?:["']\s*[:=]|\s*(?:=|:\s))\s*["']?)[^\s"'&,;)}}\]]+""",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # Addresses that are passwords.
    (
        re.compile(
            r"((?:hooks\.slack\.com|discord(?:app)?\.com/api/webhooks|webhook\.office\.com)/)"
            r"""[^\s"'<>]+""",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END|\Z)", re.DOTALL), REDACTED),
)
# One cheap look decides whether the patterns are tried at all: log lines are on the request's path.
# It is cheaper by far where case does not matter, so ASCII is made lower case first.
_SIGNS = (
    "pass|secret|key|token|sig=|hook|sk[-_]|pk[-_]|rk[-_]|hk[-_]|eyj|aiza|gh[pousr]_|xox|hummbl_|authorization"
    "|cookie|bearer|basic|sessionid|@"
)
_SUSPICIOUS = re.compile(_SIGNS, re.IGNORECASE)
_SUSPICIOUS_LOWER = re.compile(_SIGNS)


def scrub_text(text: str) -> str:
    """The text without what looks like a secret."""
    if not _is_suspicious(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _is_suspicious(text: str) -> bool:
    if text.isascii():
        return _SUSPICIOUS_LOWER.search(text.lower()) is not None
    return _SUSPICIOUS.search(text) is not None


def scrub(value: Any, *, depth: int = 0) -> Any:
    """A copy of nested dicts, lists and texts without secrets.

    Numbers and booleans stay even under the name of a secret: `input_tokens` is a count. What lies
    deeper than `MAX_DEPTH` levels is removed unseen.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > MAX_DEPTH:
        return REDACTED
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, bytes):
        return scrub_text(value.decode(errors="replace"))
    if isinstance(value, Mapping):
        return {key: _scrub_named(key, item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return _scrub_sequence(list(value), depth + 1)
    return value


def is_secret_name(name: object) -> bool:
    """Whether a value under this name is a secret whatever it looks like."""
    return isinstance(name, str) and _SECRET_NAME.search(name) is not None


def _scrub_named(name: object, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float) or not is_secret_name(name):
        return scrub(value, depth=depth)
    return REDACTED


def _scrub_sequence(items: list[Any], depth: int) -> list[Any]:
    # Headers and query parameters also travel as lists of [name, value].
    if len(items) == 2 and is_secret_name(items[0]) and isinstance(items[1], str):
        return [items[0], REDACTED]
    return [scrub(item, depth=depth) for item in items]
