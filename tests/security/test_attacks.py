"""What a stranger, a user or a thief would try, through the doors that everybody has."""

import base64
import html
import json
import re
import time

import jwt
import pytest
from django.core import mail
from django.test import Client

from accounts.models import AuditEntry, Session, User
from accounts.views import kept_form
from tests.accounts.letters import link_in, token_in
from tests.factories import PASSWORD, make_execution, make_key, make_token, make_workflow

NEW_PASSWORD = "a different horse battery"
AGE = 15 * 60
EVIL = "evil.example"
LOGIN = "/api/auth/login"
KEY = {"provider": "openai", "name": "main", "key": "sk-canary-0123456789-WXYZ"}


@pytest.fixture
def browser(client, alice, clock):
    """Alice's browser, signed in with a password that is no longer recent."""
    client.post("/signin", {"email": alice.email, "password": PASSWORD})
    clock.advance(AGE)
    return client


def log_in(api, email, password="wrong password", **headers):
    return api.post(LOGIN, {"email": email, "password": password}, headers=headers)


def kept_by(response):
    """The form that waits in the page that asks for the password."""
    body = response.content.decode()
    return html.unescape(re.search(rf'name="{kept_form.FIELD}" value="([^"]*)"', body)[1])


def labels(action):
    return list(AuditEntry.objects.filter(action=action).values_list("object_label", flat=True))


# Guessing passwords


@pytest.mark.parametrize("mark", [" ", "\t", "\u2003"], ids=["blank", "tab", "em-space"])
def test_padding_an_address_buys_no_more_guesses(api, alice, limits, mark):
    """security.md 11: what the address is trimmed to is what counts, not what was sent."""
    limits(AUTH="5/m")
    padded = [mark * (250 - length) + alice.email for length in range(20)]
    statuses = [log_in(api(), email).status_code for email in padded]
    assert statuses == [401] * 5 + [429] * 15


def test_writing_an_address_otherwise_buys_no_more_guesses(api, alice, limits):
    """security.md 11"""
    limits(AUTH="2/m")
    forms = ["alice@example.com", "ALICE@example.com", "Alice@Example.Com", "aLICE@EXAMPLE.com"]
    assert [log_in(api(), email).status_code for email in forms] == [401, 401, 429, 429]


def test_the_page_and_the_api_share_the_count(api, client, alice, limits):
    """security.md 11"""
    limits(AUTH="2/m")
    form = {"email": alice.email, "password": "wrong password"}
    assert client.post("/signin", form).status_code == 401
    assert log_in(api(), alice.email).status_code == 401
    assert client.post("/signin", form).status_code == 429
    assert log_in(api(), alice.email, PASSWORD).status_code == 429


@pytest.mark.parametrize("path", ["/api/auth/reset/confirm", "/api/auth/verify"])
def test_an_address_that_nobody_asked_for_is_no_account(api, limits, path):
    """security.md 11: a field that the operation does not know cannot split its counter."""
    limits(AUTH="2/m")
    bodies = [{"token": "x", "new_password": NEW_PASSWORD, "email": f"{n}@x.org"} for n in "abcd"]
    statuses = [api().post(path, body).status_code for body in bodies]
    assert statuses == [400, 400, 429, 429]


@pytest.mark.parametrize("proxies", [0, 1], ids=["no proxy", "one proxy"])
def test_made_up_forwarders_are_nobody_s_address(api, alice, limits, settings, proxies):
    """security.md 12: what the client writes into X-Forwarded-For changes nothing."""
    limits(AUTH="2/m")
    settings.TRUSTED_PROXY_COUNT = proxies
    # The proxy appends the address it was called from.
    made_up = [f"10.0.0.{n}{', 203.0.113.9' * proxies}" for n in range(4)]
    found = [log_in(api(), alice.email, **{"X-Forwarded-For": value}) for value in made_up]
    assert [response.status_code for response in found] == [401, 401, 429, 429]
    seen = set(AuditEntry.objects.values_list("ip", flat=True))
    assert seen == {"203.0.113.9" if proxies else "127.0.0.1"}


def test_one_stranger_cannot_lock_the_owner_out(api, alice, limits):
    """security.md 11: hammering from one address, the password stays good from another."""
    limits(AUTH="5/m")
    for _ in range(40):
        log_in(api(), alice.email)
    owner = Client(REMOTE_ADDR="198.51.100.7")
    assert owner.post("/signin", {"email": alice.email, "password": PASSWORD}).status_code == 302


def test_guesses_at_the_current_password_are_noted(api, alice):
    """security.md 5: a stolen session that tries passwords leaves a trace."""
    body = {"current_password": "wrong password", "new_password": NEW_PASSWORD}
    assert api(alice).post("/api/auth/password", body).status_code == 400
    assert labels("user.sign_in_failed") == [alice.email]
    assert "wrong password" not in str(list(AuditEntry.objects.values()))


# Finding out who has an account


# What differs between two answers to one and the same request: it is random, or tells the time.
VARYING = {"X-Request-ID", "X-RateLimit-Reset", "Set-Cookie", "Expires", "Retry-After"}
_VARYING_TEXT = re.compile(
    r"""csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"|\d+ seconds?|"retry_after":\s*\d+"""
)


def told(client, path, body, **extra):
    """All of an answer that could tell accounts apart: status, headers, cookies and body."""
    client.cookies.clear()
    response = client.post(path, body, **extra)
    headers = {name: "" if name in VARYING else value for name, value in response.headers.items()}
    cookies = sorted((name, morsel["path"]) for name, morsel in client.cookies.items())
    text = response.content.decode().replace(body["email"], "…")
    return response.status_code, headers, cookies, _VARYING_TEXT.sub("…", text)


@pytest.mark.parametrize(
    "path", ["/api/auth/reset", LOGIN, "/reset", "/signin"], ids=lambda path: path.strip("/")
)
def test_nobody_learns_who_has_an_account(client, alice, limits, path):
    """security.md 7: status, every header, cookies and body are the same; the limits too."""
    limits(AUTH="2/m", API="100/m")
    User.objects.create_user("gone_@example.com", PASSWORD, is_active=False)
    addresses = ["alice@example.com", "nobod@example.com", "gone_@example.com"]
    extra = {"content_type": "application/json"} if path.startswith("/api") else {}
    for _ in range(3):
        bodies = [{"email": email} for email in addresses]
        if "reset" not in path:
            bodies = [{**body, "password": "wrong password"} for body in bodies]
        # Each from an address of its own: else the second would be told of the first.
        first, *others = [
            told(client, path, body, REMOTE_ADDR=f"198.51.100.{n}", **extra)
            for n, body in enumerate(bodies)
        ]
        assert others == [first, first]


# Mail


def ask_for_reset(host, email="alice@example.com", **headers):
    return Client().post("/reset", {"email": email}, headers={"host": host, **headers})


@pytest.mark.parametrize("host", [EVIL, f"testserver@{EVIL}", f"testserver.{EVIL}", "a b"])
def test_no_link_leads_to_a_host_that_is_not_ours(alice, settings, host):
    """security.md 7: password reset poisoning by the Host header."""
    settings.ALLOWED_HOSTS = ["testserver"]
    assert ask_for_reset(host).status_code == 400
    assert not mail.outbox


def test_forwarded_hosts_lead_nowhere(alice):
    """security.md 7"""
    forwarded = {"x-forwarded-host": EVIL, "forwarded": f"host={EVIL}", "x-host": EVIL}
    ask_for_reset("testserver", **forwarded)
    assert EVIL not in mail.outbox[0].body


def test_links_lead_to_the_site_that_is_set_is_not_ours(alice, settings):
    """security.md 7: another service on our machine, at its own port, is not sent the token."""
    settings.SITE_URL = "https://hummbl.example.org"
    ask_for_reset("testserver:1234")
    assert link_in(mail.outbox[0]).startswith("https://hummbl.example.org/reset/confirm?token=")
    assert "1234" not in mail.outbox[0].body


def test_nobody_s_mailbox_is_filled_by_changing_one_s_address(api, limits, alice):
    """Notices to an address that was never proven are bounded as links are."""
    limits(MAIL="3/h")
    client = api(alice)
    for n in range(8):
        client.patch("/api/auth/me", {"email": "victim@example.org"})
        client.patch("/api/auth/me", {"email": f"me{n}@example.com"})
    to_victim = [message for message in mail.outbox if message.to == ["victim@example.org"]]
    assert len(to_victim) == 6  # three links, three notices


def test_nobody_s_mailbox_is_filled_by_changing_one_s_password(api, limits, alice):
    """The same for who signed up with somebody else's address."""
    limits(MAIL="3/h")
    client, old = api(alice), PASSWORD
    for n in range(6):
        new = f"{NEW_PASSWORD} {n}"
        body = {"current_password": old, "new_password": new}
        assert client.post("/api/auth/password", body).status_code == 204
        old = new
    assert len(mail.outbox) == 3


def test_no_words_of_a_stranger_reach_a_mailbox_through_us(api, alice):
    """An address can be a sentence in quotes, and the notice to the old address names the new."""
    sentence = r'"Your\ account\ is\ locked:\ https://evil.example/x"@evil.example'
    assert api(alice).patch("/api/auth/me", {"email": sentence}).status_code == 400
    body = {"email": sentence, "password": NEW_PASSWORD}
    assert api().post("/api/auth/register", body).status_code == 400
    assert not mail.outbox


def test_a_link_for_one_address_proves_no_other(api, alice):
    """An attacker who can read one mailbox does not prove somebody else's."""
    client = api(alice)
    client.patch("/api/auth/me", {"email": "mine@evil.example"})
    token = token_in(next(m for m in mail.outbox if m.to == ["mine@evil.example"]))
    client.patch("/api/auth/me", {"email": "ceo@example.org"})
    assert api().post("/api/auth/verify", {"token": token}).status_code == 400
    alice.refresh_from_db()
    assert alice.email_verified_at is None


def test_a_reset_ends_what_a_squatter_has_prepared(api, alice):
    """Pre-hijacking: the real owner resets, and session, token and link of before are dead."""
    squatter = api(alice)
    body = {"name": "later", "scopes": ["read"]}
    secret = squatter.post("/api/auth/tokens", body).json()["token"]
    ask_for_reset("testserver")
    kept = token_in(mail.outbox[-1])
    ask_for_reset("testserver")
    used = token_in(mail.outbox[-1])
    answer = api().post("/api/auth/reset/confirm", {"token": used, "new_password": NEW_PASSWORD})
    assert answer.status_code == 204
    assert squatter.get("/api/auth/me").status_code == 401
    assert api().get("/api/auth/me", HTTP_AUTHORIZATION=f"Bearer {secret}").status_code == 401
    again = api().post("/api/auth/reset/confirm", {"token": kept, "new_password": PASSWORD})
    assert again.status_code == 400


# Giving the password again, and the form that waits meanwhile


def test_a_kept_form_is_nobody_else_s(browser, alice, bob):
    """security.md 10: what one session kept, another cannot send, though it asked for nothing."""
    kept = kept_by(browser.post("/keys", KEY))
    other = Client()
    other.post("/signin", {"email": bob.email, "password": PASSWORD})
    other.post("/keys", {kept_form.FIELD: kept, "password": PASSWORD})
    again = Client()
    again.post("/signin", {"email": alice.email, "password": PASSWORD})
    again.post("/keys", {kept_form.FIELD: kept, "password": PASSWORD})
    assert not alice.api_keys.exists()
    assert not bob.api_keys.exists()


def test_a_kept_form_goes_where_it_was_sent(browser, alice):
    """security.md 10: a form for one address is not carried out at another."""
    kept = kept_by(browser.post("/profile/email", {"email": "new@example.org"}))
    browser.post("/keys", {kept_form.FIELD: kept, "password": PASSWORD})
    alice.refresh_from_db()
    assert not alice.api_keys.exists()
    assert alice.email == "alice@example.com"


def test_a_kept_form_needs_the_password(browser, alice):
    """security.md 10"""
    kept = kept_by(browser.post("/keys", KEY))
    for password in ("", "wrong password"):
        browser.post("/keys", {kept_form.FIELD: kept, "password": password})
    assert not alice.api_keys.exists()


def test_a_kept_form_dies_with_its_session(browser, alice):
    """security.md 8, 10"""
    kept = kept_by(browser.post("/keys", KEY))
    alice.sessions.all().delete()
    response = browser.post("/keys", {kept_form.FIELD: kept, "password": PASSWORD})
    assert response["Location"].startswith("/signin")
    assert not alice.api_keys.exists()


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "x",
        "é",
        "\0",
        base64.b64encode(b"\x01" * 64).decode(),
        base64.b64encode(json.dumps(["/keys", "a=b"]).encode()).decode(),
        "A" * 900_000,
    ],
    ids=["empty", "short", "letters", "nul", "no key", "plain", "large"],
)
def test_a_made_up_kept_form_changes_nothing(browser, alice, kept):
    """security.md 10, 19"""
    sent = {kept_form.FIELD: kept, "password": PASSWORD, **KEY}
    assert browser.post("/keys", sent).status_code == 302
    assert not alice.api_keys.exists()


@pytest.mark.parametrize(
    "current",
    [f"https://{EVIL}/x", f"http://testserver@{EVIL}/", f"http://testserver.{EVIL}/", "//x", "\\"],
    ids=["other", "user part", "suffix", "no scheme", "backslash"],
)
def test_htmx_cannot_send_a_browser_elsewhere(browser, alice, current):
    """security.md 10: the header with the current address is the client's, too."""
    key = make_key(alice)
    headers = {"hx-request": "true", "hx-current-url": current}
    response = browser.post(f"/keys/{key.pk}/delete", headers=headers)
    assert response["HX-Redirect"] == "/reauthenticate?next=%2F"
    assert alice.api_keys.exists()


# Credentials


def test_no_token_passes_for_another_kind(api, client, alice):
    """security.md 13: a token counts in its header alone, and each kind as what it is."""
    _, secret = make_token(alice, "read", "run", "write")
    _, jwt_ = Session.open(alice, ip=None, user_agent="")
    for value in (secret, jwt_):
        for name in ("sessionid", "token", "access_token", "Authorization"):
            client.cookies.clear()
            client.cookies[name] = value
            assert client.get("/api/auth/me").status_code == 401
            assert client.get("/profile").status_code == 302
        client.cookies.clear()
        for query in ("token", "access_token", "Authorization"):
            assert client.get("/api/auth/me", {query: value}).status_code == 401
        # Pages know cookies alone.
        bearer = {"authorization": f"Bearer {value}"}
        for page in ("/profile", "/admin/"):
            assert client.get(page, headers=bearer).status_code == 302
    for scheme in (f"Basic {secret}", f"Token {secret}", secret, f"Bearer  {secret[:-1]}"):
        assert client.get("/api/auth/me", headers={"authorization": scheme}).status_code == 401


def test_a_jwt_is_as_good_as_its_signature(api, alice, settings):
    """security.md 8: no algorithm but ours, no key but ours, no other person's session."""
    session, token = Session.open(alice, ip=None, user_agent="")
    claims = jwt.decode(token, options={"verify_signature": False})
    other = User.objects.create_user("other@example.com", PASSWORD, role="admin")
    header, body, _ = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    forged = [
        f"{none}.{body}.",
        f"{header}.{body}.",
        jwt.encode(claims, "x" * 64, algorithm="HS256"),
        jwt.encode(claims, settings.SECRET_KEY, algorithm="HS512"),
        jwt.encode({**claims, "sub": str(other.pk)}, settings.SECRET_KEY, algorithm="HS256"),
        jwt.encode({**claims, "jti": ["x"]}, settings.SECRET_KEY, algorithm="HS256"),
        jwt.encode({**claims, "exp": time.time() - 1}, settings.SECRET_KEY, algorithm="HS256"),
    ]
    for made in forged:
        answer = api().get("/api/auth/me", HTTP_AUTHORIZATION=f"Bearer {made}")
        assert answer.status_code == 401, made
    assert session.pk


def test_a_token_falls_with_its_owner(bearer, adam, alice):
    """API5: a token has what its owner has now, and never more than that."""
    theirs = make_execution(make_workflow(alice))
    User.objects.create_user("second@example.com", PASSWORD, role="admin")
    _, secret = make_token(adam, "read", "run", "write", "admin")
    client, workflow = bearer(secret), make_workflow(adam)
    assert client.get("/api/admin/users").status_code == 200
    assert client.get(f"/api/executions/{theirs.pk}").status_code == 200

    adam.role = "viewer"
    adam.save()
    assert client.get("/api/admin/users").status_code == 403
    assert client.get("/api/admin/audit.csv").status_code == 403
    assert client.get(f"/api/executions/{theirs.pk}").status_code == 404
    assert client.get(f"/api/executions/{theirs.pk}/stream").status_code == 404
    assert client.post(f"/api/workflows/{workflow.pk}/execute", {}).status_code == 403
    assert client.delete(f"/api/workflows/{workflow.pk}").status_code == 403

    adam.is_active = False
    adam.save()
    assert client.get("/api/auth/me").status_code == 401


def test_an_admin_s_token_without_the_scope_is_a_user_s(bearer, adam, alice):
    """API5: everywhere, and not only where a view asks for an administrator."""
    theirs, workflow = make_execution(make_workflow(alice)), make_workflow(alice, name="Private")
    key = make_key(alice)
    _, secret = make_token(adam, "read", "run", "write")
    client = bearer(secret)
    for path in (
        f"/api/executions/{theirs.pk}",
        f"/api/executions/{theirs.pk}/stream",
        f"/api/executions/{theirs.pk}/export",
        f"/api/workflows/{workflow.pk}",
        f"/api/workflows/{workflow.pk}/export",
        f"/api/keys/{key.pk}",
    ):
        assert client.get(path).status_code in {404, 405}, path
    for path in ("/api/executions", "/api/workflows", "/api/keys"):
        assert client.get(path).json()["results"] == [], path
    assert client.post(f"/api/executions/{theirs.pk}/cancel").status_code == 404
    assert client.post(f"/api/workflows/{workflow.pk}/execute", {}).status_code == 404
    assert client.get("/api/admin/stats").status_code == 403


def test_a_session_key_that_was_slipped_in_is_not_taken_over(client, alice):
    """security.md 9: session fixation, with a made-up key and with the attacker's own."""
    stranger = Client()
    stranger.get("/signin")
    stranger.session["planted"] = "x"
    for planted in ("a" * 43, stranger.session.session_key or "b" * 43):
        client.cookies.clear()
        client.cookies["sessionid"] = planted
        client.post("/signin", {"email": alice.email, "password": PASSWORD})
        assert client.cookies["sessionid"].value != planted
        thief = Client()
        thief.cookies["sessionid"] = planted
        assert thief.get("/profile").status_code == 302


# Requests that are not what they seem


def test_no_method_is_another(client, alice):
    """API8: neither a field nor a header makes a GET or POST into something else."""
    client.force_login(alice)
    workflow = make_workflow(alice)
    for name in ("x-http-method-override", "x-http-method", "x-method-override"):
        client.get(f"/api/workflows/{workflow.pk}", headers={name: "DELETE"})
        client.get(f"/workflows/{workflow.pk}/delete", headers={name: "POST"})
    for body in ({"_method": "DELETE"}, {"_METHOD": "DELETE"}):
        client.post(f"/api/workflows/{workflow.pk}", body)
        client.get(f"/api/workflows/{workflow.pk}", body)
        client.get(f"/workflows/{workflow.pk}/delete", body)
        client.head(f"/workflows/{workflow.pk}/delete", body)
    workflow.refresh_from_db()
    assert client.get(f"/api/workflows/{workflow.pk}").status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/csp-report",
        "",
    ],
)
def test_a_form_of_another_site_is_no_json(alice, kind):
    """security.md 13: what a browser sends across sites without asking is never read as a body."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    body = json.dumps({"name": "Mallory"})
    for headers in ({}, {"origin": f"https://{EVIL}"}, {"origin": "null"}):
        answer = strict.patch("/api/auth/me", body, content_type=kind, headers=headers)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer
    _, token = Session.open(alice, ip=None, user_agent="")
    bearer = {"authorization": f"Bearer {token}"}
    answer = Client().patch("/api/auth/me", body, content_type=kind, headers=bearer)
    assert answer.status_code == 415
    alice.refresh_from_db()
    assert alice.name == "Alice Example"


ODD = ["\0", "a\0b@example.com", "\ud800@example.com", "\udfff", "\u202e", "a@b.example\u2028x"]


@pytest.mark.parametrize("odd", ODD, ids=["nul", "nul inside", "high", "low", "rtl", "separator"])
def test_odd_characters_break_nothing(api, client, alice, odd):
    """security.md 19: no database and no log takes every character that JSON can carry."""
    body = json.dumps({"email": odd, "password": odd})
    as_json = {"content_type": "application/json"}
    for path in (LOGIN, "/api/auth/register", "/api/auth/reset"):
        assert client.post(path, body, **as_json).status_code in {400, 401}, path
    body = json.dumps({"token": odd, "new_password": odd})
    for path in ("/api/auth/reset/confirm", "/api/auth/verify"):
        assert client.post(path, body, **as_json).status_code == 400, path
    signed_in = api(alice)
    for name in ("name", "email"):
        answer = signed_in.patch("/api/auth/me", json.dumps({name: odd}), **as_json)
        assert answer.status_code in {200, 400}, name
    body = json.dumps({"name": odd, "scopes": [odd]})
    answer = signed_in.post("/api/auth/tokens", body, **as_json)
    assert answer.status_code == 400
    sent = odd.encode(errors="replace").decode()
    for path in ("/signin", "/signup", "/reset"):
        form = {"email": sent, "password": sent, "next": sent}
        assert client.post(path, form).status_code in {302, 400, 401, 422}, path


def test_no_line_of_the_audit_log_is_a_stranger_s(api, alice):
    """security.md 5: neither new lines nor escape sequences, by names and by paths."""
    forged = 'x@example.com\n2026-11-22 INFO Signed in: user root\x1b[2K"'
    log_in(api(), forged)
    api(alice).get("/api/admin/users%0AFORGED")
    api(alice).get("/api/admin/users", headers={"user-agent": "x\nFORGED", "x-request-id": "a\nb"})
    found = labels("user.sign_in_failed") + labels("user.refused")
    assert len(found) == 2
    assert all(label.isprintable() for label in found)


def test_the_audit_file_runs_nothing(api, adam):
    """security.md 25: an address may begin as a formula does, and administrators open the file."""
    for address in ("=1+1@example.com", "+cmd@example.com", "-2@example.com"):
        log_in(api(), address)
    answer = api(adam).get("/api/admin/audit.csv")
    file = b"".join(answer.streaming_content).decode()
    for address in ("=1+1@example.com", "+cmd@example.com", "-2@example.com"):
        assert f'"\'{address}"' in file
        assert f'"{address}"' not in file
