"""GET and POST /api/auth/tokens, and DELETE /api/auth/tokens/{id}."""

import logging
import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.errors import ChangedMeanwhile
from accounts.models import AccessToken, AuditEntry, Session, User
from accounts.tokens import MAX_TOKENS, create_token
from tests.factories import make_token

URL = "/api/auth/tokens"
BODY = {"name": "Nightly report", "scopes": ["run", "read"]}


def test_making_one(api, alice):
    answer = api(alice).post(URL, BODY)

    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    body = answer.json()
    assert set(body) == {
        "id",
        "name",
        "scopes",
        "created_at",
        "last_used_at",
        "expires_at",
        "token",
    }
    assert body["scopes"] == ["read", "run"]
    assert body["last_used_at"] is None
    assert re.fullmatch(r"hummbl_[A-Za-z0-9_-]{43}", body["token"])
    token = alice.access_tokens.get()
    assert str(token.pk) == body["id"]
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)


def test_only_a_digest_is_kept(api, alice):
    """security.md 8: a digest at rest, never the secret."""
    secret = api(alice).post(URL, BODY).json()["token"]

    (row,) = AccessToken.objects.values()
    assert len(row["digest"]) == 64
    assert secret not in str(row)
    assert secret.removeprefix("hummbl_") not in str(row)


def test_what_is_done_is_in_the_audit_log_without_the_secret(api, alice):
    """security.md 14: a canary."""
    client = api(alice)
    body = client.post(URL, BODY).json()
    client.delete(f"{URL}/{body['id']}")

    deleted, made = AuditEntry.objects.filter(action__startswith="token.")
    assert (made.action, deleted.action) == ("token.created", "token.deleted")
    assert made.object_label == "Nightly report"
    assert made.data["scopes"] == ["read", "run"]
    assert str(made.object_id) == str(deleted.object_id) == body["id"]
    assert body["token"] not in str([AuditEntry.objects.values()])


def test_the_list_shows_no_secret(api, alice, bob):
    """security.md 4: the keys of a row."""
    old, _ = make_token(alice, expires_at=timezone.now() - timedelta(days=1))
    _, secret = make_token(alice, "run")
    make_token(bob)

    answer = api(alice).get(URL)

    body = answer.json()
    assert [row["name"] for row in body["results"]] == ["token 2", "token 1"]
    assert set(body) == {"results", "next", "previous"}
    for row in body["results"]:
        assert set(row) == {"id", "name", "scopes", "created_at", "last_used_at", "expires_at"}
    assert secret not in answer.content.decode()
    assert old.digest not in answer.content.decode()


def test_pages(api, alice):
    for _ in range(3):
        make_token(alice)
    client = api(alice)

    first = client.get(URL, {"limit": 2}).json()
    second = client.get(first["next"]).json()

    assert [row["name"] for row in first["results"] + second["results"]] == [
        "token 3",
        "token 2",
        "token 1",
    ]
    assert second["next"] is None


def test_two_queries_however_many(api, alice, django_assert_num_queries):
    client = api(alice)
    make_token(alice)
    with django_assert_num_queries(2):
        client.get(URL)
    for _ in range(10):
        make_token(alice)
    with django_assert_num_queries(2):
        client.get(URL)


def test_deleting_one_ends_it_at_once(api, alice, bearer):
    token, secret = make_token(alice)
    assert bearer(secret).get("/api/auth/me").status_code == 200

    assert api(alice).delete(f"{URL}/{token.pk}").status_code == 204

    assert bearer(secret).get("/api/auth/me").status_code == 401
    assert api(alice).delete(f"{URL}/{token.pk}").status_code == 404


@pytest.mark.parametrize("who", ["bob", "adam", "vera"])
def test_another_s_is_not_there(api, alice, who, request):
    """security.md 1: 404, and for admins too: these are personal."""
    token, _ = make_token(alice)

    answer = api(request.getfixturevalue(who)).delete(f"{URL}/{token.pk}")

    assert answer.status_code == 404
    assert AccessToken.objects.filter(pk=token.pk).exists()


def test_what_does_not_exist(api, alice):
    assert api(alice).delete(f"{URL}/{uuid.uuid4()}").status_code == 404
    assert api(alice).delete(f"{URL}/x").status_code == 404


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"name": "  "}, "name", id="blank name"),
        pytest.param({"name": "x" * 101}, "name", id="long name"),
        pytest.param({"name": 7}, "name", id="number"),
        pytest.param({"scopes": []}, "scopes", id="no scope"),
        pytest.param({"scopes": "read"}, "scopes", id="text"),
        pytest.param({"scopes": ["read", "root"]}, "scopes[1]", id="unknown scope"),
        pytest.param({"scopes": ["read"] * 5}, "scopes", id="many scopes"),
        pytest.param({"expires_at": "tomorrow"}, "expires_at", id="no moment"),
        pytest.param({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at", id="past"),
        pytest.param({"expires_at": "2999-01-01T00:00:00Z"}, "expires_at", id="far future"),
        pytest.param({"digest": "0" * 64}, "digest", id="digest"),
        pytest.param({"user": "x"}, "user", id="user"),
        pytest.param({"id": str(uuid.UUID(int=1))}, "id", id="id"),
    ],
)
def test_bodies_that_are_refused(api, alice, changes, path):
    """security.md 3, too: what only the server sets is refused."""
    answer = api(alice).post(URL, {**BODY, **changes})

    assert answer.status_code == 400
    assert [found["path"] for found in answer.json()["details"]["errors"]] == [path]
    assert not AccessToken.objects.exists()


def test_the_end_can_be_chosen_within_a_year(api, alice):
    for days, status in ((1, 201), (366, 201), (367, 400)):
        moment = timezone.now() + timedelta(days=days) - timedelta(minutes=1)
        body = {**BODY, "name": f"{days}", "expires_at": moment.isoformat()}
        answer = api(alice).post(URL, body)
        assert answer.status_code == status, days
        if status == 201:
            assert parse_datetime(answer.json()["expires_at"]) == moment


def test_names_are_unique_per_user(api, alice, bob):
    client = api(alice)
    client.post(URL, BODY)

    answer = client.post(URL, {**BODY, "name": " Nightly report "})

    assert answer.status_code == 409
    assert answer.json()["code"] == "token_name_taken"
    assert answer.json()["details"]["errors"][0]["path"] == "name"
    assert api(bob).post(URL, BODY).status_code == 201


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        pytest.param("vera", {"read"}, id="viewer"),
        pytest.param("alice", {"read", "run", "write"}, id="user"),
        pytest.param("adam", {"read", "run", "write", "admin"}, id="admin"),
    ],
)
def test_a_role_gives_away_no_more_than_it_has(api, who, allowed, request):
    client = api(request.getfixturevalue(who))

    for scope in ("read", "run", "write", "admin"):
        answer = client.post(URL, {"name": scope, "scopes": [scope]})
        if scope in allowed:
            assert answer.status_code == 201
        else:
            assert answer.status_code == 403
            assert answer.json()["code"] == "scope_not_allowed"


def test_there_is_a_limit(api, alice, django_assert_max_num_queries):
    for _ in range(MAX_TOKENS):
        make_token(alice)

    with django_assert_max_num_queries(8):
        answer = api(alice).post(URL, BODY)

    assert answer.status_code == 409
    assert answer.json()["code"] == "too_many_tokens"


@pytest.mark.parametrize("field", ["password", "role", "is_active"])
def test_a_request_that_was_let_in_by_the_old_password_makes_none(alice, field):
    """security.md 8: a new password ends everything at once, what is under way too."""
    before = User.objects.get(pk=alice.pk)
    User.objects.filter(pk=alice.pk).update(
        **{field: {"password": "!", "role": "viewer", "is_active": False}[field]}
    )

    with pytest.raises(ChangedMeanwhile):
        create_token(before, name="x", scopes=["read"])

    assert not AccessToken.objects.exists()


def test_making_one_wants_a_recent_sign_in_and_deleting_does_not(api, alice):
    """security.md 10."""
    client = api(alice)
    token, _ = make_token(alice)
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=16))

    answer = client.post(URL, BODY)

    assert answer.status_code == 403
    assert answer.json()["code"] == "reauthentication_required"
    assert client.get(URL).status_code == 200
    assert client.delete(f"{URL}/{token.pk}").status_code == 204


def test_a_token_neither_sees_nor_makes_nor_deletes_tokens(adam, bearer):
    token, secret = make_token(adam, "read", "run", "write", "admin")
    client = bearer(secret)

    for answer in (client.get(URL), client.post(URL, BODY), client.delete(f"{URL}/{token.pk}")):
        assert answer.status_code == 403
        assert answer.json()["code"] == "token_not_allowed"
    assert AccessToken.objects.count() == 1


def test_strangers(api, db):
    assert api().get(URL).status_code == 401
    assert api().post(URL, BODY).status_code == 401
    assert api().delete(f"{URL}/{uuid.uuid4()}").status_code == 401


def test_the_log_names_the_row_and_not_the_secret(api, alice, caplog):
    """security.md 14: a canary."""
    caplog.set_level(logging.DEBUG)
    body = api(alice).post(URL, BODY).json()

    assert body["id"] in caplog.text
    assert body["token"] not in caplog.text
