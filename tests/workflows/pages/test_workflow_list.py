import pytest

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run
from workflows.models import Execution

URL = "/workflows"


def names(response):
    return {row.workflow.name for row in response.context["rows"]}


def in_order(response):
    return [row.workflow.name for row in response.context["rows"]]


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
    (row,) = browse(alice).get(URL).context["rows"]
    assert row.dots == ["failed", "completed"]


def test_runs_of_others_do_not_show(browse, alice, adam):
    workflow = make_workflow(alice, is_shared=True)
    make_run(alice, workflow=workflow, user=adam)
    (row,) = browse(alice).get(URL).context["rows"]
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


def test_filters_by_owner(browse, alice, bob):
    make_workflow(alice, name="Mine")
    make_workflow(bob, name="Theirs", is_shared=True)
    client = browse(alice)
    assert names(client.get(URL, {"owner": "me"})) == {"Mine"}
    assert names(client.get(URL, {"owner": "others"})) == {"Theirs"}
    assert names(client.get(URL, {"owner": "x"})) == {"Mine", "Theirs"}


def test_pages_there_and_back(browse, alice):
    for number in range(26):
        make_workflow(alice, name=f"Number {number:02}")
    client = browse(alice)
    first = client.get(URL)
    assert len(names(first)) == 25
    second = client.get(URL, {"cursor": first.context["slice"].next})
    assert names(second) == {"Number 00"}
    assert in_order(client.get(URL, {"cursor": second.context["slice"].previous})) == in_order(
        first
    )
    assert in_order(client.get(URL, {"cursor": "x"})) == in_order(first)


def test_sorts_by_name_on_every_page(browse, alice):
    titles = ["Ähre", "b | c", "Alpha", "alpha", "beta", *(f"n {n:02}" for n in range(25))]
    for title in titles:
        make_workflow(alice, name=title)
    client = browse(alice)
    first = client.get(URL, {"sort": "name"})
    second = client.get(URL, {"sort": "name", "cursor": first.context["slice"].next})
    both = in_order(first) + in_order(second)
    assert sorted(both) == sorted(titles)
    assert both.index("Alpha") < both.index("b | c") < both.index("beta") < both.index("n 00")
    back = client.get(URL, {"sort": "name", "cursor": second.context["slice"].previous})
    assert in_order(back) == in_order(first)


def test_sorts_by_the_last_run_and_the_never_run_last(browse, alice):
    ran, _, twice = (make_workflow(alice, name=name) for name in ("Ran", "Never", "Twice"))
    for workflow in (twice, ran, twice):
        make_run(alice, workflow=workflow)
    assert in_order(browse(alice).get(URL, {"sort": "run"})) == ["Twice", "Ran", "Never"]
    for number in range(24):
        make_workflow(alice, name=f"More {number}")
    first = browse(alice).get(URL, {"sort": "run"})
    second = browse(alice).get(URL, {"sort": "run", "cursor": first.context["slice"].next})
    assert in_order(second) == ["More 0", "Never"]


def test_a_cursor_of_another_order_begins_anew(browse, alice):
    for number in range(26):
        make_workflow(alice, name=f"{number:02}")
    by_name = browse(alice).get(URL, {"sort": "name"})
    cursor = by_name.context["slice"].next
    assert in_order(browse(alice).get(URL, {"cursor": cursor}))[0] == "25"


def test_shows_what_the_runs_cost(browse, alice):
    workflow = make_workflow(alice)
    for cost in ("1.25", "0.5"):
        run = make_run(alice, workflow=workflow)
        Execution.objects.filter(pk=run.pk).update(cost=cost)
    assert "$1.75" in browse(alice).get(URL).content.decode()


def test_offers_a_copy_to_who_may_have_one(browse, alice, bob, vera):
    workflow = make_workflow(alice, is_shared=True)
    copy = f"/workflows/{workflow.pk}/copy"
    assert copy in browse(bob).get(URL).content.decode()
    assert copy not in browse(vera).get(URL).content.decode()


def test_htmx_puts_the_filter_into_the_address(browse, alice, fragment):
    response = browse(alice).get(URL, {"q": "brief", "status": ""}, **fragment)
    assert response["HX-Push-Url"] == "/workflows?q=brief"


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
    client.get(URL)
    with django_assert_num_queries(6):
        client.get(URL)
    for _ in range(30):
        make_run(alice)
        make_workflow(bob, is_shared=True)
    client.get(URL)
    with django_assert_num_queries(6):
        client.get(URL)
