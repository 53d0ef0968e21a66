"""security.md 16: nothing secret is stored with an error, shown or forwarded."""

import json

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from observability import errors, metrics
from observability.models import ErrorGroup
from tests.observability.errors.support import caught, fail

pytestmark = pytest.mark.django_db
CANARY = "canary7f31c5a90b2e4d68"


def stored():
    """All rows of the errors' tables as text."""
    found = []
    with connection.cursor() as cursor:
        for table in ("errorgroup", "errorreport", "errorhour", "erroruser"):
            cursor.execute(f"SELECT * FROM observability_{table}")  # noqa: S608
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def leak_through_locals(hidden):
    copy = {"hidden": hidden}
    raise RuntimeError(f"lost {len(copy)}")


MESSAGES = [
    f"refused sk-{CANARY}",
    f"Authorization: Bearer {CANARY}",
    f"postgres://user:{CANARY}@db/x is away",
    f"{'x' * 1990} password={CANARY}",
    f"password={CANARY}",
    json.dumps({"api_key": CANARY}),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message(message):
    errors.capture(caught(fail, message), source="request")
    errors.capture(RuntimeError(message), source="worker")
    errors.capture_browser(f"TypeError: {message}", f"at f (https://h/x?key={CANARY}:1:2)")
    metrics.flush()
    assert ErrorGroup.objects.count() == 3
    assert CANARY not in stored()


def test_a_cause():
    def chained():
        try:
            fail(f"token={CANARY}")
        except RuntimeError as error:
            raise ValueError("harmless") from error

    errors.capture(caught(chained), source="request")
    metrics.flush()
    assert CANARY not in stored()


def test_variables_are_not_looked_at():
    errors.capture(caught(leak_through_locals, CANARY), source="request")
    metrics.flush()
    assert CANARY not in stored()


def test_a_request_leaves_query_headers_cookies_and_body_behind():
    request = RequestFactory().post(
        f"/reset/confirm?token={CANARY}",
        {"password": CANARY},
        headers={"Authorization": f"Bearer {CANARY}", "Cookie": f"sessionid={CANARY}"},
    )
    errors.capture(caught(), source="request", request=request)
    metrics.flush()
    assert ErrorGroup.objects.count() == 1
    assert CANARY not in stored()


def test_what_comes_with_it():
    context = {"api_key": CANARY, "deep": {"password": CANARY}, "note": f"Bearer {CANARY}"}
    errors.capture(caught(), source="request", **context)
    errors.capture_browser("Error: x", context=context)
    metrics.flush()
    assert CANARY not in stored()


def test_the_secrets_of_the_installation(settings):
    settings.SECRET_KEY = f"{CANARY}secret"
    settings.ENCRYPTION_KEYS = [f"{CANARY}first", f"{CANARY}second"]
    settings.OPENAI_API_KEY = f"{CANARY}openai"
    for secret in (settings.SECRET_KEY, *settings.ENCRYPTION_KEYS, settings.OPENAI_API_KEY):
        errors.capture(caught(fail, f"cannot use {secret} here"), source="worker", said=secret)
    metrics.flush()
    assert CANARY not in stored()


def test_pages_and_api(adam, api):
    for message in MESSAGES:
        errors.capture(caught(fail, message), source="request", api_key=CANARY)
    metrics.flush()
    group = ErrorGroup.objects.get()
    client = Client()
    client.force_login(adam)
    for answer in (
        client.get("/manage/errors"),
        client.get(f"/manage/errors/{group.pk}"),
        api(adam).get("/api/errors"),
        api(adam).get(f"/api/errors/{group.pk}"),
    ):
        assert answer.status_code == 200
        assert CANARY not in answer.content.decode()
