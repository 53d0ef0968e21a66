"""/manage/executions"""

import uuid

import pytest
from django.test import Client

from tests.factories import make_execution, make_workflow
from tests.workflows.pages.runs import make_run
from workflows.models import Execution

URL = "/manage/executions"


def shown(response):
    assert response.status_code == 200
    return response.context["slice"].rows


def test_everybody_s_newest_first(browse, adam, alice, bob):
    first, second = make_run(alice), make_run(bob)
    response = browse(adam).get(URL)
    assert shown(response) == [second, first]
    body = response.content.decode()
    assert f'href="/executions/{first.pk}"' in body
    assert f'href="/workflows/{first.workflow_id}"' in body
    assert f'href="{URL}?user=bob%40example.com"' in body
    assert f'href="/admin/workflows/execution/{first.pk}/change/"' in body


def test_filters(browse, adam, alice, bob):
    failed = make_run(alice, "failed", workflow=make_workflow(alice, name="Llamas"))
    done = make_run(bob)
    Execution.objects.filter(pk=failed.pk).update(trigger="api")
    client = browse(adam)
    for query in (
        {"status": "failed"},
        {"workflow": failed.workflow_id},
        {"user": "alice@"},
        {"user": str(alice.pk)},
        {"trigger": "api"},
        {"q": "llama"},
    ):
        assert shown(client.get(URL, query)) == [failed], query
    assert shown(client.get(URL, {"period": "24h"})) == [done, failed]
    assert shown(client.get(URL, {"period": "dates", "until": "2020-01-01"})) == []


@pytest.mark.parametrize(
    "query", [{"status": "x"}, {"q": "\0"}, {"user": "\0"}, {"workflow": "x"}, {"cursor": "x"}]
)
def test_what_makes_no_sense_is_left_out(browse, adam, alice, query):
    run = make_run(alice)
    assert shown(browse(adam).get(URL, query)) == [run]


def test_htmx_gets_the_table_alone(browse, adam, alice, fragment):
    make_run(alice)
    response = browse(adam).get(URL, {"user": "alice", "q": ""}, **fragment)
    assert "<html" not in response.content.decode()
    assert response["HX-Push-Url"] == f"{URL}?user=alice"


def test_cancels_anybody_s_run_and_comes_back(browse, adam, alice):
    run = make_execution(make_workflow(alice))
    client = browse(adam)
    assert "Cancel<span" in client.get(URL).content.decode()
    response = client.post(f"{URL}?status=pending", {"execution": run.pk})
    assert response["Location"] == f"{URL}?status=pending"
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert "The run is being cancelled." in client.get(URL).content.decode()


def test_what_has_ended_says_so(browse, adam, alice):
    run = make_run(alice)
    client = browse(adam)
    assert "Cancel<span" not in client.get(URL).content.decode()
    response = client.post(URL, {"execution": run.pk}, follow=True)
    assert "has already completed" in response.content.decode()


@pytest.mark.parametrize("pk", ["", "x", "01900000-0000-7000-8000-000000000000"])
def test_cancelling_what_is_not_there(browse, adam, pk):
    assert browse(adam).post(URL, {"execution": pk}).status_code == 404


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, alice, who):
    run = make_execution(make_workflow(alice))
    client = browse(request.getfixturevalue(who))
    assert client.get(URL).status_code == 403
    assert client.post(URL, {"execution": run.pk}).status_code == 403
    run.refresh_from_db()
    assert run.status == "pending"


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"


def test_needs_a_csrf_token(adam):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(adam)
    assert strict.post(URL, {"execution": str(uuid.uuid4())}).status_code == 403


def test_other_methods_are_refused(browse, adam):
    assert browse(adam).put(URL).status_code == 405


def test_empty_states(browse, adam):
    client = browse(adam)
    assert "Nobody has run anything yet" in client.get(URL).content.decode()
    assert "No run matches" in client.get(URL, {"user": "x"}).content.decode()


def test_errors_and_names_are_escaped(browse, adam, alice):
    run = make_run(alice, "failed", workflow=make_workflow(alice, name="<script>alert(1)</script>"))
    Execution.objects.filter(pk=run.pk).update(error="<img src=x>")
    body = browse(adam).get(URL).content.decode()
    assert "<script>alert" not in body
    assert "<img" not in body


def test_queries_do_not_grow_with_rows(browse, adam, alice, bob, django_assert_num_queries):
    client = browse(adam)
    make_run(alice)
    with django_assert_num_queries(3):  # the session, the user; the rows
        client.get(URL)
    for owner in (alice, bob) * 3:
        make_run(owner)
    with django_assert_num_queries(3):
        client.get(URL)
