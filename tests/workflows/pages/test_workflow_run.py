from decimal import Decimal

import pytest

from tests.factories import make_definition, make_task, make_workflow
from workflows.models import Execution

SCHEMA = {
    "type": "object",
    "properties": {
        "topic": {"type": "string", "title": "The topic", "description": "What it is about."},
        "pages": {"type": "integer", "minimum": 1, "default": 3},
        "draft": {"type": "boolean"},
        "tone": {"type": "string", "enum": ["plain", "formal"]},
        "notes": {"type": "string", "maxLength": 5000},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["topic"],
}


def url(workflow):
    return f"/workflows/{workflow.pk}/run"


@pytest.fixture
def asking(alice):
    """A workflow whose schema has a property of each kind."""
    return make_workflow(alice, definition=make_definition(input_schema=SCHEMA))


def data_of(response, **changes):
    form = response.context["form"]
    data = {bound.html_name: bound.value() for bound in form}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    return {**data, **changes}


def named(form, **values):
    """Values by the name of the input, as the fields of the form."""
    places = {spec.name: f"input-{at}" for at, spec in enumerate(form.specs)}
    return {places[name]: value for name, value in values.items()}


def test_the_form_is_made_from_the_schema(browse, alice, asking):
    form = browse(alice).get(url(asking)).context["form"]
    assert {spec.name: spec.kind for spec in form.specs} == {
        "topic": "text",
        "pages": "number",
        "draft": "boolean",
        "tone": "choice",
        "notes": "long",
        "tags": "json",
    }
    assert {"The topic", "Pages"} <= {bound.label for bound in form.asked}


def test_starts_a_run_with_the_input(browse, alice, asking):
    client = browse(alice)
    page = client.get(url(asking))
    typed = {"topic": "Bees", "draft": "on", "tone": '"formal"', "tags": '["a", "b"]'}
    data = data_of(page) | named(page.context["form"], **typed)
    response = client.post(url(asking), data | {"cost_cap": "0.5"})
    execution = Execution.objects.get()
    assert response["Location"] == f"/executions/{execution.pk}"
    assert execution.input == {
        "topic": "Bees",
        "pages": 3,
        "draft": True,
        "tone": "formal",
        "tags": ["a", "b"],
    }
    assert execution.cost_cap == Decimal("0.5")
    assert execution.user == alice


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"topic": ""}, "topic", "required"),
        ({"pages": "many"}, "pages", "whole number"),
        ({"pages": "0"}, "pages", "at least 1"),
        ({"tone": '"rude"'}, "tone", "Choose one of"),
        ({"tags": "[1]"}, "tags", "must be text"),
        ({"tags": "["}, "tags", "not JSON"),
    ],
)
def test_bad_input_is_told_at_its_field(browse, alice, asking, change, field, sentence):
    client = browse(alice)
    page = client.get(url(asking))
    typed = named(page.context["form"], **{"topic": "Bees"} | change)
    response = client.post(url(asking), data_of(page) | typed)
    assert response.status_code == 422
    (place,) = named(page.context["form"], **{field: ""})
    assert sentence in " ".join(response.context["form"].errors[place])
    assert not Execution.objects.exists()


@pytest.mark.parametrize("cap", ["-1", "NaN", "1e99", "much"])
def test_a_bad_cap_is_told(browse, alice, cap):
    workflow = make_workflow(alice)
    client = browse(alice)
    response = client.post(url(workflow), data_of(client.get(url(workflow)), cost_cap=cap))
    assert response.status_code == 422
    assert response.context["form"].errors["cost_cap"]
    assert not Execution.objects.exists()


def test_without_a_schema_the_prompts_are_asked(browse, alice):
    tasks = [
        make_task(
            "gather", description="On {{ input.topic }} in {{ input.tone }}.", input={"tone": "x"}
        ),
        make_task("report", "gather", description="{{ input.who.name }} and {{ input.topic }}"),
    ]
    workflow = make_workflow(alice, definition=make_definition(*tasks))
    client = browse(alice)
    response = client.get(url(workflow))
    assert [(spec.name, spec.kind) for spec in response.context["form"].specs] == [
        ("topic", "long"),
        ("who", "json"),
    ]
    assert client.post(url(workflow), data_of(response)).status_code == 422
    data = data_of(response, **{"input-0": "Bees", "input-1": '{"name": "Ann"}'})
    client.post(url(workflow), data)
    assert Execution.objects.get().input == {"topic": "Bees", "who": {"name": "Ann"}}


def test_the_input_can_be_json(browse, alice, asking):
    client = browse(alice)
    page = client.get(url(asking))
    data = data_of(page, switch="json") | named(page.context["form"], topic="Bees")
    response = client.post(url(asking), data)
    form = response.context["form"]
    assert response.status_code == 200
    assert '"topic": "Bees"' in form["as_json"].value()
    response = client.post(url(asking), data_of(response, as_json='{"topic": "Ants"}'))
    assert Execution.objects.get().input == {"topic": "Ants"}


def test_and_fields_again(browse, alice, asking):
    client = browse(alice)
    first = client.get(url(asking))
    data = data_of(first, mode="json", as_json='{"topic": "Ants"}', switch="fields")
    form = client.post(url(asking), data).context["form"]
    (place,) = named(form, topic="")
    assert form[place].value() == "Ants"


@pytest.mark.parametrize("text", ["{", "[]", "NaN", "[" * 100_000, '{"pages": 0}'])
def test_bad_json_is_told(browse, alice, asking, text):
    client = browse(alice)
    data = data_of(client.get(url(asking)), mode="json", as_json=text)
    response = client.post(url(asking), data)
    assert response.status_code == 422
    assert response.context["form"].errors["as_json"]


def test_a_second_click_finds_the_first_run(browse, alice):
    workflow = make_workflow(alice)
    client = browse(alice)
    data = data_of(client.get(url(workflow)))
    first, second = client.post(url(workflow), data), client.post(url(workflow), data)
    assert first["Location"] == second["Location"]
    assert Execution.objects.count() == 1


def test_the_same_form_with_other_input_asks_once_more(browse, alice, asking):
    client = browse(alice)
    page = client.get(url(asking))
    data = data_of(page) | named(page.context["form"], topic="Bees")
    client.post(url(asking), data)
    response = client.post(url(asking), data | named(page.context["form"], topic="Ants"))
    assert response.status_code == 422
    form = response.context["form"]
    assert form["idempotency_key"].value() != data["idempotency_key"]
    client.post(url(asking), data_of(response))
    assert Execution.objects.count() == 2


def test_a_paused_one_does_not_run(browse, alice):
    workflow = make_workflow(alice, status="paused")
    client = browse(alice)
    response = client.get(url(workflow))
    assert "This workflow is paused" in response.content.decode()
    response = client.post(url(workflow), data_of(response))
    assert "Set its status to active" in response.content.decode()
    assert not Execution.objects.exists()


def test_a_reader_may_not(browse, alice, bob, vera):
    workflow = make_workflow(alice, is_shared=True)
    for reader in (bob, vera):
        assert browse(reader).get(url(workflow)).status_code == 403
        assert browse(reader).post(url(workflow), {}).status_code == 403
    assert not Execution.objects.exists()


def test_another_s_is_not_found(browse, alice, bob):
    assert browse(bob).get(url(make_workflow(alice))).status_code == 404


def test_strangers_sign_in_first(browse, alice):
    assert browse().post(url(make_workflow(alice)))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).delete(url(make_workflow(alice))).status_code == 405


def test_what_a_schema_says_is_text(browse, alice):
    evil = "<script>alert(1)</script>"
    schema = {"properties": {evil: {"type": "string", "title": evil, "description": evil}}}
    workflow = make_workflow(alice, definition=make_definition(input_schema=schema))
    assert "<script>alert" not in browse(alice).get(url(workflow)).content.decode()


@pytest.mark.parametrize("mode", ["", "x", None])
def test_an_unknown_mode_is_refused(browse, alice, mode):
    workflow = make_workflow(alice)
    client = browse(alice)
    data = data_of(client.get(url(workflow)))
    data.pop("mode")
    if mode is not None:
        data["mode"] = mode
    assert client.post(url(workflow), data).status_code == 422
