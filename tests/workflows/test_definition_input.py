"""The input checker against an independent implementation of JSON Schema."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from workflows.input_schema import check_schema, check_value

names = st.sampled_from(["a", "b", "c"])
scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 0.5, 1.0, 2.5])
    | st.text("xyé", max_size=3)
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])
simple = st.fixed_dictionaries(
    {},
    optional={
        "type": kinds | st.lists(kinds, min_size=1, max_size=3, unique=True),
        "enum": st.lists(scalars, min_size=1, max_size=3),
        "const": scalars,
        "required": st.lists(names, max_size=2, unique=True),
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "exclusiveMinimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 2),
        "minItems": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "title": st.text(max_size=3),
    },
)
schemas = st.recursive(
    simple | st.booleans(),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": kinds,
            "properties": st.dictionaries(names, inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "required": st.lists(names, max_size=2, unique=True),
        },
    ),
    max_leaves=5,
)


@given(schemas, values)
def test_agrees_with_jsonschema(schema, value):
    expected = Draft202012Validator(schema).is_valid(value)

    assert (not list(check_value(schema, value, ()))) == expected


@given(schemas.filter(lambda schema: isinstance(schema, dict)))
def test_every_schema_of_the_subset_is_fit(schema):
    Draft202012Validator.check_schema(schema)
    found = [problem for problem in check_schema(schema) if problem["path"] != "input_schema.type"]

    assert not found


@pytest.mark.parametrize(
    ("schema", "value", "path", "message"),
    [
        ({"type": "integer"}, "3", "n", "This must be a whole number."),
        ({"enum": ["a", "b"]}, "c", "n", 'Choose one of "a", "b".'),
        ({"items": {"minimum": 1}}, [1, 0], "n[1]", "Use a number of at least 1."),
        ({"required": ["a"]}, {}, "n.a", '"a" is required.'),
        (
            {"properties": {"topic": {}}, "additionalProperties": False},
            {"topik": 1},
            "n.topik",
            'The input has no "topik"; remove it. Did you mean "topic"?',
        ),
    ],
)
def test_sentences(schema, value, path, message):
    (found,) = check_value(schema, value, ("n",))

    assert (found["path"], found["message"]) == (path, message)
