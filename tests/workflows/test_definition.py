"""The workflow document: what is accepted, and how each mistake is named."""

import json
import math

import pytest

from tests.factories import make_agent
from tests.factories import make_definition as document
from tests.factories import make_task as task
from workflows.definition import DefinitionError, InputError, check_input, json_schema, parse

AGENT = make_agent()


def errors_of(data):
    with pytest.raises(DefinitionError) as caught:
        parse(data)
    return caught.value.errors


def only_error(data):
    errors = errors_of(data)
    assert len(errors) == 1, errors
    return errors[0]["path"], errors[0]["code"], errors[0]["message"]


def with_task(**fields):
    return document({**task("gather"), **fields})


def with_agent(**fields):
    return document(task("gather")) | {"agents": [{**AGENT, **fields}]}


def test_defaults_are_filled_in():
    definition = parse({"agents": [AGENT], "tasks": [task("gather")]})

    written = definition.to_json()

    assert written["input_schema"] is None
    assert written["agents"][0] == {
        **AGENT,
        "role": "",
        "description": "",
        "capabilities": [],
        "temperature": 0.7,
        "max_tokens": 1024,
        "instructions": "",
        "key": None,
        "fallbacks": [],
    }
    assert written["tasks"][0] == {
        **task("gather"),
        "input": {},
        "max_retries": 2,
        "timeout_seconds": 120,
    }


def test_equal_documents_compare_equal():
    spelled_out = with_task(dependencies=[], max_retries=2, timeout_seconds=120.0)

    assert parse(spelled_out).to_json() == parse(with_task()).to_json()
    assert json.dumps(parse(spelled_out).to_json()) == json.dumps(parse(with_task()).to_json())


def test_canonical_document_is_a_document():
    written = parse(document()).to_json()

    assert parse(written).to_json() == written


@pytest.mark.parametrize("data", [None, 1, "text", [], [1], True])
def test_a_document_is_an_object(data):
    path, code, _ = only_error(data)

    assert (path, code) == ("", "wrong_type")


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"max_retries": "2"}, "tasks[0].max_retries", "wrong_type"),
        ({"max_retries": True}, "tasks[0].max_retries", "wrong_type"),
        ({"max_retries": 2.5}, "tasks[0].max_retries", "wrong_type"),
        ({"max_retries": 11}, "tasks[0].max_retries", "out_of_range"),
        ({"max_retries": -1}, "tasks[0].max_retries", "out_of_range"),
        ({"timeout_seconds": "120"}, "tasks[0].timeout_seconds", "wrong_type"),
        ({"timeout_seconds": 0}, "tasks[0].timeout_seconds", "out_of_range"),
        ({"timeout_seconds": 3600.5}, "tasks[0].timeout_seconds", "out_of_range"),
        ({"timeout_seconds": math.nan}, "tasks[0].timeout_seconds", "not_finite"),
        ({"timeout_seconds": math.inf}, "tasks[0].timeout_seconds", "not_finite"),
        ({"timeout_seconds": 10**400}, "tasks[0].timeout_seconds", "out_of_range"),
        ({"name": ""}, "tasks[0].name", "blank"),
        ({"name": "  "}, "tasks[0].name", "blank"),
        ({"name": "x" * 201}, "tasks[0].name", "too_long"),
        ({"name": None}, "tasks[0].name", "wrong_type"),
        ({"name": "a\0b"}, "tasks[0].name", "invalid_text"),
        ({"name": "\ud800"}, "tasks[0].name", "invalid_text"),
        ({"description": ""}, "tasks[0].description", "blank"),
        ({"description": "é" * 32_769}, "tasks[0].description", "too_large"),
        ({"dependencies": "gather"}, "tasks[0].dependencies", "wrong_type"),
        ({"dependencies": [1]}, "tasks[0].dependencies[0]", "wrong_type"),
        ({"input": []}, "tasks[0].input", "wrong_type"),
        ({"input": {"a": [math.nan]}}, "tasks[0].input.a[0]", "not_finite"),
        ({"input": {"a\0": 1}}, "tasks[0].input.a\ufffd", "invalid_text"),
        ({"input": {"a": "x" * 65_530}}, "tasks[0].input", "too_large"),
        ({"agent_id": 3}, "tasks[0].agent_id", "wrong_type"),
        ({"when": "always"}, "tasks[0].when", "unknown_field"),
        ({"id": "2nd"}, "tasks[0].id", "invalid_id"),
        ({"id": "a" * 65}, "tasks[0].id", "invalid_id"),
        ({"id": "a\n"}, "tasks[0].id", "invalid_id"),
    ],
)
def test_bad_task(fields, path, code):
    assert only_error(with_task(**fields))[:2] == (path, code)


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"provider": "azure"}, "agents[0].provider", "invalid_choice"),
        ({"temperature": 2.1}, "agents[0].temperature", "out_of_range"),
        ({"temperature": False}, "agents[0].temperature", "wrong_type"),
        ({"max_tokens": 0}, "agents[0].max_tokens", "out_of_range"),
        ({"max_tokens": 200_001}, "agents[0].max_tokens", "out_of_range"),
        ({"max_tokens": 10.0}, "agents[0].max_tokens", "wrong_type"),
        ({"model": ""}, "agents[0].model", "blank"),
        ({"model": "m" * 201}, "agents[0].model", "too_long"),
        ({"fallbacks": ["gpt-5"]}, "agents[0].fallbacks[0]", "invalid_fallback"),
        ({"fallbacks": ["azure:gpt-5"]}, "agents[0].fallbacks[0]", "invalid_fallback"),
        ({"capabilities": "all"}, "agents[0].capabilities", "wrong_type"),
        ({"key": 1}, "agents[0].key", "wrong_type"),
        ({"tools": []}, "agents[0].tools", "unknown_field"),
    ],
)
def test_bad_agent(fields, path, code):
    assert only_error(with_agent(**fields))[:2] == (path, code)


def test_whole_numbers_are_numbers():
    agent = with_agent(temperature=1, fallbacks=["openai:gpt-5-mini", "custom:a:b"])

    assert parse(agent).agents[0].temperature == 1


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("temperatur", "temperature"), ("Provider", "provider"), ("max_token", "max_tokens")],
)
def test_unknown_field_suggests_the_right_one(misspelt, meant):
    assert f'Did you mean "{meant}"?' in only_error(with_agent(**{misspelt: 1}))[2]


def test_missing_fields_are_each_named():
    errors = errors_of({"agents": [{}], "tasks": [{}]})

    assert [(error["path"], error["code"]) for error in errors] == [
        ("agents[0].id", "missing"),
        ("agents[0].name", "missing"),
        ("agents[0].provider", "missing"),
        ("agents[0].model", "missing"),
        ("tasks[0].id", "missing"),
        ("tasks[0].name", "missing"),
        ("tasks[0].description", "missing"),
        ("tasks[0].agent_id", "missing"),
    ]


def test_a_workflow_has_a_task():
    assert only_error({"agents": [AGENT], "tasks": []})[:2] == ("tasks", "no_tasks")


def test_unknown_agent():
    path, code, message = only_error(with_task(agent_id="writr"))

    assert (path, code) == ("tasks[0].agent_id", "unknown_agent")
    assert 'Did you mean "writer"?' in message


def test_unknown_dependency():
    path, code, message = only_error(document(task("gather"), task("report", "gathr")))

    assert (path, code) == ("tasks[1].dependencies[0]", "unknown_dependency")
    assert message == 'There is no task "gathr". Did you mean "gather"?'


def test_self_dependency():
    data = document(task("gather"), task("report", "gather", "report"))

    assert only_error(data)[:2] == ("tasks[1].dependencies[1]", "self_dependency")


def test_duplicate_dependency():
    data = document(task("gather"), task("report", "gather", "gather"))

    assert only_error(data)[:2] == ("tasks[1].dependencies[1]", "duplicate_dependency")


def test_duplicate_ids():
    data = document(task("gather"), task("gather")) | {"agents": [AGENT, AGENT]}

    found = [(error["path"], error["code"]) for error in errors_of(data)]

    assert found == [("agents[1].id", "duplicate_id"), ("tasks[1].id", "duplicate_id")]


def test_cycle_names_its_tasks():
    """security.md 20."""
    data = document(task("gather", "report"), task("report", "gather"), task("send", "report"))

    path, code, message = only_error(data)

    assert (path, code) == ("tasks[0].dependencies[0]", "cycle")
    assert "gather → report → gather" in message


def test_separate_cycles_are_all_found():
    data = document(task("a", "b"), task("b", "a"), task("c", "d"), task("d", "c"))

    messages = [error["message"] for error in errors_of(data)]

    assert ["a → b → a" in messages[0], "c → d → c" in messages[1]] == [True, True]


def test_a_long_cycle_is_shortened():
    tasks = [task(f"t{at}", f"t{(at - 1) % 400}") for at in range(400)]

    message = only_error(document(*tasks))[2]

    assert "t0 → t1 → " in message
    assert message.endswith(" → … → t399 → t0. Remove one dependency.")


def test_too_many_tasks():
    """security.md 20."""
    data = document(*[task(f"t{at}") for at in range(501)])

    assert only_error(data)[:2] == ("tasks", "too_many_tasks")
    assert len(parse(document(*data["tasks"][:500])).tasks) == 500


def test_too_many_agents():
    agents = [{**AGENT, "id": f"writer{at}"} for at in range(101)]

    assert only_error(document(task("a")) | {"agents": agents})[:2] == ("agents", "too_many_agents")


def test_too_many_edges():
    """security.md 20."""
    first = [task(f"a{at}") for at in range(50)]
    second = [task(f"b{at}", *[f"a{other}" for other in range(50)]) for at in range(41)]

    assert only_error(document(*first, *second))[:2] == ("tasks", "too_many_edges")
    assert parse(document(*first, *second[:40]))


def test_all_errors_are_reported_together():
    data = {
        "agents": [{**AGENT, "temperature": 3}],
        "tasks": [
            task("gather", "gathr", max_retries="2"),
            task("report", "report", agent_id="nobody", description="{{ tasks.x.output }}"),
        ],
        "colour": "red",
    }

    found = {(error["path"], error["code"]) for error in errors_of(data)}

    assert found == {
        ("agents[0].temperature", "out_of_range"),
        ("tasks[0].max_retries", "wrong_type"),
        ("tasks[0].dependencies[0]", "unknown_dependency"),
        ("tasks[1].agent_id", "unknown_agent"),
        ("tasks[1].dependencies[0]", "self_dependency"),
        ("tasks[1].description", "unknown_placeholder"),
        ("colour", "unknown_field"),
    }


def test_at_most_a_hundred_errors():
    assert len(errors_of(document(*[{"x": at} for at in range(500)]))) == 100


def test_bottomless_nesting_is_refused():
    deep = {}
    for _ in range(100_000):
        deep = {"a": deep}

    assert only_error(with_task(input=deep))[1] == "too_deep"


def test_the_exception_is_ready_for_the_client():
    with pytest.raises(DefinitionError) as caught:
        parse(with_task(agent_id="nobody"))

    assert caught.value.status_code == 400
    assert caught.value.error_code == "invalid_definition"
    assert caught.value.details["errors"] == caught.value.errors
    assert "tasks[0].agent_id" in caught.value.message


def test_schema_is_served():
    schema = json_schema()

    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"agents", "tasks"}
    assert schema["$defs"]["Task"]["properties"]["max_retries"]["maximum"] == 10


TOPIC = {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]}


@pytest.mark.parametrize(
    ("description", "part"),
    [
        ("{{ input.topik }}", 'Did you mean "topic"?'),
        ("{{ tasks.gathr.output }}", 'Did you mean "gather"?'),
        ("{{ tasks.later.output }}", 'add "later" to its dependencies'),
        ("{{ tasks.report.output }}", "its own output"),
        ("{{ tasks.gather }}", "{{ tasks.gather.output }}"),
        ("{{ tasks }}", "{{ tasks.task_id.output }}"),
        ("{{ topic }}", "neither input nor a task's output"),
        ("{{ }}", "neither input nor a task's output"),
        ("{{ input..x }}", "neither input nor a task's output"),
        ("{{ " + "x" * 400 + " }}", "at most 300 characters"),
    ],
)
def test_unknown_placeholder(description, part):
    tasks = [task("gather"), task("report", "gather", description=description), task("later")]

    path, code, message = only_error(document(*tasks, input_schema=TOPIC))

    assert (path, code) == ("tasks[1].description", "unknown_placeholder")
    assert part in message


@pytest.mark.parametrize(
    "description",
    [
        "{{ input.topic }}",
        "{{input.tone}}",
        "{{ input }}",
        "{{ tasks.first.output.items.0.name }}",
        "An open {{ brace",
        '{"a": {{ input.topic }}}',
    ],
)
def test_known_placeholders(description):
    tasks = [
        task("first"),
        task("second", "first"),
        task("third", "second", description=description, input={"tone": "plain"}),
    ]

    assert parse(document(*tasks, input_schema=TOPIC))


@pytest.mark.parametrize(
    "schema", [None, {"type": "object"}, {**TOPIC, "additionalProperties": True}]
)
def test_input_names_are_free_unless_declared(schema):
    assert parse(document(task("a", description="{{ input.x }}"), input_schema=schema))


@pytest.mark.parametrize(
    ("schema", "path", "code"),
    [
        ([], "input_schema", "wrong_type"),
        ({"type": "array"}, "input_schema.type", "invalid_schema"),
        ({"type": "dict"}, "input_schema.type", "invalid_schema"),
        ({"pattern": "(a+)+$"}, "input_schema.pattern", "unsupported_keyword"),
        ({"$ref": "http://x/"}, "input_schema.$ref", "unsupported_keyword"),
        ({"patternProperties": {}}, "input_schema.patternProperties", "unsupported_keyword"),
        ({"required": "topic"}, "input_schema.required", "invalid_schema"),
        ({"properties": []}, "input_schema.properties", "invalid_schema"),
        ({"properties": {"a": 1}}, "input_schema.properties.a", "wrong_type"),
        (
            {"properties": {"a": {"items": {"pattern": "x"}}}},
            "input_schema.properties.a.items.pattern",
            "unsupported_keyword",
        ),
        ({"properties": {"a": {"minimum": "1"}}}, "input_schema.properties.a.minimum",
         "invalid_schema"),
        ({"properties": {"a": {"maxLength": -1}}}, "input_schema.properties.a.maxLength",
         "invalid_schema"),
        ({"anyOf": []}, "input_schema.anyOf", "invalid_schema"),
        ({"anyOf": [1]}, "input_schema.anyOf[0]", "wrong_type"),
    ],
)  # fmt: skip
def test_unfit_input_schema(schema, path, code):
    """security.md 23."""
    assert only_error(document(input_schema=schema))[:2] == (path, code)


def test_input_that_fits():
    check_input(parse(document(input_schema=TOPIC)), {"topic": "bees", "extra": [1, None]})
    check_input(parse(document()), {"anything": {"goes": True}})


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        (None, "input", "wrong_type"),
        ([], "input", "wrong_type"),
        ({}, "input.topic", "missing"),
        ({"topic": 3}, "input.topic", "wrong_type"),
        ({"topic": "a\0"}, "input.topic", "invalid_text"),
        ({"topic": math.nan}, "input.topic", "not_finite"),
        ({"topic": "x" * 70_000}, "input", "too_large"),
    ],
)
def test_input_that_does_not_fit(given, path, code):
    with pytest.raises(InputError) as caught:
        check_input(parse(document(input_schema=TOPIC)), given)

    assert [(error["path"], error["code"]) for error in caught.value.errors] == [(path, code)]
    assert caught.value.error_code == "invalid_input"
