"""What goes to the model: placeholders looked up once, outputs handed on (security.md 21)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_definition as document
from tests.factories import make_task as task
from workflows.definition import PlaceholderError, parse, render_prompt
from workflows.placeholders import MAX_RENDERED, Reference, tokenize


def prompt(description, *, input=None, outputs=None, constants=None):
    fields = {"description": description, "input": constants or {}}
    definition = parse(
        document(task("gather"), task("check"), task("end", "gather", "check", **fields))
    )
    return render_prompt(
        definition.tasks_by_id["end"],
        input=input or {},
        outputs=outputs or {},
        names=definition.names,
    )


def refusal(description, **given):
    with pytest.raises(PlaceholderError) as caught:
        prompt(description, **given)
    return caught.value.message


def test_input_is_put_in():
    assert prompt("On {{ input.topic }}, {{input.topic}}!", input={"topic": "bees"}) == (
        "On bees, bees!"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3, "3"), (True, "true"), (None, "null"), ([1, "é"], '[1,"é"]'), ({"a": 1.5}, '{"a":1.5}')],
)
def test_other_values_are_compact_json(value, shown):
    assert prompt("{{ input.x }}", input={"x": value}) == shown


def test_paths_into_input():
    assert prompt("{{ input.a.b.1 }}", input={"a": {"b": ["x", "y"]}}) == "y"


def test_run_input_lies_over_the_tasks_own():
    constants = {"tone": "plain", "topic": "ants"}

    assert prompt(
        "{{ input.topic }} {{ input.tone }}", input={"topic": "bees"}, constants=constants
    ) == ("bees plain")


def test_outputs_are_put_in():
    assert prompt("From: {{ tasks.gather.output }}", outputs={"gather": "facts"}) == "From: facts"


@pytest.mark.parametrize(
    "output",
    [
        '{"items": [{"name": "bee"}]}',
        'Here you are:\n```json\n{"items": [{"name": "bee"}]}\n```\nDone.',
        '```\n{"items": [{"name": "bee"}]}\n```',
    ],
)
def test_paths_into_json_output(output):
    assert prompt("{{ tasks.gather.output.items.0.name }}", outputs={"gather": output}) == "bee"


def test_outputs_of_dependencies_are_appended_without_placeholders():
    assert prompt("Sum up.", outputs={"gather": "facts", "check": "fine", "other": "no"}) == (
        "Sum up.\n\n## Gather\nfacts\n\n## Check\nfine"
    )


def test_outputs_are_not_appended_beside_placeholders():
    assert prompt("{{ input.x }}", input={"x": "y"}, outputs={"gather": "facts"}) == "y"


def test_what_was_put_in_is_never_put_in_again():
    given = {"a": "{{ input.b }}", "b": "secret"}

    assert prompt("{{ input.a }}", input=given) == "{{ input.b }}"
    assert prompt(
        "{{ tasks.gather.output }}", outputs={"gather": "{{ input.b }}"}, input=given
    ) == ("{{ input.b }}")
    assert prompt("{{{ input.a }}}", input={"a": "{ input.b }"}) == "{{ input.b }}"


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("{{ input.topic }}", '"input.topic" was not given. Add "topic" to the run\'s input.'),
        ("{{ input.a.c }}", '"input.a" has no "c".'),
        ("{{ input.l.7 }}", '"input.l" is a list of 1; "7" is not one of its places.'),
        ("{{ input.l.-1 }}", '"input.l" is a list of 1; "-1" is not one of its places.'),
        ("{{ input.l.²  }}", '"input.l" is a list of 1; "²" is not one of its places.'),
        ("{{ input.s.x }}", '"input.s" is a plain value; nothing called "x" is inside.'),
        ("{{ input.s.__class__ }}", "plain value"),
        ("{{ tasks.check.output }}", 'Task "check" has no output that this task could use.'),
        ("{{ tasks.gather.output.a }}", 'The output of task "gather" is not JSON'),
    ],
)
def test_what_is_not_there(description, message):
    given = {"a": {"b": 1}, "l": [1], "s": "text"}

    assert message in refusal(description, input=given, outputs={"gather": "NaN"})


def test_hostile_json_output_is_no_crash():
    assert "not JSON" in refusal("{{ tasks.gather.output.a }}", outputs={"gather": "[" * 100_000})
    assert "not JSON" in refusal("{{ tasks.gather.output.a }}", outputs={"gather": "9" * 5_000})


def test_what_no_database_stores_is_replaced():
    output = '{"a": "x\\u0000y\\ud800z"}'

    assert prompt("{{ tasks.gather.output.a }}", outputs={"gather": output}) == "x\ufffdy?z"


def test_a_prompt_cannot_grow_without_bound():
    outputs = {"gather": "x" * (MAX_RENDERED // 2)}

    assert "exceeds" in refusal("{{ tasks.gather.output }}" * 3, outputs=outputs)
    with pytest.raises(PlaceholderError):
        prompt("Sum up.", outputs={"gather": "x" * MAX_RENDERED})


@given(st.text(alphabet="{} abinput.x", max_size=60))
def test_any_text_tokenizes_and_loses_nothing(text):
    tokens = tokenize(text)

    assert all(token for token in tokens)
    if not any(isinstance(token, Reference) for token in tokens):
        assert "".join(tokens) == text
    assert sum(len(token) for token in tokens if isinstance(token, str)) <= len(text)


names = st.text(st.characters(exclude_characters=".{}\0", exclude_categories=["Cs", "Z", "C"]),
                min_size=1, max_size=8)  # fmt: skip
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(
    st.dictionaries(names, values, min_size=1),
    st.lists(st.text(st.characters(exclude_characters="{}\0", exclude_categories=["Cs"]))),
    st.data(),
)
def test_every_reference_becomes_its_value_and_nothing_else_changes(given, texts, data):
    chosen = [data.draw(st.sampled_from(sorted(given))) for _ in texts]
    description = "." + "".join(
        text + "{{ input." + name + " }}" for text, name in zip(texts, chosen, strict=True)
    )
    expected = "." + "".join(text + given[name] for text, name in zip(texts, chosen, strict=True))

    assert prompt(description, input=given) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_output_round_trips(value):
    shown = prompt("{{ tasks.gather.output.x }}", outputs={"gather": json.dumps({"x": value})})

    assert shown == value if isinstance(value, str) else json.loads(shown) == value
