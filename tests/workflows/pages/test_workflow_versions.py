import pytest

from tests.factories import make_definition, make_task, make_workflow
from workflows.models import Workflow


def url(workflow, query=""):
    return f"/workflows/{workflow.pk}/versions{query}"


@pytest.fixture
def workflow(alice, adam):
    workflow = make_workflow(alice, name="Market brief")
    workflow.revise(make_definition(make_task("only")), by=adam)
    return workflow


def test_who_saved_what(browse, alice, workflow):
    response = browse(alice).get(url(workflow))

    assert [(row.number, row.task_count) for row in response.context["slice"].rows] == [
        (2, 1),
        (1, 2),
    ]
    page = response.content.decode()
    assert "Adam Example" in page
    assert page.count("Current</span>") == 1
    assert f"{url(workflow)}/1/diff/2" in page
    assert f"{url(workflow)}/1/restore" in page
    assert f"{url(workflow)}/2/restore" not in page


def test_two_chosen_versions_lead_to_what_differs(browse, alice, workflow):
    response = browse(alice).get(url(workflow, "?before=1&after=2"))

    assert response["Location"] == f"{url(workflow)}/1/diff/2"


@pytest.mark.parametrize(
    "query", ["?before=1", "?before=x&after=2", "?before=1&after=²", "?after="]
)
def test_an_incomplete_choice_shows_the_list(browse, alice, workflow, query):
    assert browse(alice).get(url(workflow, query)).status_code == 200


def test_one_version_is_not_compared(browse, alice):
    page = browse(alice).get(url(make_workflow(alice))).content.decode()

    assert 'type="radio"' not in page


def test_an_account_that_is_gone(browse, alice, adam, workflow):
    adam.delete()

    assert "A deleted account" in browse(alice).get(url(workflow)).content.decode()


def test_a_reader_restores_nothing(browse, bob, vera, workflow):
    Workflow.objects.update(is_shared=True)
    for reader in (bob, vera):
        response = browse(reader).get(url(workflow))
        assert response.status_code == 200
        assert "/restore" not in response.content.decode()


def test_another_s_is_not_found(browse, bob, vera, workflow):
    for user in (bob, vera):
        assert browse(user).get(url(workflow)).status_code == 404


def test_strangers_sign_in_first(browse, workflow):
    assert browse().get(url(workflow))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice, workflow):
    assert browse(alice).post(url(workflow)).status_code == 405


def test_many_versions_come_in_pages(browse, alice, workflow):
    for number in range(26):
        workflow.revise(make_definition(make_task(f"t{number}")), by=alice)
    client = browse(alice)

    first = client.get(url(workflow)).context["slice"]
    second = client.get(url(workflow, f"?cursor={first.next}")).context["slice"]

    assert [row.number for row in first.rows] == list(range(28, 3, -1))
    assert [row.number for row in second.rows] == [3, 2, 1]


@pytest.mark.parametrize("count", [1, 12])
def test_queries_do_not_grow(browse, alice, workflow, django_assert_num_queries, count):
    for number in range(count):
        workflow.revise(make_definition(make_task(f"t{number}")), by=alice)
    client = browse(alice)
    with django_assert_num_queries(4):  # session, user, workflow, rows
        client.get(url(workflow))
