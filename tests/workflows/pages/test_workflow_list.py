import pytest

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run

URL = "/workflows"


def names(response):
    return {workflow.name for workflow in response.context["page"].object_list}


def test_shows_ones_own_and_what_is_shared(browse, alice, bob):
    make_workflow(alice, name="Mine")
    make_workflow(bob, name="Shared", is_shared=True)
    make_workflow(bob, name="Private")
    assert names(browse(alice).get(URL)) == {"Mine", "Shared"}


def test_an_admin_sees_all(browse, alice, adam):
    make_workflow(alice, name="Hers")
    assert names(browse(adam).get(URL)) == {"Hers"}


def test_searches_name_and_description(browse, alice):
    make_workflow(alice, name="Market brief")
    make_workflow(alice, name="Digest", description="For the market team")
    make_workflow(alice, name="Other")
    assert names(browse(alice).get(URL, {"q": "MARKET"})) == {"Market brief", "Digest"}


@pytest.mark.parametrize("query", ["\0", "x" * 5000, "%", "'; DROP TABLE"])
def test_odd_searches_find_nothing(browse, alice, query):
    make_workflow(alice)
    response = browse(alice).get(URL, {"q": query})
    assert response.status_code == 200


def test_filters_by_status(browse, alice):
    make_workflow(alice, name="On")
    make_workflow(alice, name="Off", status="paused")
    assert names(browse(alice).get(URL, {"status": "paused"})) == {"Off"}
    assert names(browse(alice).get(URL, {"status": "nonsense"})) == {"On", "Off"}


def test_shows_the_states_of_the_last_runs_oldest_first(browse, alice):
    workflow = make_workflow(alice)
    make_run(alice, "failed", workflow=workflow)
    make_run(alice, workflow=workflow)
    (row,) = browse(alice).get(URL).context["page"].object_list
    assert row.dots == ["failed", "completed"]


def test_runs_of_others_do_not_show(browse, alice, adam):
    workflow = make_workflow(alice, is_shared=True)
    make_run(alice, workflow=workflow, user=adam)
    (row,) = browse(alice).get(URL).context["page"].object_list
    assert row.dots == []


def test_offers_run_only_to_who_may(browse, alice, bob, vera):
    workflow = make_workflow(alice, is_shared=True)
    run = f"/workflows/{workflow.pk}/run"
    assert run in browse(alice).get(URL).content.decode()
    assert run not in browse(bob).get(URL).content.decode()
    assert run not in browse(vera).get(URL).content.decode()


def test_a_viewer_is_not_asked_to_create(browse, vera):
    assert "/workflows/new" not in browse(vera).get(URL).content.decode()


def test_htmx_gets_the_table_alone(browse, alice, fragment):
    make_workflow(alice)
    response = browse(alice).get(URL, **fragment)
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]


def test_empty_states(browse, alice, vera):
    assert "Your first workflow" in browse(alice).get(URL).content.decode()
    assert "No workflow matches" in browse(alice).get(URL, {"q": "x"}).content.decode()
    assert "Nothing is shared yet" in browse(vera).get(URL).content.decode()


def test_pages(browse, alice):
    for number in range(26):
        make_workflow(alice, name=f"Number {number:02}")
    assert len(names(browse(alice).get(URL))) == 25
    assert names(browse(alice).get(URL, {"page": 2})) == {"Number 00"}
    assert names(browse(alice).get(URL, {"page": "x"})) == names(browse(alice).get(URL))


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(URL).status_code == 405


def test_a_name_is_text(browse, alice):
    make_workflow(alice, name="<script>alert(1)</script>")
    assert "<script>alert" not in browse(alice).get(URL).content.decode()


def test_queries_do_not_grow_with_rows(browse, alice, bob, django_assert_num_queries):
    client = browse(alice)
    make_workflow(alice)
    with django_assert_num_queries(4):
        client.get(URL)
    for _ in range(5):
        make_run(alice)
        make_workflow(bob, is_shared=True)
    with django_assert_num_queries(4):
        client.get(URL)
