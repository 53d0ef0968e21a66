"""What is wrong with a document: where, which kind, and what to do about it."""

import math
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from heapq import nlargest
from itertools import takewhile
from typing import Any, Final, TypedDict

from pydantic import ValidationError

MAX_PROBLEMS: Final = 100
MAX_DEPTH: Final = 64
_QUOTE_LIMIT: Final = 64
_COMPARED: Final = 20

type_names: Final[Mapping[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}

Loc = tuple[str | int, ...]


class Problem(TypedDict):
    """One thing to correct. `path` reads like `tasks[3].dependencies[0]`."""

    path: str
    code: str
    message: str


def problem(loc: Loc, code: str, message: str) -> Problem:
    return Problem(path=path_of(loc), code=code, message=message)


def path_of(loc: Loc) -> str:
    """`("tasks", 3, "name")` as `tasks[3].name`; the document itself is the empty path."""
    parts: list[str] = []
    for step in loc:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            parts.append(f".{shorten(step)}" if parts else shorten(step))
    return "".join(parts)


def shorten(text: str) -> str:
    """Text from a document, fit to be shown in a sentence: short and without odd characters."""
    head = text[: _QUOTE_LIMIT + 1]
    printable = "".join(char if char.isprintable() else "\ufffd" for char in head)
    return printable if len(printable) <= _QUOTE_LIMIT else f"{printable[:_QUOTE_LIMIT]}…"


def quote(text: str) -> str:
    return f'"{shorten(text)}"'


def type_name(value: object) -> str:
    return type_names.get(type(value), "something else")


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """` Did you mean "gather"?`, or nothing when no known name comes near.

    Only the likeliest few are compared, for difflib takes 0.2 ms for a pair of long names and a
    hostile document can ask for a hundred suggestions among 500 names.
    """
    wrong = wrong[:_QUOTE_LIMIT]
    alike = [name for name in known if _alike(wrong, name)]
    likeliest = nlargest(_COMPARED, alike, key=lambda name: _shared_start(wrong, name))
    near = get_close_matches(wrong, likeliest, n=1, cutoff=0.6)
    return f" Did you mean {quote(near[0])}?" if near else ""


def _alike(wrong: str, name: str) -> bool:
    return abs(len(wrong) - len(name)) <= 3 and (wrong[:1] == name[:1] or wrong[-1:] == name[-1:])


def _shared_start(left: str, right: str) -> int:
    pairs = zip(left, right, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def scan_json(value: object, loc: Loc = ()) -> Iterator[Problem]:
    """What neither database stores nor any answer holds: NUL, half a surrogate pair, NaN, whole
    numbers beyond 64 bits, bottomless nesting.

    Walks without recursion, so that no depth of nesting can exhaust the stack.
    """
    stack: list[tuple[Loc, object]] = [(loc, value)]
    while stack:
        here, item = stack.pop()
        if isinstance(item, str):
            yield from _text_problems(here, item)
        elif isinstance(item, float) and not math.isfinite(item):
            yield problem(here, "not_finite", "NaN and Infinity are not numbers in JSON.")
        elif isinstance(item, int) and not -(2**63) <= item < 2**63:
            yield problem(here, "out_of_range", "Use a whole number that fits into 64 bits.")
        elif isinstance(item, (dict, list)):
            if len(here) - len(loc) >= MAX_DEPTH:
                yield problem(
                    here[:4], "too_deep", f"Nested more than {MAX_DEPTH} levels deep; flatten it."
                )
            elif isinstance(item, list):
                stack.extend(((*here, index), entry) for index, entry in enumerate(item))
            else:
                yield from _key_problems(here, item)
                stack.extend(((*here, str(key)), entry) for key, entry in item.items())
        elif item is not None and not isinstance(item, (bool, int, float)):
            yield problem(here, "wrong_type", "This is not a JSON value.")


def _key_problems(loc: Loc, item: dict[Any, Any]) -> Iterator[Problem]:
    for key in item:
        if isinstance(key, str):
            yield from _text_problems((*loc, key), key)
        else:
            yield problem(loc, "wrong_type", "The names in a JSON object are text.")


def _text_problems(loc: Loc, text: str) -> Iterator[Problem]:
    if "\0" in text:
        yield problem(loc, "invalid_text", "Remove the NUL character (U+0000).")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        yield problem(loc, "invalid_text", "Remove the unpaired surrogate; it is not Unicode text.")


_WRONG_TYPE: Final[Mapping[str, str]] = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def translate(error: ValidationError, known_fields: Mapping[str, Iterable[str]]) -> list[Problem]:
    """Pydantic's findings in our words.

    `known_fields` maps the first step of a location ("agents", "tasks", "" for the document) to
    the names that are allowed there, for the suggestion beside an unknown one.
    """
    found = error.errors(include_url=False, include_context=True)[:MAX_PROBLEMS]
    return [_translate_one(dict(item), known_fields) for item in found]


def _translate_one(item: dict[str, Any], known_fields: Mapping[str, Iterable[str]]) -> Problem:
    kind, loc, ctx = str(item["type"]), tuple(item["loc"]), item.get("ctx") or {}
    # The kinds not named here are our own PydanticCustomErrors: their type is the code.
    code, message = kind, str(item["msg"])
    if kind in _WRONG_TYPE:
        code, message = "wrong_type", _wrong_type(_WRONG_TYPE[kind], item.get("input"))
    elif kind in _LIMITS:
        code, sentence = _LIMITS[kind]
        message = sentence.format(**ctx)
    elif kind == "missing":
        message = f"{quote(str(loc[-1]))} is required."
    elif kind == "extra_forbidden":
        code, message = "unknown_field", _unknown_field(loc, known_fields)
    elif kind == "literal_error":
        code, message = "invalid_choice", f"Choose one of {ctx['expected']}."
    return problem(loc, code, message)


_LIMITS: Final[Mapping[str, tuple[str, str]]] = {
    "string_too_long": ("too_long", "Use at most {max_length} characters."),
    "string_too_short": ("too_short", "Use at least {min_length} character(s)."),
    "too_long": ("too_long", "Use at most {max_length} entries, not {actual_length}."),
    "too_short": ("too_short", "Add at least {min_length} entry."),
    "greater_than_equal": ("out_of_range", "Use a number of at least {ge}."),
    "less_than_equal": ("out_of_range", "Use a number of at most {le}."),
    "string_pattern_mismatch": (
        "invalid_id",
        "Begin with a letter and use letters, digits, underscores and hyphens, at most 64.",
    ),
    "string_unicode": ("invalid_text", "This is not Unicode text."),
    "invalid_key": ("wrong_type", "The names in a JSON object are text."),
    "finite_number": ("not_finite", "NaN and Infinity are not numbers in JSON."),
}


def _wrong_type(wanted: str, given: object) -> str:
    if wanted == "a whole number" and isinstance(given, float):
        return "This must be a whole number."
    if wanted.endswith("number") and type_name(given) == "a number":
        return "This number is too large."
    return f"This must be {wanted}, not {type_name(given)}."


def _unknown_field(loc: Loc, known_fields: Mapping[str, Iterable[str]]) -> str:
    known = list(known_fields.get(str(loc[0]) if len(loc) > 1 else "", ()))
    name = str(loc[-1])
    hint = did_you_mean(name, known) or f" Known fields: {', '.join(known)}."
    return f"There is no field {quote(name)} here.{hint}"
