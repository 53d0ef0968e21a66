"""/signout"""

from django.test import Client


def test_ends_the_session(client, alice):
    client.force_login(alice)
    response = client.post("/signout")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert "_auth_user_id" not in client.session


def test_is_harmless_to_strangers(client, db):
    assert client.post("/signout").status_code == 302


def test_a_link_cannot_sign_anyone_out(client, alice):
    client.force_login(alice)
    response = client.get("/signout")
    assert response.status_code == 405
    assert "That does not work from here" in response.content.decode()
    assert "_auth_user_id" in client.session


def test_needs_a_csrf_token(alice):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post("/signout").status_code == 403
    assert "_auth_user_id" in strict.session
