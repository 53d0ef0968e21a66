"""Every action of the audit log is written by a public path, and none of them writes a secret."""

import json
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from unittest.mock import patch

import pytest
from django.contrib import admin as django_admin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.management import call_command
from django.test import RequestFactory
from django.utils import timezone

from accounts.admin.audited import Audited
from accounts.models import Action, AuditEntry, Session, User
from hummbl.backup import Manifest, hooks
from tests.accounts.entries import actions, forget
from tests.accounts.letters import letter, token_in
from tests.factories import (
    PASSWORD,
    make_definition,
    make_execution,
    make_key,
    make_workflow,
)
from tests.observability.errors.support import make_error
from tests.workflows.pages.runs import make_run
from workflows.portable import export_workflow

NEW_PASSWORD = "canary-of-a-new-password"
NEW_KEY = "sk-canary-0123456789-WXYZ"


@dataclass
class World:
    """Who acts, how, and what must never be seen again."""

    api: object
    browse: object
    alice: User
    adam: User
    secrets: list = field(default_factory=lambda: [PASSWORD, NEW_PASSWORD, NEW_KEY])

    def call(self, who, method, path, body=None):
        """By the API. Tokens in the answer are secrets."""
        client = self.api(who)
        answer = getattr(client, method)(f"/api/{path}", body)
        assert answer.status_code < 300, answer.getvalue()
        is_json = answer.get("Content-Type") == "application/json" and answer.getvalue()
        found = answer.json() if is_json else {}
        self.secrets += [found[name] for name in ("token", "secret") if found.get(name)]
        return found


def sign_up(w):
    w.call(None, "post", "auth/register", {"email": "new@example.com", "password": NEW_PASSWORD})


def sign_in(w):
    w.call(None, "post", "auth/login", {"email": "alice@example.com", "password": PASSWORD})


def sign_in_failed(w):
    body = {"email": "alice@example.com", "password": NEW_PASSWORD}
    assert w.api().post("/api/auth/login", body).status_code == 401


def sign_in_with_the_password_as_the_name(w):
    assert (
        w.api().post("/api/auth/login", {"email": NEW_PASSWORD, "password": "x"}).status_code == 401
    )


def reauthenticate(w):
    w.call(w.alice, "post", "auth/reauthenticate", {"password": PASSWORD})


def refused(w):
    assert w.api(w.alice).get(f"/api/admin/stats?token={NEW_KEY}").status_code == 403


def change_email(w):
    w.call(w.alice, "patch", "auth/me", {"email": "alicia@example.net"})


def verify_email(w):
    w.call(w.alice, "post", "auth/verify/send")
    token = token_in(letter())
    w.secrets.append(token)
    w.call(None, "post", "auth/verify", {"token": token})


def ask_for_reset(w):
    w.call(None, "post", "auth/reset", {"email": "alice@example.com"})
    w.secrets.append(token_in(letter()))


def reset(w):
    ask_for_reset(w)
    body = {"token": w.secrets[-1], "new_password": NEW_PASSWORD}
    w.call(None, "post", "auth/reset/confirm", body)


def change_password(w):
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    w.call(w.alice, "post", "auth/password", body)


def end_session(w):
    session, token = Session.open(w.alice, ip="::1", user_agent="x")
    w.secrets.append(token)
    w.call(w.alice, "delete", f"auth/sessions/{session.pk}")


def make_token(w):
    expires_at = timezone.now() + timedelta(days=7)
    body = {"name": "ci", "scopes": ["read"], "expires_at": expires_at.isoformat()}
    return w.call(w.alice, "post", "auth/tokens", body)


def delete_token(w):
    w.call(w.alice, "delete", f"auth/tokens/{make_token(w)['id']}")


def make_a_user(w):
    form = {"email": "new@example.com", "role": "user", "is_active": "on"}
    answer = w.browse(w.adam).post(
        "/admin/accounts/user/add/", {**form, "new_password": NEW_PASSWORD}
    )
    assert answer.status_code == 302


def rename_a_user(w):
    form = {"email": "alice@example.com", "name": "Renamed", "role": "user", "is_active": "on"}
    page = f"/admin/accounts/user/{w.alice.pk}/change/"
    assert w.browse(w.adam).post(page, {**form, "new_password": NEW_PASSWORD}).status_code == 302


def delete_a_user(w):
    page = f"/admin/accounts/user/{w.alice.pk}/delete/"
    assert w.browse(w.adam).post(page, {"post": "yes"}).status_code == 302


def change_user(**fields):
    def change(w):
        w.call(w.adam, "patch", f"admin/users/{w.alice.pk}", fields)

    return change


def activate(w):
    User.objects.filter(pk=w.alice.pk).update(is_active=False)
    change_user(is_active=True)(w)


def end_all_sessions(w):
    w.call(w.adam, "delete", f"admin/users/{w.alice.pk}/sessions")


def add_key(w):
    body = {"provider": "openai", "name": "main", "key": NEW_KEY}
    return w.call(w.alice, "post", "keys", body)


def change_key(w):
    key = make_key(w.alice)
    body = {"name": "other", "key": NEW_KEY, "is_active": False}
    w.call(w.alice, "patch", f"keys/{key.pk}", body)


def delete_key(w):
    w.call(w.alice, "delete", f"keys/{make_key(w.alice, secret=NEW_KEY).pk}")


def rotate_keys(w):
    make_key(w.alice, secret=NEW_KEY)
    call_command("rotate_keys")


def workflow_of(w, **fields):
    return w.call(w.alice, "post", "workflows", {"name": "W", **make_definition(), **fields})["id"]


def share_workflow(w):
    w.call(w.alice, "patch", f"workflows/{workflow_of(w)}", {"is_shared": True})


def unshare_workflow(w):
    w.call(w.alice, "patch", f"workflows/{workflow_of(w, is_shared=True)}", {"is_shared": False})


def change_workflow(w):
    w.call(w.alice, "patch", f"workflows/{workflow_of(w)}", {"name": "Other"})


def delete_workflow(w):
    w.call(w.alice, "delete", f"workflows/{workflow_of(w)}")


def import_workflow(w):
    w.call(w.alice, "post", "workflows/import", export_workflow(make_workflow(w.alice)))


def export(w):
    w.call(w.alice, "get", f"workflows/{workflow_of(w)}/export")


def execute(w):
    w.call(w.alice, "post", f"workflows/{workflow_of(w)}/execute", {"input": {"key": NEW_KEY}})


def cancel(w):
    execution = make_execution(make_workflow(w.alice))
    w.call(w.alice, "post", f"executions/{execution.pk}/cancel")


def download_outputs(w):
    page = f"/executions/{make_run(w.alice).pk}/outputs"
    assert w.browse(w.alice).get(page).status_code == 200


def export_log(w):
    w.call(w.adam, "get", f"admin/audit.csv?search={NEW_KEY}")


class PlainAdmin(Audited):
    """An admin page that does nothing by an action of its own."""

    fields = ("name",)


def back_up(w):
    make_key(w.alice, secret=NEW_KEY)
    # The test is in a transaction already, in which no other can begin.
    moment = patch("hummbl.backup.making._one_moment", nullcontext)
    with moment, tempfile.TemporaryDirectory() as folder:
        call_command("backup", f"{folder}/backup.zip", verbosity=0, stdout=StringIO())


def note_a_restore(w):
    """What a restore does at its end: a whole one has no place in a transaction, as here."""
    schema = {"migrations": [], "encryption_keys": {}}
    hooks.finish(Manifest(version="1", made_at=timezone.now(), database="sqlite", **schema))


def change_in_the_admin(w):
    request = RequestFactory().post("/", {"name": "Other"})
    request.user, request.session, request._dont_enforce_csrf_checks = w.adam, {}, True
    request._messages = FallbackStorage(request)
    page = PlainAdmin(User, django_admin.site)
    assert page.changeform_view(request, str(w.alice.pk)).status_code == 302


def add_rule(w):
    body = {"name": "No workers", "condition": "workers-alive", "threshold": 1}
    return w.call(w.adam, "post", "alert-rules", body)


def rule_of(w):
    return f"alert-rules/{add_rule(w)['id']}"


def silence(w):
    ends_at = (timezone.now() + timedelta(hours=1)).isoformat()
    return w.call(w.adam, "post", "alert-silences", {"ends_at": ends_at, "reason": "Maintenance"})


def add_channel(w):
    url = f"https://hooks.example.com/{NEW_PASSWORD}"
    return w.call(w.adam, "post", "channels", {"kind": "webhook", "name": "Hook", "url": url})


def channel_of(w):
    return f"channels/{add_channel(w)['id']}"


def error():
    return f"errors/{make_error(kind='Broken').pk}"


def reopen_error(w):
    found = error()
    w.call(w.adam, "post", f"{found}/ignore")
    forget()
    w.call(w.adam, "post", f"{found}/reopen")


WAYS = {
    Action.SIGNED_UP: sign_up,
    Action.SIGNED_IN: sign_in,
    Action.SIGN_IN_FAILED: sign_in_failed,
    Action.SIGNED_OUT: lambda w: w.call(w.alice, "post", "auth/logout"),
    Action.REAUTHENTICATED: reauthenticate,
    Action.REFUSED: refused,
    Action.USER_CREATED: make_a_user,
    Action.USER_CHANGED: rename_a_user,
    Action.USER_DELETED: delete_a_user,
    Action.ROLE_CHANGED: change_user(role="viewer"),
    Action.DEACTIVATED: change_user(is_active=False),
    Action.ACTIVATED: activate,
    Action.PASSWORD_CHANGED: change_password,
    Action.PASSWORD_RESET_ASKED: ask_for_reset,
    Action.PASSWORD_RESET: reset,
    Action.EMAIL_CHANGED: change_email,
    Action.EMAIL_VERIFIED: verify_email,
    Action.SESSION_ENDED: end_session,
    Action.SESSIONS_ENDED: end_all_sessions,
    Action.TOKEN_CREATED: make_token,
    Action.TOKEN_DELETED: delete_token,
    Action.KEY_CREATED: add_key,
    Action.KEY_CHANGED: change_key,
    Action.KEY_DELETED: delete_key,
    Action.KEYS_ROTATED: rotate_keys,
    Action.WORKFLOW_CREATED: workflow_of,
    Action.WORKFLOW_CHANGED: change_workflow,
    Action.WORKFLOW_SHARED: share_workflow,
    Action.WORKFLOW_UNSHARED: unshare_workflow,
    Action.WORKFLOW_DELETED: delete_workflow,
    Action.WORKFLOW_IMPORTED: import_workflow,
    Action.WORKFLOW_EXPORTED: export,
    Action.EXECUTION_STARTED: execute,
    Action.EXECUTION_CANCELLED: cancel,
    Action.EXECUTION_EXPORTED: download_outputs,
    Action.AUDIT_EXPORTED: export_log,
    Action.DATABASE_BACKED_UP: back_up,
    Action.DATABASE_RESTORED: note_a_restore,
    Action.RULE_CREATED: add_rule,
    Action.RULE_CHANGED: lambda w: w.call(w.adam, "patch", rule_of(w), {"name": "Other"}),
    Action.RULE_DELETED: lambda w: w.call(w.adam, "delete", rule_of(w)),
    Action.SILENCE_CREATED: silence,
    Action.SILENCE_ENDED: lambda w: w.call(w.adam, "delete", f"alert-silences/{silence(w)['id']}"),
    Action.CHANNEL_CREATED: add_channel,
    Action.CHANNEL_CHANGED: lambda w: w.call(w.adam, "patch", channel_of(w), {"name": "Other"}),
    Action.CHANNEL_DELETED: lambda w: w.call(w.adam, "delete", channel_of(w)),
    Action.ERROR_RESOLVED: lambda w: w.call(w.adam, "post", f"{error()}/resolve", {}),
    Action.ERROR_IGNORED: lambda w: w.call(w.adam, "post", f"{error()}/ignore"),
    Action.ERROR_REOPENED: reopen_error,
    Action.ADMIN_CHANGED: change_in_the_admin,
}


@pytest.fixture
def world(api, browse, alice, adam):
    return World(api, browse, alice, adam)


def written():
    """All that stands in the log, as one text."""
    return json.dumps(list(AuditEntry.objects.values()), default=str, ensure_ascii=False)


def test_every_action_has_a_way():
    assert set(WAYS) == set(Action)


@pytest.mark.parametrize("action", Action, ids=lambda action: action.value)
def test_is_written_without_a_secret(world, action):
    """security.md 14: a canary is nowhere in the log."""
    forget()
    WAYS[action](world)
    assert action in actions()
    log = written()
    assert [secret for secret in world.secrets if secret in log] == []


def test_a_password_typed_for_a_name_is_not_kept(world):
    """People type one into the other."""
    forget()
    sign_in_with_the_password_as_the_name(world)
    assert actions() == [Action.SIGN_IN_FAILED]
    assert NEW_PASSWORD not in written()
