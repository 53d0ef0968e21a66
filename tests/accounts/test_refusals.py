"""Refused authorisations in the log and in the audit log, on every way in."""

import pytest
from django.test import Client

from accounts.audit import refusals
from tests.accounts.entries import actions, recorded
from tests.factories import make_execution, make_key, make_workflow


@pytest.fixture
def shared(bob):
    return make_workflow(bob, is_shared=True)


def refused():
    return [(who, label, data["code"]) for _, who, label, data in recorded(action="user.refused")]


def test_by_the_api(api, alice, shared):
    """security.md 5: refused authorisations are logged."""
    path = f"/api/workflows/{shared.pk}"
    assert api(alice).delete(f"{path}?token=secret").status_code == 403
    assert refused() == [("alice@example.com", f"DELETE {path}", "forbidden")]


def test_by_the_api_for_administrators(api, vera):
    assert api(vera).get("/api/admin/stats").status_code == 403
    assert refused() == [("vera@example.com", "GET /api/admin/stats", "admin_only")]


def test_by_a_page(browse, alice, shared):
    assert browse(alice).post(f"/workflows/{shared.pk}/delete").status_code == 403
    assert refused() == [("alice@example.com", f"POST /workflows/{shared.pk}/delete", "forbidden")]


def test_by_a_page_through_django_s_own_exception(browse, adam, alice):
    key = make_key(alice)
    assert browse(adam).get(f"/keys/{key.pk}/edit").status_code == 403
    assert refused() == [("adam@example.com", f"GET /keys/{key.pk}/edit", "forbidden")]


def test_by_the_django_admin(browse, alice):
    client = browse(alice)
    assert client.get("/admin/accounts/user/", follow=True).status_code == 403
    assert [label for _, label, _ in refused()] == ["GET /admin/login/"]


def test_the_log_has_it(api, alice, caplog):
    """security.md 5."""
    api(alice).get("/api/admin/stats?secret=1")
    lines = [each.getMessage() for each in caplog.records if each.name == "accounts.audit.refusals"]
    assert lines == [f"Refused: GET /api/admin/stats for user {alice.pk} (admin_only)"]


def test_a_path_with_newlines_is_escaped(rf, alice, caplog):
    """security.md 5: with newlines escaped."""
    request = rf.get("/a")
    request.path, request.user = "/a\nWARNING forged\r\0", alice
    refusals.note(request, "forbidden")
    (line,) = [each.getMessage() for each in caplog.records]
    assert "GET /a\\nWARNING forged\\r\\x00 for user" in line
    ((_, label, _),) = refused()
    assert label == "GET /a\\nWARNING forged\\r\\x00"


def test_another_s_object_is_no_refusal(api, alice, bob):
    """It is not there, for them."""
    execution = make_execution(make_workflow(bob))
    assert api(alice).get(f"/api/executions/{execution.pk}").status_code == 404
    assert "user.refused" not in actions()


def test_strangers_are_asked_to_sign_in_instead(api, browse, db):
    api().get("/api/admin/stats")
    browse().get("/manage/stats")
    assert actions() == []


def test_a_form_without_its_token_is_no_refusal(alice, shared):
    """It was open for too long."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(f"/workflows/{shared.pk}/delete").status_code == 403
    assert "user.refused" not in actions()


def test_one_user_cannot_fill_the_log(api, alice, bob):
    clients = {who: api(who) for who in (alice, bob)}
    for _ in range(refusals.A_MINUTE + 3):
        clients[alice].get("/api/admin/stats")
    clients[bob].get("/api/admin/stats")
    people = [who for who, _, _ in refused()]
    assert people.count("alice@example.com") == refusals.A_MINUTE
    assert people.count("bob@example.com") == 1
