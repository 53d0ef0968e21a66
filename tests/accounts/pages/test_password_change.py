"""/profile/password"""

from django.core import mail
from django.test import Client

from accounts.models import Session, User
from tests.factories import PASSWORD

URL = "/profile/password"
NEW = "staple battery horse"


def post(client, current=PASSWORD, new=NEW):
    return client.post(URL, {"current_password": current, "new_password": new})


def test_changes_it_and_keeps_this_browser_signed_in(client, alice):
    client.force_login(alice)
    assert post(client)["Location"] == "/profile"
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert client.get("/profile").status_code == 200


def test_signs_out_everything_else(client, alice):
    # security.md 8.
    other = Client()
    other.force_login(alice)
    Session.open(alice, ip=None, user_agent="curl")
    client.force_login(alice)
    post(client)
    assert other.get("/profile").status_code == 302
    assert client.get("/profile").status_code == 200
    assert [session.kind for session in alice.sessions.all()] == ["browser"]


def test_a_wrong_current_password_is_said_at_its_field(client, alice):
    client.force_login(alice)
    response = post(client, current="wrong")
    assert response.status_code == 400
    assert 'id="id_current_password_error"' in response.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_weak_new_password_is_said_at_its_field(client, alice):
    client.force_login(alice)
    response = post(client, new="12345678")
    assert response.status_code == 400
    assert 'id="id_new_password_error"' in response.content.decode()


def test_empty_input(client, alice):
    client.force_login(alice)
    assert post(client, current="", new="").status_code == 422


def test_never_shows_what_was_typed(client, alice):
    client.force_login(alice)
    body = post(client, current="wrong-secret", new="new-secret").content
    assert b"wrong-secret" not in body
    assert b"new-secret" not in body


def test_strangers_sign_in_first(client, db):
    assert client.get(URL)["Location"] == "/signin?next=/profile/password"


def test_needs_a_csrf_token(alice):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert post(strict).status_code == 403


def test_wrong_method(client, alice):
    client.force_login(alice)
    assert client.put(URL).status_code == 405


def test_attempts_are_limited(client, alice, limits):
    limits(AUTH="1/m")
    client.force_login(alice)
    assert post(client, current="wrong").status_code == 400
    assert post(client).status_code == 429
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_tells_the_owner_by_mail(client, alice):
    client.force_login(alice)
    post(client, current="wrong")
    assert mail.outbox == []
    post(client)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["alice@example.com"], "Your HUMMBL password was changed")
    assert NEW not in sent.body


def test_of_two_changes_at_the_same_moment_one_is_first(client, alice, monkeypatch):
    """The current password was checked by both before either wrote."""
    client.force_login(alice)
    check = User.check_password

    def somebody_is_faster(user, password):
        known = check(user, password)
        User.objects.filter(pk=user.pk).update(password="md5$first")
        return known

    monkeypatch.setattr(User, "check_password", somebody_is_faster)
    assert post(client).status_code == 409
    alice.refresh_from_db()
    assert alice.password == "md5$first"
