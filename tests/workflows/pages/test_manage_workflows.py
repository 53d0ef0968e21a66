"""/manage/workflows"""

import pytest

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run

URL = "/manage/workflows"


def shown(response):
    assert response.status_code == 200
    return [workflow for workflow, _ in response.context["rows"]]


def test_everybody_s_newest_first(browse, adam, alice, bob):
    first, second = make_workflow(alice), make_run(bob).workflow
    response = browse(adam).get(URL)
    assert shown(response) == [second, first]
    body = response.content.decode()
    assert f'href="/workflows/{first.pk}"' in body
    assert f'href="{URL}?owner=alice%40example.com"' in body
    assert f'href="/manage/executions?workflow={second.pk}"' in body
    assert f'href="/admin/workflows/workflow/{first.pk}/change/"' in body


def test_filters(browse, adam, alice, bob):
    one = make_workflow(alice, name="One", status="paused")
    two = make_workflow(bob, name="Two")
    client = browse(adam)
    assert shown(client.get(URL, {"q": "tw"})) == [two]
    assert shown(client.get(URL, {"status": "paused"})) == [one]
    assert shown(client.get(URL, {"owner": "ALICE@"})) == [one]
    assert shown(client.get(URL, {"owner": str(bob.pk)})) == [two]


@pytest.mark.parametrize("query", [{"status": "x"}, {"q": "\0"}, {"owner": "\0"}, {"cursor": "x"}])
def test_what_makes_no_sense_is_left_out(browse, adam, alice, query):
    workflow = make_workflow(alice)
    assert shown(browse(adam).get(URL, query)) == [workflow]


def test_goes_on_by_cursor(browse, adam, alice):
    made = [make_workflow(alice, name=str(number)) for number in range(26)][::-1]
    client = browse(adam)
    response = client.get(URL)
    assert shown(response) == made[:25]
    assert shown(client.get(URL, {"cursor": response.context["slice"].next})) == made[25:]


def test_htmx_gets_the_table_alone(browse, adam, alice, fragment):
    make_workflow(alice)
    response = browse(adam).get(URL, {"q": "report", "status": ""}, **fragment)
    assert "<html" not in response.content.decode()
    assert response["HX-Push-Url"] == f"{URL}?q=report"


def test_empty_states(browse, adam):
    client = browse(adam)
    assert "Nobody has a workflow yet" in client.get(URL).content.decode()
    assert "No workflow matches" in client.get(URL, {"q": "x"}).content.decode()


def test_names_are_escaped(browse, adam, alice):
    make_workflow(alice, name="<script>alert(1)</script>", description="<img src=x>")
    body = browse(adam).get(URL).content.decode()
    assert "<script>alert" not in body
    assert "<img" not in body


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, who):
    response = browse(request.getfixturevalue(who)).get(URL)
    assert response.status_code == 403
    assert "Only administrators see this page." in response.content.decode()


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"


def test_other_methods_are_refused(browse, adam):
    assert browse(adam).post(URL).status_code == 405


def test_queries_do_not_grow_with_rows(browse, adam, alice, bob, django_assert_num_queries):
    client = browse(adam)
    make_run(alice)
    with django_assert_num_queries(4):  # the session, the user; the rows, their runs
        client.get(URL)
    for owner in (alice, bob) * 3:
        make_run(owner)
    with django_assert_num_queries(4):
        client.get(URL)
