"""`GET /api/workflows/schema`: the JSON Schema of a workflow, for editors."""

import json

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from tests.factories import make_agent, make_definition, make_task, make_workflow
from tests.workflows.documents import SLOW, documents
from workflows import definition, portable, samples

URL = "/api/workflows/schema"


@pytest.fixture(scope="module")
def validator():
    schema = portable.json_schema("https://example.com/api/workflows/schema")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_served_to_anybody(api, db):
    answer = api().get(URL)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/schema+json"
    assert answer["Cache-Control"] == "public, max-age=3600"
    schema = json.loads(answer.content)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "http://testserver/api/workflows/schema"


def test_it_is_not_sent_again_unchanged(api, db, django_assert_num_queries):
    client = api()
    etag = client.get(URL)["ETag"]

    with django_assert_num_queries(0):
        answer = client.get(URL, HTTP_IF_NONE_MATCH=etag)

    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
    assert client.get(URL, HTTP_IF_NONE_MATCH='"other"').status_code == 200


def test_wrong_method(api, alice):
    assert api(alice).post(URL, {}).status_code == 405


def test_every_field_says_what_it_is():
    schema = portable.json_schema("")
    parts = {"": schema, **schema["$defs"]}

    silent = [
        f"{part}.{name}"
        for part, inner in parts.items()
        for name, field in inner["properties"].items()
        if not (field.get("title") and field.get("description"))
    ]

    assert silent == []
    assert all(inner["additionalProperties"] is False for inner in parts.values())


def test_the_sample_fits(validator):
    validator.validate(json.loads(samples.HELLO.read_text()))


def test_an_exported_file_fits(validator, alice):
    validator.validate(json.loads(portable.to_bytes(make_workflow(alice), schema_url="https://x")))


@SLOW
@given(document=documents())
def test_every_valid_document_fits(validator, document):
    validator.validate(document)
    validator.validate(definition.parse(document).to_json())


@pytest.mark.parametrize(
    "wrong",
    [
        {"agents": [make_agent(temperature=3)]},
        {"agents": [make_agent(provider="nobody")]},
        {"agents": [make_agent(fallbacks=["gpt-5"])]},
        {"agents": [make_agent(secret="sk")]},
        {"tasks": []},
        {"tasks": [make_task("1st")]},
        {"tasks": [make_task("a", max_retries=11)]},
        {"hummbl": 2},
        {"name": ""},
        {"owner": "alice"},
    ],
)
def test_it_finds_what_is_wrong(validator, wrong):
    assert list(validator.iter_errors({**make_definition(), **wrong}))
