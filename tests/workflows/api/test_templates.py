"""`/api/templates`: list, read and use."""

import pytest

from tests.factories import make_key
from workflows import gallery
from workflows.api.answers import WorkflowAnswer
from workflows.api.templates import TemplateAnswer, TemplateList
from workflows.models import Workflow

URL = "/api/templates"
ONE = f"{URL}/translate-and-check"
USE = f"{ONE}/use"


def test_list(api, alice, vera):
    for user in (alice, vera):
        data = api(user).get(URL).json()
        TemplateList.model_validate(data)
        assert {row["slug"] for row in data["results"]} == {
            template.slug for template in gallery.templates()
        }
    row = next(row for row in data["results"] if row["slug"] == "translate-and-check")
    assert (row["task_count"], row["agent_count"]) == (4, 3)
    assert row["example_input"]["language"] == "French"
    assert row["models"][0] == {"model": "local:smollm2-135m", "cost_bound": "0.00000000"}
    assert "key" not in str(row["document"]["agents"][0].get("key") or "")


def test_read(api, alice):
    answer = api(alice).get(ONE)
    assert answer.status_code == 200
    TemplateAnswer.model_validate(answer.json())
    assert answer.json() in api(alice).get(URL).json()["results"]


def test_its_document_is_one_that_the_api_takes(api, alice):
    template = api(alice).get(ONE).json()
    body = {"name": template["name"], **template["document"]}
    assert api(alice).post("/api/workflows", body).status_code == 201


def test_use(api, alice):
    answer = api(alice).post(USE, {})

    assert answer.status_code == 201
    workflow = Workflow.objects.get()
    assert answer["Location"] == f"/api/workflows/{workflow.pk}"
    WorkflowAnswer.model_validate(answer.json())
    assert (workflow.owner, workflow.name) == (alice, "Translate and check")
    assert answer.json()["agents"][0]["model"] == "smollm2-135m"
    example = gallery.get("translate-and-check").example
    run = api(alice).post(f"/api/workflows/{workflow.pk}/execute", {"input": example})
    assert run.status_code == 202


def test_use_with_a_name_and_a_model(api, alice):
    body = {"name": "Into French", "model": "anthropic:claude-haiku-5-5"}
    data = api(alice).post(USE, body).json()
    assert data["name"] == "Into French"
    assert {(agent["provider"], agent["model"]) for agent in data["agents"]} == {
        ("anthropic", "claude-haiku-5-5")
    }


def test_use_takes_what_the_user_has_a_key_for(api, alice):
    make_key(alice, provider="anthropic")
    assert api(alice).post(USE, {}).json()["agents"][0]["provider"] == "anthropic"


def test_anonymous(api, db):
    for answer in (api().get(URL), api().get(ONE), api().post(USE, {})):
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_viewer_reads_but_does_not_use(api, vera):
    assert api(vera).get(ONE).status_code == 200
    answer = api(vera).post(USE, {"nonsense": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "read_only_role")
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("slug", ["nothing", "hello.json", "..%2Fgallery", "%00"])
def test_unknown_slug(api, alice, slug):
    for answer in (
        api(alice).get(f"{URL}/{slug}"),
        api(alice).post(f"{URL}/{slug}/use", {"nonsense": 1}),
    ):
        assert answer.status_code == 404


def test_unknown_model(api, alice):
    answer = api(alice).post(USE, {"model": "openai:gpt-0"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_model")
    assert "openai:gpt-0" in answer.json()["error"]
    assert not Workflow.objects.exists()


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": 5}, "name", "wrong_type"),
        ({"name": "x" * 201}, "name", "too_long"),
        ({"model": None}, "model", "wrong_type"),
        ({"model": "x" * 221}, "model", "too_long"),
        ({"owner": "someone"}, "owner", "unknown_field"),
    ],
)
def test_a_body_that_is_wrong(api, alice, body, path, code):
    answer = api(alice).post(USE, body)
    assert answer.status_code == 400
    (problem,) = answer.json()["details"]["errors"]
    assert (problem["path"], problem["code"]) == (path, code)
    assert not Workflow.objects.exists()


def test_wrong_method(api, alice):
    assert api(alice).post(URL, {}).status_code == 405
    assert api(alice).delete(ONE).status_code == 405
    assert api(alice).get(USE).status_code == 405


def test_queries(api, alice, django_assert_num_queries):
    client = api(alice)
    client.get(URL)
    with django_assert_num_queries(1):
        client.get(URL)
