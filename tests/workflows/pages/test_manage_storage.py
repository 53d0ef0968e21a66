"""/manage/storage, whose figures are tested with `/api/admin/storage`."""

import pytest

from hummbl import cache, retention, space
from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run
from workflows.figures import storage

URL = "/manage/storage"


def test_shows_the_figures(browse, adam, alice, monkeypatch):
    monkeypatch.setattr(storage, "SHOWN", 1)
    for name in ("First", "Second"):
        make_run(alice, workflow=make_workflow(alice, name=name))
    retention.run()
    body = browse(adam).get(URL).content.decode()
    for said in ("1 other<", "workflows_execution<", " others<", "RETENTION_EXECUTIONS, "):
        assert said in body
    assert ("First" in body) != ("Second" in body)
    assert "Of 2 runs that are kept" in body
    assert "style=" not in body


def test_nothing_yet(browse, adam):
    body = browse(adam).get(URL).content.decode()
    assert "No run takes any room yet" in body
    assert "Not yet: a worker does it once an hour" in body
    assert "No run is kept" in body


def test_is_measured_again_when_asked(browse, adam, alice):
    client = browse(adam)
    assert "No run takes any room yet" in client.get(URL).content.decode()
    make_run(alice)
    assert "No run takes any room yet" in client.get(URL).content.decode()
    assert "Of 1 run that is kept" in client.post(URL).content.decode()
    assert "Of 1 run that is kept" in client.get(URL).content.decode()


def test_a_file_that_never_shrinks(browse, adam, monkeypatch, is_postgres):
    monkeypatch.setattr(space, "can_give_back", lambda: False)
    assert ("cleanup --vacuum" in browse(adam).get(URL).content.decode()) is not is_postgres


def test_is_linked(browse, adam, alice):
    assert f'href="{URL}"' in browse(adam).get("/dashboard").content.decode()
    assert f'href="{URL}"' not in browse(alice).get("/dashboard").content.decode()


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, who):
    client = browse(request.getfixturevalue(who))
    assert client.get(URL).status_code == client.post(URL).status_code == 403


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"


def test_other_methods_are_refused(browse, adam):
    assert browse(adam).put(URL).status_code == 405


def test_queries_do_not_grow_with_rows(browse, adam, alice, django_assert_max_num_queries):
    client = browse(adam)
    for _ in range(2):
        for _ in range(3):
            make_run(alice)
        cache.clear()
        with django_assert_max_num_queries(24):
            client.get(URL)
