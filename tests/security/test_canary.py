"""One provider key, stored and used: where it must not turn up. security.md 14"""

import json
import logging

import pytest
import sentry_sdk
from django.http import StreamingHttpResponse

from accounts.models import AuditEntry
from hummbl import sentry
from tests.factories import make_key
from tests.hummbl.test_sentry import Collector
from tests.security.routes import rules
from workflows.models import ApiKey, ExecutionEvent, SpendEntry, TaskResult

pytestmark = pytest.mark.once
CANARY = "sk-canary-7f31c5a90b2e4d68-wxyz"
# Its middle is enough to know it by; its last four characters may be shown.
TELLTALE = "7f31c5a90b2e4d68"


@pytest.fixture
def stored(world):
    """A world whose owner has the canary for a key."""
    key = make_key(world.owner, name="canary", secret=CANARY)
    world.ids["key"] = world.ids["workflows.apikey"] = key.pk
    return key


def test_no_page_and_no_answer_shows_it(world, stored):
    """security.md 14: HTML of every page, the Django admin, every answer of the API, exports."""
    shown = []
    for kind in ("pages", "api", "admin"):
        for rule in rules(kind):
            for role in ("owner", "admin"):
                response = world.ask(rule, role)
                if isinstance(response, StreamingHttpResponse) and response.is_async:
                    continue
                content = b"".join(response) if response.streaming else response.content
                text = content.decode(errors="replace") + str(response.headers)
                if TELLTALE in text:
                    shown.append(f"{rule.method} {rule.path} {role}")
    assert not shown, "\n".join(shown)


def test_a_refused_form_does_not_show_it_again(world):
    """security.md 14: what was typed wrong beside it is typed again, and so is the key."""
    client = world.client("owner")
    for data in (
        {"provider": "custom", "name": "", "key": CANARY},
        {"provider": "custom", "name": "x", "key": CANARY, "base_url": "http://127.0.0.1"},
    ):
        answer = client.post("/keys", data)
        assert answer.status_code == 422
        assert TELLTALE not in answer.content.decode()
    headers = {"Authorization": f"Bearer {world.tokens['owner']}"}
    for body in ({"provider": "nobody", "name": "x", "key": CANARY}, {"key": CANARY}):
        answer = client.post(
            "/api/keys", json.dumps(body), content_type="application/json", headers=headers
        )
        assert answer.status_code == 400
        assert TELLTALE not in answer.content.decode()


def test_no_log_no_audit_entry_no_row_and_no_repr_holds_it(world, caplog):
    """security.md 14: stored, renamed, replaced, tried and deleted, by the API and the page."""
    logging.disable(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    client = world.client("owner")
    headers = {"Authorization": f"Bearer {world.tokens['owner']}"}

    def send(method, path, body):
        send = getattr(client, method)
        return send(path, json.dumps(body), content_type="application/json", headers=headers)

    body = {"provider": "openai", "name": "canary", "key": CANARY}
    key_id = send("post", "/api/keys", body).json()["id"]
    send("patch", f"/api/keys/{key_id}", {"name": "renamed"})
    send("patch", f"/api/keys/{key_id}", {"key": CANARY.replace("wxyz", "abcd")})
    send("post", f"/api/keys/{key_id}/test", {})
    client.post("/keys", {"provider": "anthropic", "name": "page", "key": CANARY})
    key = ApiKey.objects.get(pk=key_id)
    found = [repr(key), str(key), repr(key.credential()), repr(key.__dict__)]
    found += [f"{key.credential()}", str(ApiKey.objects.values())]
    send("delete", f"/api/keys/{key_id}", {})
    assert AuditEntry.objects.filter(object_id=key_id).count() >= 3
    for model in (AuditEntry, ExecutionEvent, TaskResult, SpendEntry):
        found += [str(row) for row in model.objects.values()]
    found += [record.getMessage() + str(record.__dict__) for record in caplog.records]
    assert len(caplog.records) > 5
    assert not [text for text in found if TELLTALE in text]


def test_no_error_report_holds_it(world, stored, monkeypatch):
    """security.md 14, 16: a failure with the decrypted key in its hands."""
    logging.disable(logging.NOTSET)
    Collector.sent.clear()
    dsn = "https://public@sentry.example.org/1"
    sentry.init(dsn, environment="test", release="1", transport=Collector)

    def fail(key):
        credential = key.credential()
        raise RuntimeError(f"The provider said no to {credential.secret}")

    monkeypatch.setattr(ApiKey, "test", fail)
    try:
        with sentry_sdk.isolation_scope():
            answer = world.client("owner").post(f"/keys/{stored.pk}/test")
    finally:
        sentry_sdk.get_client().close()
        sentry_sdk.init()
    assert answer.status_code == 500
    assert TELLTALE not in answer.content.decode()
    assert Collector.sent
    assert TELLTALE not in "".join(Collector.sent)
