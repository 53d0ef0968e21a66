import pytest

from workflows import gallery
from workflows.models import Workflow

URL = "/templates/support-reply/use"


def text(response):
    return response.content.decode()


def test_one_click_makes_a_workflow_and_fills_in_its_example(browse, alice):
    response = browse(alice).post(URL, follow=True)

    workflow = Workflow.objects.get()
    assert workflow.owner == alice
    assert response.redirect_chain == [(f"/workflows/{workflow.pk}/run?example=1", 302)]
    page = text(response)
    assert "is yours now" in page
    assert gallery.get("support-reply").example["signature"] in page


def test_the_example_is_offered_where_it_is_not_filled_in(browse, alice):
    browse(alice).post(URL)
    page = text(browse(alice).get(f"/workflows/{Workflow.objects.get().pk}/run"))
    assert "Fill in the example" in page
    assert gallery.get("support-reply").example["signature"] not in page


def test_what_is_filled_in_runs_as_it_is(browse, alice):
    client = browse(alice)
    page = client.post(URL, follow=True)
    form = page.context["form"]
    data = {bound.name: bound.value() for bound in form if bound.value() is not None}
    answer = client.post(f"/workflows/{Workflow.objects.get().pk}/run", data)
    execution = Workflow.objects.get().executions.get()
    assert answer["Location"] == f"/executions/{execution.pk}"
    assert execution.input == gallery.get("support-reply").example


def test_takes_the_model_that_was_chosen(browse, alice):
    browse(alice).post(URL, {"model": "openai:gpt-5-mini"})
    agents = Workflow.objects.get().current_version.definition["agents"]
    assert {agent["model"] for agent in agents} == {"gpt-5-mini"}


def test_an_unknown_model_is_said_at_its_field(browse, alice):
    response = browse(alice).post(URL, {"model": "openai:<b>gpt-0</b>"})
    assert response.status_code == 422
    page = text(response)
    assert 'aria-invalid="true"' in page
    assert "&lt;b&gt;gpt-0" in page
    assert not Workflow.objects.exists()


def test_what_else_is_posted_counts_for_nothing(browse, alice, bob):
    browse(alice).post(URL, {"owner": bob.pk, "is_shared": "true", "name": "x"})
    workflow = Workflow.objects.get()
    assert (workflow.owner, workflow.is_shared) == (alice, False)
    assert workflow.name == gallery.get("support-reply").name


def test_a_viewer_uses_none(browse, vera):
    assert browse(vera).post(URL).status_code == 403
    assert not Workflow.objects.exists()


def test_an_unknown_one(browse, alice):
    assert browse(alice).post("/templates/nothing/use").status_code == 404


def test_strangers_sign_in_first(browse, db):
    assert browse().post(URL)["Location"].startswith("/signin")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_other_methods_are_refused(browse, alice, method):
    assert getattr(browse(alice), method)(URL).status_code == 405
