"""Using an access token: who is let in, and where it ends."""

import io
import logging
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from accounts import flows
from accounts.models import AccessToken
from hummbl.logging import formatter
from tests.factories import PASSWORD, make_execution, make_key, make_token, make_workflow

URL = "/api/auth/me"


def test_one_query_is_enough(alice, bearer, django_assert_num_queries):
    client = bearer(make_token(alice)[1])
    client.get(URL)

    with django_assert_num_queries(1):
        answer = client.get(URL)

    assert answer.json()["email"] == alice.email


def test_use_is_noted_at_most_once_a_minute(alice, bearer, django_assert_num_queries):
    client = bearer(make_token(alice)[1])

    with django_assert_num_queries(2):
        client.get(URL)
    with django_assert_num_queries(1):
        client.get(URL)
    AccessToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    with django_assert_num_queries(2):
        client.get(URL)

    assert timezone.now() - AccessToken.objects.get().last_used_at < timedelta(minutes=1)


def test_it_ends_when_it_says(alice, bearer, monkeypatch):
    """security.md 8: expiry on a frozen clock."""
    token, secret = make_token(alice)
    client = bearer(secret)

    def at(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
        return client.get(URL).status_code

    assert at(token.expires_at - timedelta(seconds=1)) == 200
    assert at(token.expires_at) == 401
    assert at(token.expires_at + timedelta(days=1)) == 401


def refusals(alice, bearer):
    """What each kind of useless token is answered."""
    _, expired = make_token(alice, expires_at=timezone.now() - timedelta(seconds=1))
    gone, deleted = make_token(alice)
    gone.delete()
    _, cut = make_token(alice)
    known = {
        "expired": expired,
        "deleted": deleted,
        "unknown": "hummbl_" + "a" * 43,
        "cut": cut[:-1],
        "lengthened": f"{cut}a",
        "in capitals": cut.upper(),
        "without its prefix": cut.removeprefix("hummbl_"),
        "only the prefix": "hummbl_",
        "its digest": AccessToken.objects.latest("id").digest,
        "not ascii": "hummbl_ö",
    }
    for kind, secret in known.items():
        yield kind, bearer(secret).get(URL)
    alice.is_active = False
    alice.save()
    yield "of a deactivated user", bearer(cut).get(URL)


def test_every_useless_token_is_answered_alike(alice, bearer):
    """security.md 7: nothing tells an expired token from one that never was."""
    answers = dict(refusals(alice, bearer))

    for kind, answer in answers.items():
        assert answer.status_code == 401, kind
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer.json() == answers["unknown"].json(), kind
        assert answer.json()["code"] == "invalid_token"


def test_it_counts_in_its_header_only(alice, client):
    """security.md 13: never from the query, a cookie, or another header."""
    _, secret = make_token(alice)
    client.cookies["token"] = client.cookies["Authorization"] = secret
    client.cookies[django_settings.SESSION_COOKIE_NAME] = secret

    assert client.get(f"{URL}?token={secret}&access_token={secret}").status_code == 401
    assert client.post(URL, {"access_token": secret}).status_code == 401
    for headers in ({"Authorization": f"Token {secret}"}, {"X-Api-Key": secret}):
        assert client.get(URL, headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/dashboard", "/profile", "/profile/tokens", "/admin/"])
def test_it_opens_no_page(adam, client, path):
    _, secret = make_token(adam, "read", "run", "write", "admin")

    answer = client.get(path, headers={"Authorization": f"Bearer {secret}"})

    assert answer.status_code == 302
    assert "signin" in answer["Location"] or "login" in answer["Location"]


def test_it_needs_no_csrf_token_and_beats_the_cookie(alice, bob):
    """security.md 13: whoever sends a token is who the token says, whatever the cookie."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    headers = {"Authorization": f"Bearer {make_token(alice, 'read', 'write')[1]}"}

    assert client.get(URL, headers=headers).json()["email"] == alice.email
    answer = client.patch(URL, {"name": "A"}, content_type="application/json", headers=headers)
    assert answer.status_code == 200


def test_many_tokens_have_one_limit(limits, alice, bob, api, bearer):
    """security.md 11: a user is counted, however many tokens ask."""
    limits(API="4/m")
    clients = [bearer(make_token(alice)[1]) for _ in range(3)]

    answers = [client.get(URL) for client in (*clients, api(alice), *clients)]

    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 3
    assert [answer["X-RateLimit-Remaining"] for answer in answers[:4]] == ["3", "2", "1", "0"]
    assert bearer(make_token(bob)[1]).get(URL).status_code == 200


def test_a_refused_call_counts_once_and_as_the_user_s(limits, alice, bearer):
    limits(API="3/m")
    client = bearer(make_token(alice)[1])

    answers = [client.patch(URL, {"name": "A"}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert client.get(URL).status_code == 429


def test_executions_have_one_limit_too(limits, alice, bearer):
    limits(EXECUTE="1/m")
    workflow = make_workflow(alice)
    url = f"/api/workflows/{workflow.pk}/execute"

    answers = [bearer(make_token(alice, "run")[1]).post(url, {"input": {}}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 429]


def test_a_new_password_deletes_them(alice, bob, bearer, api):
    """security.md 8: whoever changes a password because of a thief is rid of the thief."""
    _, secret = make_token(alice)
    _, another = make_token(bob)
    body = {"current_password": PASSWORD, "new_password": "quite another phrase"}

    assert api(alice).post("/api/auth/password", body).status_code == 204

    assert bearer(secret).get(URL).status_code == 401
    assert bearer(another).get(URL).status_code == 200


def test_a_password_that_is_set_for_somebody_deletes_theirs(alice, adam):
    make_token(alice)
    make_token(adam)

    flows.set_password(alice, "quite another phrase", by=adam)

    assert [token.user for token in AccessToken.objects.all()] == [adam]


class TestAdministrators:
    """An administrator's token has an administrator's rights only with the scope `admin`."""

    @pytest.fixture
    def run(self, alice):
        return make_execution(make_workflow(alice))

    def test_without_it_only_what_is_their_own(self, adam, run, bearer):
        client = bearer(make_token(adam, "read", "run", "write")[1])
        make_key(run.user)

        assert client.get(f"/api/workflows/{run.workflow_id}").status_code == 404
        assert client.delete(f"/api/workflows/{run.workflow_id}").status_code == 404
        assert client.get(f"/api/executions/{run.pk}").status_code == 404
        assert client.get(f"/api/executions/{run.pk}/stream").status_code == 404
        assert client.post(f"/api/executions/{run.pk}/cancel").status_code == 404
        assert client.get("/api/executions").json()["results"] == []
        assert client.get("/api/keys").json()["results"] == []

    def test_with_it_everything(self, adam, run, bearer):
        client = bearer(make_token(adam, "read", "admin")[1])

        assert client.get(f"/api/workflows/{run.workflow_id}").status_code == 200
        assert len(client.get("/api/executions").json()["results"]) == 1
        assert client.get("/api/admin/executions").status_code == 200

    def test_a_demoted_one_has_lost_it(self, adam, run, bearer):
        client = bearer(make_token(adam, "read", "admin")[1])
        adam.role = "user"
        adam.save()

        assert client.get(f"/api/workflows/{run.workflow_id}").status_code == 404
        answer = client.get("/api/admin/executions")
        assert answer.status_code == 403
        assert answer.json()["code"] == "admin_only"

    def test_the_scope_leaves_no_trace_in_the_user(self, adam, bearer):
        client = bearer(make_token(adam, "read", "write")[1])

        assert client.patch(URL, {"name": "Adam"}).json()["role"] == "admin"

        adam.refresh_from_db()
        assert adam.is_admin
        assert adam.is_superuser


def test_a_viewer_s_token_writes_no_more_than_its_owner(vera, bearer):
    """Whatever scopes it has from better days."""
    client = bearer(make_token(vera, "read", "run", "write")[1])

    answer = client.post("/api/workflows", {"name": "x", "agents": [], "tasks": []})

    assert answer.status_code == 403
    assert answer.json()["code"] == "read_only_role"


@pytest.mark.once
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_secret_is_scrubbed_from_what_is_logged(alice, log_format):
    """security.md 14: a canary, in the message, the values and the traceback."""
    token, secret = make_token(alice)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(log_format))
    record = logging.getLogger("canary").makeRecord(
        *("canary", logging.ERROR, "x.py", 1, "refused: %s and %r", (secret, [secret]), None),
        extra={"sent": {"deep": [f"Bearer {secret}"]}, "url": f"https://x/?a={secret}"},
    )
    try:
        raise ValueError(secret)
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    handler.emit(record)

    assert "refused" in stream.getvalue()
    assert secret.removeprefix("hummbl_") not in stream.getvalue()
    assert secret not in f"{token!r} {token} {vars(token)}"
