"""Reports without secrets: what is stored, shown and forwarded passes through here."""

import re
from typing import Any, Final

from django.conf import settings

from hummbl.scrubbing import REDACTED, scrub, scrub_text

MOST_MESSAGE_LENGTH: Final = 2000
MOST_VALUE_LENGTH: Final = 500
# Shorter ones may be words that messages have anyway.
LEAST_SECRET_LENGTH: Final = 8

_SECRET_SETTINGS: Final = (
    "SECRET_KEY",
    "ENCRYPTION_KEYS",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "EMAIL_HOST_PASSWORD",
    "PROMETHEUS_TOKEN",
    "SENTRY_DSN",
)
# Controls but line breaks and tabs; halves of characters, which PostgreSQL does not take.
_UNFIT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def clean_text(text: str, most: int = MOST_MESSAGE_LENGTH) -> str:
    """The text without secrets, also the installation's own, and without odd characters."""
    # Cut only after looking: half of a secret looks like nothing. First a bound for the looking.
    found = text[: most * 5]
    for secret in _own_secrets():
        found = found.replace(secret, REDACTED)
    return _UNFIT.sub("�", scrub_text(found))[:most]


def clean(value: Any) -> Any:
    """JSON without secrets, its texts as `clean_text` makes them."""
    return _bounded(scrub(value))


def _bounded(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {clean_text(str(key), 100): _bounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_bounded(item) for item in value]
    return clean_text(str(value), MOST_VALUE_LENGTH)


def _own_secrets() -> list[str]:
    found: list[str] = []
    for name in _SECRET_SETTINGS:
        value = getattr(settings, name, None) or ""
        found += value if isinstance(value, list) else [value]
    found.append(settings.DATABASES["default"].get("PASSWORD") or "")
    return [secret for secret in found if len(secret) >= LEAST_SECRET_LENGTH]
