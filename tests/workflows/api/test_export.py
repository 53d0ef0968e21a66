"""`GET /api/workflows/{id}/export`: a workflow as a file."""

import json

import pytest

from tests.factories import make_agent, make_definition, make_workflow
from workflows.models import Workflow


def url(workflow):
    return f"/api/workflows/{workflow.pk}/export"


@pytest.fixture
def workflow(alice):
    agents = [make_agent(provider="openai", model="gpt-5-mini", key="company-card")]
    return make_workflow(
        alice,
        name="Weekly report",
        description="For Monday",
        definition=make_definition(agents=agents, input_schema={"type": "object"}),
    )


def test_content(api, alice, workflow):
    answer = api(alice).get(url(workflow))

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    data = json.loads(answer.content)
    assert list(data) == [
        *("$schema", "hummbl", "name", "description", "agents", "tasks", "input_schema")
    ]
    assert (data["hummbl"], data["name"], data["description"]) == (1, "Weekly report", "For Monday")
    assert data["tasks"][1]["dependencies"] == ["gather"]
    assert data["tasks"][0]["max_retries"] == 2
    assert data["input_schema"] == {"type": "object"}


def test_holds_no_key_no_owner_no_row(api, alice, workflow):
    text = api(alice).get(url(workflow)).content.decode()

    for secret in ("company-card", "alice", "Alice", str(workflow.pk), str(alice.pk)):
        assert secret not in text
    assert "key" not in json.loads(text)["agents"][0]


def test_is_readable_and_the_same_each_time(api, alice, workflow):
    client = api(alice)
    first, second = client.get(url(workflow)), client.get(url(workflow))

    assert first.content == second.content
    assert first.content.endswith(b"}\n")
    assert b'\n  "name": "Weekly report",\n' in first.content


def test_points_to_its_schema(api, alice, workflow):
    answer = api(alice).get(url(workflow))

    address = json.loads(answer.content)["$schema"]
    assert address == "http://testserver/api/workflows/schema"
    assert f'<{address}>; rel="describedby"' in answer["Link"]
    assert api().get(address).json()["$id"] == address


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Weekly report", 'attachment; filename="weekly-report.json"'),
        (
            "Prüfung für 東京",
            (
                'attachment; filename="prufung-fur.json"; '
                "filename*=UTF-8''pr%C3%BCfung-f%C3%BCr-%E6%9D%B1%E4%BA%AC.json"
            ),
        ),
        (
            '../../etc/"passwd"\r\nSet-Cookie: x',
            'attachment; filename="etcpasswd-set-cookie-x.json"',
        ),
        ("***", 'attachment; filename="workflow.json"'),
        ("x" * 200, f'attachment; filename="{"x" * 80}.json"'),
    ],
)
def test_filename(api, alice, name, header):
    answer = api(alice).get(url(make_workflow(alice, name=name)))

    assert answer["Content-Disposition"] == header


def test_any_reader_may_take_it(api, workflow, bob, vera, adam):
    assert api(adam).get(url(workflow)).status_code == 200
    assert api(bob).get(url(workflow)).status_code == 404
    Workflow.objects.update(is_shared=True)
    for reader in (bob, vera):
        assert api(reader).get(url(workflow)).status_code == 200


def test_anonymous(api, workflow):
    assert api().get(url(workflow)).status_code == 401


def test_wrong_method(api, alice, workflow):
    assert api(alice).post(url(workflow)).status_code == 405


def test_query_count(api, alice, workflow, django_assert_num_queries):
    client = api(alice)
    with django_assert_num_queries(3):  # the session, the workflow, the audit log
        client.get(url(workflow))
