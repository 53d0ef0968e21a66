"""/manage/stats, whose figures are tested with `/api/admin/stats`."""

import pytest

from hummbl import cache
from tests.factories import make_execution, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run

URL = "/manage/stats"


def test_shows_the_figures(browse, adam, alice):
    run = make_run(alice)
    make_attempt(run, "gather", settled="1.25")
    make_run(alice, "failed")
    body = browse(adam).get(URL).content.decode()
    for said in ("50%", "smollm2-135m", "Embedded model", "$1.25", "No run can start"):
        assert said in body
    assert (
        body.count("<rect class=") - body.count('class="logo-a"') == 3
    )  # completed and failed today, and what it cost
    assert "style=" not in body


def test_nothing_yet(browse, adam):
    body = browse(adam).get(URL).content.decode()
    assert "No model was called in 7 days" in body
    assert "No run was started" in body
    assert 'class="completed"' not in body


def test_htmx_gets_the_queue_alone(browse, adam, alice, fragment, django_assert_num_queries):
    make_execution(make_workflow(alice))
    client = browse(adam)
    with django_assert_num_queries(4):  # the session, the user; the queue, the workers
        body = client.get(URL, **fragment).content.decode()
    assert "<html" not in body
    assert "The oldest for" in body


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, who):
    assert browse(request.getfixturevalue(who)).get(URL).status_code == 403


def test_strangers_sign_in_first(browse, db, fragment):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"
    assert browse().get(URL, **fragment)["HX-Refresh"] == "true"


def test_other_methods_are_refused(browse, adam):
    assert browse(adam).post(URL).status_code == 405


def test_queries_do_not_grow_with_rows(browse, adam, alice, django_assert_num_queries):
    client = browse(adam)
    for _ in range(2):
        make_attempt(make_run(alice), "gather")
        cache.clear()
        with django_assert_num_queries(13):
            client.get(URL)
