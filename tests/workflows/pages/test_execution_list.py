import pytest

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run

URL = "/executions"


def rows(response):
    return response.context["slice"].rows


def test_shows_ones_own_newest_first(browse, alice, bob):
    first, second = make_run(alice), make_run(alice)
    make_run(bob)
    assert rows(browse(alice).get(URL)) == [second, first]


def test_an_admin_sees_all(browse, alice, adam):
    run = make_run(alice)
    response = browse(adam).get(URL)
    assert rows(response) == [run]
    assert "Alice Example" in response.content.decode()


def test_filters(browse, alice, bob):
    failed, done = make_run(alice, "failed"), make_run(alice)
    client = browse(alice)
    assert rows(client.get(URL, {"status": "failed"})) == [failed]
    assert rows(client.get(URL, {"workflow": done.workflow_id})) == [done]
    assert rows(client.get(URL, {"status": "nonsense", "workflow": "x"})) == [done, failed]
    private = make_workflow(bob)
    assert rows(client.get(URL, {"workflow": private.pk})) == [done, failed]


def test_goes_on_where_the_page_before_ended(browse, alice):
    workflow = make_workflow(alice)
    runs = [make_run(alice, workflow=workflow) for _ in range(27)][::-1]
    client = browse(alice)
    response = client.get(URL)
    assert rows(response) == runs[:25]
    before = response.context["slice"].next
    response = client.get(URL, {"before": before})
    assert rows(response) == runs[25:]
    assert response.context["slice"].next is None


@pytest.mark.parametrize("before", ["x", "\0", "019ac0de-0000-7000-8000-000000000000"])
def test_an_odd_place_begins_at_the_newest(browse, alice, before):
    run = make_run(alice)
    assert rows(browse(alice).get(URL, {"before": before})) == [run]


def test_another_s_run_is_no_place(browse, alice, bob):
    mine = make_run(alice)
    theirs = make_run(bob)
    assert rows(browse(alice).get(URL, {"before": theirs.pk})) == [mine]


def test_htmx_gets_the_table_alone(browse, alice, fragment):
    make_run(alice)
    assert "<html" not in browse(alice).get(URL, **fragment).content.decode()


def test_empty_states(browse, alice, vera):
    client = browse(alice)
    assert "Run the sample workflow" in client.get(URL).content.decode()
    assert "No run matches" in client.get(URL, {"status": "failed"}).content.decode()
    assert "Run the sample workflow" not in browse(vera).get(URL).content.decode()


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(URL).status_code == 405


def test_queries_do_not_grow_with_rows(browse, alice, django_assert_num_queries):
    client = browse(alice)
    make_run(alice)
    with django_assert_num_queries(4):
        client.get(URL)
    for _ in range(6):
        make_run(alice)
    with django_assert_num_queries(4):
        client.get(URL)
