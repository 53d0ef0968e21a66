"""The part of JSON Schema that describes a run's input.

A subset on purpose: every keyword here is checked in time linear in the schema and the value.
`pattern` would hand a user's regular expression to a backtracking engine, `$ref` would fetch or
loop, `uniqueItems` is quadratic. Source: JSON Schema draft 2020-12, validation vocabulary.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from workflows.problems import Loc, Problem, did_you_mean, problem, quote, type_name

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_type(value: object) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)


def _is_nonempty_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


_SIZE: Final = (_is_size, "a whole number of at least 0")
_NUMBER: Final = (_is_number, "a number")
_TEXT: Final = (_is_text, "text")
_KEYWORDS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "type": (_is_type, f"one or several of {', '.join(_TYPES)}"),
    "title": _TEXT,
    "description": _TEXT,
    "format": _TEXT,
    "$schema": _TEXT,
    "$comment": _TEXT,
    "default": (lambda value: True, ""),
    "const": (lambda value: True, ""),
    "examples": (lambda value: isinstance(value, list), "a list"),
    "enum": (_is_nonempty_list, "a list with at least one value"),
    "properties": (lambda value: isinstance(value, dict), "an object of schemas"),
    "required": (_is_names, "a list of names"),
    "additionalProperties": (lambda value: isinstance(value, (bool, dict)), "true or false"),
    "items": (lambda value: isinstance(value, (bool, dict)), "a schema"),
    "anyOf": (_is_nonempty_list, "a list of schemas"),
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "exclusiveMaximum": _NUMBER,
    "minLength": _SIZE,
    "maxLength": _SIZE,
    "minItems": _SIZE,
    "maxItems": _SIZE,
}


def check_schema(schema: object, loc: Loc = ("input_schema",)) -> Iterator[Problem]:
    """What makes this unfit as the schema of a run's input. The nesting is bounded before."""
    yield from _check_subschema(schema, loc)
    wanted = schema.get("type", "object") if isinstance(schema, dict) else "object"
    if wanted != "object" and _is_type(wanted):
        message = 'A run\'s input is an object: set "type" to "object".'
        yield problem((*loc, "type"), "invalid_schema", message)


def _check_subschema(schema: object, loc: Loc) -> Iterator[Problem]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield problem(loc, "wrong_type", f"A schema is an object, not {type_name(schema)}.")
        return
    for keyword, value in schema.items():
        here = (*loc, keyword)
        if keyword not in _KEYWORDS:
            yield problem(here, "unsupported_keyword", _unsupported(keyword))
            continue
        fits, wanted = _KEYWORDS[keyword]
        if not fits(value):
            message = f"{quote(keyword)} must be {wanted}."
            yield problem(here, "invalid_schema", message)
            continue
        yield from _check_inner(keyword, value, here)


def _check_inner(keyword: str, value: Any, loc: Loc) -> Iterator[Problem]:
    if keyword == "properties":
        for name, inner in value.items():
            yield from _check_subschema(inner, (*loc, name))
    elif keyword == "anyOf":
        for index, inner in enumerate(value):
            yield from _check_subschema(inner, (*loc, index))
    elif keyword in ("items", "additionalProperties"):
        yield from _check_subschema(value, loc)


def _unsupported(keyword: str) -> str:
    hint = did_you_mean(keyword, _KEYWORDS) or f" Supported: {', '.join(_KEYWORDS)}."
    return f"The keyword {quote(keyword)} is not supported here.{hint}"


def check_value(schema: Schema | bool, value: Any, loc: Loc) -> Iterator[Problem]:
    """Where `value` departs from a schema that `check_schema` found fit."""
    if isinstance(schema, bool):
        if not schema:
            yield problem(loc, "unknown_field", "Nothing is allowed here; remove it.")
        return
    if "type" in schema and not _has_type(value, schema["type"]):
        yield problem(loc, "wrong_type", f"This must be {_type_list(schema['type'])}.")
        return
    yield from _check_choice(schema, value, loc)
    if isinstance(value, str):
        yield from _check_length(schema, "Length", value, "characters", loc)
    elif isinstance(value, list):
        yield from _check_length(schema, "Items", value, "entries", loc)
        if "items" in schema:
            for index, item in enumerate(value):
                yield from check_value(schema["items"], item, (*loc, index))
    elif isinstance(value, dict):
        yield from _check_object(schema, value, loc)
    elif _is_number(value):
        yield from _check_bounds(schema, value, loc)


def _has_type(value: Any, wanted: str | list[str]) -> bool:
    names = wanted if isinstance(wanted, list) else [wanted]
    return any(name in names for name in _type_of(value))


def _type_of(value: Any) -> tuple[str, ...]:
    if isinstance(value, bool):
        return ("boolean",)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return ("number", "integer")
    if isinstance(value, float):
        return ("number",)
    if value is None:
        return ("null",)
    if isinstance(value, str):
        return ("string",)
    return ("array",) if isinstance(value, list) else ("object",)


def _type_list(wanted: str | list[str]) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    return " or ".join(_TYPES[name] for name in names)


def _check_choice(schema: Schema, value: Any, loc: Loc) -> Iterator[Problem]:
    if "enum" in schema and not any(_same(value, choice) for choice in schema["enum"]):
        yield problem(loc, "invalid_choice", f"Choose one of {_choices(schema['enum'])}.")
    if "const" in schema and not _same(value, schema["const"]):
        yield problem(loc, "invalid_choice", f"This must be {_choices([schema['const']])}.")
    if "anyOf" in schema:
        attempts = (list(check_value(option, value, loc)) for option in schema["anyOf"])
        first = next(attempts)
        if first and all(attempts):
            yield from first


def _choices(values: list[Any]) -> str:
    shown = ", ".join(quote(str(value)) for value in values[:10])
    return shown if len(values) <= 10 else f"{shown} …"


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON: true is not 1, at any depth, yet 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)


def _check_length(
    schema: Schema, kind: str, value: str | list[Any], unit: str, loc: Loc
) -> Iterator[Problem]:
    low, high = schema.get(f"min{kind}", 0), schema.get(f"max{kind}")
    if len(value) < low:
        yield problem(loc, "too_short", f"Use at least {low} {unit}.")
    if high is not None and len(value) > high:
        yield problem(loc, "too_long", f"Use at most {high} {unit}.")


def _check_bounds(schema: Schema, value: float, loc: Loc) -> Iterator[Problem]:
    if "minimum" in schema and value < schema["minimum"]:
        yield problem(loc, "out_of_range", f"Use a number of at least {schema['minimum']}.")
    if "maximum" in schema and value > schema["maximum"]:
        yield problem(loc, "out_of_range", f"Use a number of at most {schema['maximum']}.")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield problem(loc, "out_of_range", f"Use a number above {schema['exclusiveMinimum']}.")
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield problem(loc, "out_of_range", f"Use a number below {schema['exclusiveMaximum']}.")


def _check_object(schema: Schema, value: dict[str, Any], loc: Loc) -> Iterator[Problem]:
    properties = schema.get("properties", {})
    for name in dict.fromkeys(schema.get("required", ())):
        if name not in value:
            yield problem((*loc, name), "missing", f"{quote(name)} is required.")
    others = schema.get("additionalProperties", True)
    for name, item in value.items():
        here = (*loc, name)
        if name in properties:
            yield from check_value(properties[name], item, here)
        elif others is False:
            hint = did_you_mean(name, properties)
            message = f"The input has no {quote(name)}; remove it.{hint}"
            yield problem(here, "unknown_field", message)
        else:
            yield from check_value(others, item, here)


def examples(schema: Schema) -> dict[str, Any]:
    """An input made of the first example of each property that has one."""
    return {
        name: inner["examples"][0]
        for name, inner in schema.get("properties", {}).items()
        if isinstance(inner, dict) and inner.get("examples")
    }
