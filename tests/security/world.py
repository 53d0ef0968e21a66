"""One of everything, and what to send to every route so that it is answered with a success."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http.cookies import SimpleCookie
from typing import Any, Final

from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.utils import timezone

from accounts import links
from accounts.models import AccessToken, Scope, Session, User
from hummbl import cache
from observability import errors
from observability.alerts import notices
from observability.errors import storing
from observability.models import (
    Alert,
    AlertRule,
    DeliveryEvent,
    ErrorGroup,
    NotificationChannel,
    Silence,
)
from tests.factories import (
    PASSWORD,
    make_definition,
    make_key,
    make_task,
    make_user,
    make_workflow,
)
from tests.security.routes import Rule
from tests.workflows.pages.forms import form_data
from tests.workflows.pages.runs import make_attempt, make_event, make_run
from workflows.models import Execution, ExecutionEvent, SpendEntry, TaskResult, Worker

DOCUMENT: Final = make_definition()
NEW: Final = {"name": "New", **DOCUMENT}
FILE: Final = json.dumps({"name": "Imported", **DOCUMENT})
NEW_PASSWORD: Final = "a different horse battery"
KEY: Final = {"provider": "openai", "name": "another", "key": "sk-test-another-0123456789"}
SIGN_UP: Final = {"email": "new@example.com", "password": PASSWORD}
RULE_FORM: Final = {
    "name": "New",
    "condition": "workers-alive",
    "comparison": "below",
    "threshold": "1",
    "window": "5",
    "lasting": "0",
    "min_samples": "1",
    "severity": "high",
    "repeat": "4",
}
IN_A_WEEK: Final = (timezone.now() + timedelta(days=7)).isoformat(timespec="seconds")

# What to send; nothing where nothing is given. `{role}` stands for the address of who sends it,
# `{reset}` and `{verify}` for the tokens of the links in the owner's mails, `{running}` for a run.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /signup": SIGN_UP,
    "POST /signin": {"email": "{role}", "password": PASSWORD},
    "POST /reauthenticate": {"password": PASSWORD},
    "POST /profile": {"name": "New name"},
    "POST /profile/password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    "POST /workflows/new": form_data(),
    "POST /workflows/check": form_data(),
    "POST /workflows/preview": {**form_data(), "task": "gather", "part": "tasks-0"},
    "POST /workflows/import": {"text": FILE},
    "POST /workflows/{workflow}/edit": {**form_data(), "version": 2},
    "POST /workflows/{workflow}/test": {**form_data(), "task": "gather", "part": "tasks-0"},
    "POST /manage/users/{user}/role": {"role": "viewer"},
    "POST /manage/users/{user}/activity": {"active": "false"},
    "POST /manage/executions": {"execution": "{running}"},
    "POST /workflows/{workflow}/run": {"mode": "json", "as_json": "{}", "idempotency_key": "1"},
    "POST /profile/tokens/new": {"name": "laptop", "scopes": ["read"], "days": "30"},
    "POST /profile/email": {"email": "new@example.com"},
    "POST /reset": {"email": "{role}"},
    "POST /reset/confirm": {"new_password": NEW_PASSWORD},
    "POST /keys": KEY,
    "POST /keys/{key}/edit": {"name": "renamed"},
    "POST /keys/{key}/toggle": {"active": "false"},
    "POST /api/auth/register": SIGN_UP,
    "POST /api/auth/login": {"email": "{role}", "password": PASSWORD},
    "POST /api/auth/reauthenticate": {"password": PASSWORD},
    "POST /api/auth/reset": {"email": "{role}"},
    "POST /api/auth/reset/confirm": {"token": "{reset}", "new_password": NEW_PASSWORD},
    "POST /api/auth/verify": {"token": "{verify}"},
    "POST /api/auth/tokens": {"name": "laptop", "scopes": ["read"], "expires_at": IN_A_WEEK},
    "PATCH /api/admin/users/{user}": {"role": "viewer"},
    "PATCH /api/auth/me": {"name": "New name"},
    "POST /api/auth/password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    "POST /api/workflows": NEW,
    "POST /api/workflows/validate": NEW,
    "POST /api/workflows/import": {"name": "Imported", **DOCUMENT},
    "PUT /api/workflows/{workflow}": NEW,
    "PATCH /api/workflows/{workflow}": {"name": "Renamed"},
    "POST /manage/alerts/rules/new": RULE_FORM,
    "POST /manage/alerts/rules/{rule}": {**RULE_FORM, "name": "Renamed"},
    "POST /manage/alerts": {"hours": "4", "reason": "Maintenance"},
    "POST /manage/alerts/{alert}": {"hours": "4", "reason": "Maintenance"},
    "POST /manage/alerts/channels/new": {"kind": "email", "name": "New"},
    "POST /manage/alerts/channels/{channel}": {"name": "Renamed"},
    "POST /api/alert-rules": {"name": "New", "condition": "workers-alive", "threshold": 1},
    "PATCH /api/alert-rules/{rule}": {"name": "Renamed"},
    "POST /api/alert-silences": {"ends_at": IN_A_WEEK, "reason": "Maintenance"},
    "POST /api/channels": {"kind": "email", "name": "New"},
    "PATCH /api/channels/{channel}": {"name": "Renamed"},
    "POST /api/keys": KEY,
    "PATCH /api/keys/{key}": {"name": "renamed"},
    "POST /api/telemetry": {"events": [{"type": "view", "name": "/dashboard"}]},
    "POST /api/errors": {"message": "TypeError: x is undefined"},
}


@dataclass
class World:
    """Who there is, what belongs to the owner, and who is signed in how."""

    people: dict[str, User | None]
    ids: dict[str, Any]
    shared: dict[str, Any] = field(default_factory=dict)
    cookies: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    _browser: Client = field(default_factory=partial(Client, raise_request_exception=False))

    @property
    def owner(self) -> User:
        """Whom everything belongs to."""
        user = self.people["owner"]
        assert user
        return user

    def url(self, rule: Rule, *, shared: bool = False) -> str:
        """An address of the route; of what belongs to the shared workflow, if asked."""
        ids = {**self.ids, **(self.shared if shared else {})}
        key = f"{rule.method} {rule.path}"
        if rule.path == "/executions/{execution}/test":
            ids["execution"] = ids["test"]
        elif rule.path.endswith("/{error}/reopen"):
            ids["error"] = ids["ignored"]
        elif key.endswith("/{execution}/cancel"):
            ids["execution"] = ids["running"]
        path = rule.path
        for name, value in ids.items():
            path = path.replace(f"{{{name}}}", str(value))
        token = {"/reset/confirm": "{reset}", "/verify": "{verify}"}.get(path)
        path += f"?token={self.links()[token]}" if token else ""
        path += "?name=request.count" if path == "/api/metrics" else ""
        assert "{" not in path, f"tests/security/world.py: make_world has nothing for {path}"
        return path

    def client(self, role: str, *, enforce_csrf_checks: bool = False) -> Client:
        """A browser in which that role is signed in, until the next one is asked for.

        It is one and the same: a new one would read the middleware and all static files anew.
        """
        client = self._browser
        client.handler.enforce_csrf_checks = enforce_csrf_checks
        client.cookies = SimpleCookie(self.cookies[role])
        return client

    def body(self, rule: Rule, role: str) -> dict[str, Any]:
        """What that role sends."""
        user = self.people[role]
        words = {"{role}": (user or self.owner).email, **self.links()}
        words["{running}"] = str(self.ids["running"])
        given = BODIES.get(f"{rule.method} {rule.path}", {})
        return {
            name: words.get(value, value) if isinstance(value, str) else value
            for name, value in given.items()
        }

    def links(self) -> dict[str, str]:
        """The tokens of the links that the owner can be sent by mail."""
        return {
            "{reset}": links.reset.token(self.owner),
            "{verify}": links.verification.token(self.owner),
        }

    def ask(
        self,
        rule: Rule,
        role: str,
        *,
        shared: bool = False,
        method: str = "",
        token: str | None = None,
        body: dict[str, Any] | None = None,
        then: Callable[[], None] | None = None,
        **headers: str,
    ) -> Any:
        """The answer to one request of that role, which leaves nothing behind.

        A page is asked for with the role's cookie, the API with its bearer token or with `token`.
        `then` is called while what the request did is still there.
        """
        if body is None:
            body = self.body(rule, role)
        is_api = rule.path.startswith("/api/") or rule.path == "/api"
        client = self.client("anonymous" if is_api else role)
        token = self.tokens.get(role) if token is None else token
        if is_api and token:
            headers["Authorization"] = f"Bearer {token}"
        return undone(
            client,
            method or rule.method,
            self.url(rule, shared=shared),
            json.dumps(body) if is_api else body,
            headers,
            then=then,
        )


def undone(
    client: Client,
    method: str,
    url: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    then: Callable[[], None] | None = None,
) -> HttpResponseBase:
    """Send a request, call `then`, and undo what it did to the database. A text is sent as JSON."""
    options: dict[str, Any] = {"headers": headers or {}}
    if method in {"GET", "HEAD", "OPTIONS"}:
        body = None
    if isinstance(body, str):
        options["content_type"] = "application/json"
    with transaction.atomic():
        response = getattr(client, method.lower())(url, body, **options)
        if then:
            then()
        transaction.set_rollback(True)
    cache.clear()
    return response


def make_world() -> World:
    """Everything there is, in the hands of one owner; a workflow is private, another shared."""
    people: dict[str, User | None] = {
        "anonymous": None,
        "viewer": make_user("vera@example.com", role="viewer"),
        "other": make_user("bob@example.com"),
        "owner": make_user("alice@example.com", name="Alice Example"),
        "admin": make_user("adam@example.com", role="admin"),
    }
    owner = people["owner"]
    assert owner
    session, _ = Session.open(owner, ip="203.0.113.9", user_agent="curl/8")
    token, _ = make_token(owner, Scope.READ)
    world = World(people, {
        "session": session.pk,
        "token": token.pk,
        "key": make_key(owner).pk,
        "user": owner.pk,
        "task": "gather",
        "template": "research-and-report",
        "n": 1,
        "m": 2,
        "content_type_id": 999_999,
        "object_id": owner.pk,
        **_errors(),
        **_alerts(),
        **_made(owner, is_shared=False),
    })  # fmt: skip
    world.shared = _made(owner, is_shared=True)
    world.ids |= _admin_rows(world)
    for role, user in people.items():
        client = Client()
        if user:
            client.force_login(user)
            world.tokens[role] = Session.open(user, ip="127.0.0.1", user_agent="tests")[1]
        world.cookies[role] = {name: cookie.value for name, cookie in client.cookies.items()}
    return world


def make_token(user: User, *scopes: str) -> tuple[AccessToken, str]:
    """An access token with these scopes, named after them."""
    ends = timezone.now() + timedelta(days=7)
    return AccessToken.issue(user, name=" ".join(scopes), scopes=scopes, expires_at=ends)


def _made(owner: User, *, is_shared: bool) -> dict[str, Any]:
    """A workflow of two versions with its run, and another one whose runs are under way."""
    name = "Shared" if is_shared else "Private"
    workflow = make_workflow(owner, name=name, is_shared=is_shared)
    busy = make_workflow(owner, name=f"{name} and busy", is_shared=is_shared)
    workflow.revise(make_definition(make_task("gather"), make_task("sum", "gather")), by=owner)
    tasks = {"gather": {"output": "An answer."}, "sum": {"output": "Its sum."}}
    run = make_run(owner, workflow=workflow, tasks=tasks)
    make_event(run, task_id="gather")
    make_attempt(run, "gather")
    test = Execution.start_test(busy, DOCUMENT, "gather", input={}, outputs={}, user=owner)
    return {
        "workflow": workflow.pk,
        "execution": run.pk,
        "test": test.pk,
        "running": make_run(owner, "pending", workflow=busy).pk,
    }


def _errors() -> dict[str, Any]:
    """An error that waits, and one that is ignored."""
    for message in ("It broke", "Nobody minds"):
        errors.capture_browser(message, "at paint (https://example.com/static/js/dag.js:12:7)")
    errors.capture(RuntimeError("It broke"), source="worker")
    storing.write()
    waiting = ErrorGroup.objects.get(source="visitor")
    ignored = ErrorGroup.objects.get(source="worker")
    ignored.ignore(by=None)
    return {"error": waiting.pk, "ignored": ignored.pk}


def _alerts() -> dict[str, Any]:
    """A rule that fires, a channel that was told of it, and a silence."""
    now = timezone.now()
    rule = AlertRule.objects.create(name="Too hot", condition="workers-alive", threshold=1)
    channel = NotificationChannel.objects.create(name="Mailbox", kind="email", addresses=["a@b.c"])
    alert = Alert.begin(rule, 2, now)
    alert.fire(now)
    notices.tell(rule, alert, DeliveryEvent.FIRING)
    silence = Silence.objects.create(
        starts_at=now, ends_at=now + timedelta(days=1), reason="Maintenance"
    )
    ids = {"rule": rule, "channel": channel, "alert": alert, "silence": silence}
    return {name: row.pk for name, row in ids.items()}


def _admin_rows(world: World) -> dict[str, Any]:
    """A row of each model of the Django admin."""
    now = timezone.now()
    run = Execution.objects.get(pk=world.ids["execution"])
    event, spent = ExecutionEvent.objects.first(), SpendEntry.objects.first()
    result = TaskResult.objects.first()
    worker = Worker.objects.create(name="host:1", version="1", seen_at=now)
    assert event
    assert spent
    assert result
    return {
        "accounts.user": world.ids["user"],
        "accounts.session": world.ids["session"],
        "accounts.accesstoken": world.ids["token"],
        "workflows.apikey": world.ids["key"],
        "workflows.execution": run.pk,
        "workflows.executionevent": event.pk,
        "workflows.spendentry": spent.pk,
        "workflows.taskresult": result.pk,
        "workflows.worker": worker.pk,
        "workflows.workflow": world.ids["workflow"],
        "workflows.workflowversion": run.version_id,
    }
