"""POST /api/auth/register."""

import pytest
from django.core import mail

from accounts.models import Session, User
from tests.accounts.letters import link_in, token_in

URL = "/api/auth/register"
BODY = {"email": "Carol@Example.com", "password": "a long enough phrase", "name": "Carol"}

pytestmark = pytest.mark.django_db


def test_makes_a_user_who_can_go_on_at_once(api):
    answer = api().post(URL, BODY)

    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"token", "user", "expires_at"}
    assert body["expires_at"].endswith("Z")
    assert body["user"]["email"] == "carol@example.com"
    assert body["user"]["role"] == "user"
    assert "no-store" in answer["Cache-Control"]
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {body['token']}")
    assert client.get("/api/auth/me").json()["name"] == "Carol"


def test_hashes_the_password_and_keeps_only_a_digest_of_the_token(api):
    token = api().post(URL, BODY).json()["token"]

    user = User.objects.get(email="carol@example.com")
    assert BODY["password"] not in user.password
    assert user.check_password(BODY["password"])
    digest = Session.objects.get().digest
    assert len(digest) == 64
    assert digest not in token


def test_argon2_is_what_hashes(settings):
    from hummbl import settings as module

    assert module.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    settings.PASSWORD_HASHERS = module.PASSWORD_HASHERS
    user = User(email="x@example.com")
    user.set_password("a long enough phrase")
    assert user.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.COM", " alice@example.com "])
def test_a_taken_address_is_a_conflict(api, alice, email):
    answer = api().post(URL, {**BODY, "email": email})

    assert answer.status_code == 409
    assert answer.json()["code"] == "email_taken"
    assert User.objects.count() == 1


def test_closed_registration(api, settings):
    settings.REGISTRATION_OPEN = False

    answer = api().post(URL, BODY)

    assert answer.status_code == 403
    assert answer.json()["code"] == "registration_closed"
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "password", ["short", "password", "12345678901", "carol@example.com", "x" * 1001]
)
def test_weak_passwords_are_refused_at_their_field(api, password):
    answer = api().post(URL, {**BODY, "password": password})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == "password"
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["role", "is_staff", "is_superuser", "is_active", "id", "user"])
def test_nobody_gives_themselves_rights(api, field):
    """security.md 3."""
    answer = api().post(URL, {**BODY, field: "admin"})

    assert answer.status_code == 400
    error = answer.json()["details"]["errors"][0]
    assert (error["path"], error["code"]) == (field, "unknown_field")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a" * 10_000 + "@example.com"}, "email"),
        ({"email": 7}, "email"),
        ({"email": None}, "email"),
        ({"email": ["x@example.com"]}, "email"),
        ({"name": "n" * 151}, "name"),
        ({"name": {"first": "x"}}, "name"),
        ({"password": 123456789012}, "password"),
        ({"password": ""}, "password"),
    ],
)
def test_bad_fields_are_named(api, change, path):
    answer = api().post(URL, {**BODY, **change})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == path
    assert answer.json()["error"].startswith(f"{path}: ")


def test_the_nul_character_is_refused(api):
    answer = api().post(URL, {**BODY, "name": "nul\0"})

    assert answer.status_code == 400
    assert "NUL" in answer.json()["error"]


def test_missing_fields_are_named(api):
    errors = api().post(URL).json()["details"]["errors"]

    assert [error["path"] for error in errors] == ["email", "password"]
    assert {error["code"] for error in errors} == {"required"}


def test_other_methods_are_not_allowed(api):
    answer = api().get(URL)

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert answer["Allow"] == "POST, OPTIONS"


def test_the_limit(api, limits):
    limits(AUTH="5/m")
    client = api()

    statuses = [client.post(URL, BODY).status_code for _ in range(6)]

    assert statuses == [201, 409, 409, 409, 409, 429]


def test_sends_a_link_to_verify_the_address(api):
    api().post(URL, {**BODY, "name": "You won: evil.example"})

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (
        ["carol@example.com"],
        "Verify your e-mail address for HUMMBL",
    )
    assert link_in(sent).startswith("http://testserver/verify?token=")
    # Who signs up with somebody else's address writes nothing to them.
    assert "evil" not in sent.message().as_string()
    assert api().post("/api/auth/verify", {"token": token_in(sent)}).status_code == 204
    assert User.objects.get().email_verified


def test_without_proof_there_is_no_token_where_it_is_wanted(api, settings):
    settings.REQUIRE_VERIFIED_EMAIL = True

    answer = api().post(URL, BODY)

    assert answer.status_code == 201
    body = answer.json()
    assert (body["token"], body["expires_at"]) == (None, None)
    assert body["user"]["email_verified"] is False
    assert not Session.objects.exists()
    assert len(mail.outbox) == 1


def test_a_taken_address_hashes_as_a_fresh_one_does_and_sends_nothing(api, alice, monkeypatch):
    """security.md 7: a throttled 409, after the same one hash."""
    hashed = []
    monkeypatch.setattr(
        "django.contrib.auth.base_user.make_password",
        lambda password: hashed.append(password) or "md5$x",
    )

    assert api().post(URL, {**BODY, "email": alice.email}).status_code == 409
    assert mail.outbox == []
    assert api().post(URL, BODY).status_code == 201
    assert hashed == [BODY["password"]] * 2


@pytest.mark.parametrize(
    "email",
    ["a@evil.example", "a@sub.good.example", "a@good.example.evil.example", "a@ｇood.example"],
    ids=["other", "subdomain", "prefix", "fullwidth"],
)
def test_only_listed_domains(api, settings, email):
    settings.REGISTRATION_DOMAINS = ["good.example"]

    answer = api().post(URL, {**BODY, "email": email})

    assert (answer.status_code, answer.json()["code"]) == (403, "registration_domain")
    assert answer.json()["details"]["errors"][0]["path"] == "email"
    assert "good.example" in answer.json()["error"]
    assert not User.objects.exists()
    assert api().post(URL, {**BODY, "email": "A@GOOD.example"}).status_code == 201


@pytest.mark.parametrize(
    "email",
    ["a@evil@good.example", "al\u0131ce@good.example", '"a\x02"@good.example', "a@good.example."],
    ids=["two-ats", "dotless-i", "control", "trailing-dot"],
)
def test_strange_addresses(api, settings, email):
    settings.REGISTRATION_DOMAINS = ["good.example"]

    answer = api().post(URL, {**BODY, "email": email})

    assert answer.status_code == 400
    assert not User.objects.exists()


def test_a_forged_host_is_refused_and_reaches_no_mail(api):
    assert api().post(URL, BODY, HTTP_HOST="evil.example").status_code == 400
    assert mail.outbox == []
    assert not User.objects.exists()


def test_the_schema_says_what_may_be_null(api, alice):
    schema = api(alice).get("/api/schema", HTTP_ACCEPT="application/vnd.oai.openapi+json").json()

    answer = schema["components"]["schemas"]["Registered"]
    assert answer["properties"]["token"]["nullable"]
    assert answer["properties"]["expires_at"]["nullable"]
    assert "nullable" not in schema["components"]["schemas"]["Token"]["properties"]["token"]
