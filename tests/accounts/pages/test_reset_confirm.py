"""/reset/confirm?token="""

import pytest
from django.test import Client

from accounts import links
from tests.factories import PASSWORD

NEW = "an entirely new phrase"


def url(token):
    return f"/reset/confirm?token={token}"


@pytest.fixture
def page(alice):
    """The address in a fresh link of Alice."""
    return url(links.reset.token(alice))


def test_asks_for_the_new_password(client, page):
    response = client.get(page)
    assert response.status_code == 200
    assert "alice@example.com" in response.content.decode()


def test_sets_it_and_sends_to_the_sign_in(client, alice, page):
    response = client.post(page, {"new_password": NEW}, follow=True)
    assert response.redirect_chain == [("/signin", 302)]
    assert "Your new password is set." in response.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert not alice.sessions.exists()


def test_signs_this_browser_out_too(client, alice):
    client.force_login(alice)
    response = client.post(url(links.reset.token(alice)), {"new_password": NEW}, follow=True)
    assert response.status_code == 200
    assert "Your new password is set." in response.content.decode()
    assert client.get("/profile").status_code == 302


def test_a_used_link_offers_a_new_one(client, page):
    client.post(page, {"new_password": NEW})
    for response in (client.get(page), client.post(page, {"new_password": "yet another phrase"})):
        assert response.status_code == 400
        body = response.content.decode()
        assert "This link no longer works" in body
        assert 'href="/reset"' in body


def test_an_expired_link_offers_a_new_one(client, alice, clock):
    page = url(links.reset.token(alice))
    clock.advance(3601)
    assert client.get(page).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    ["", "?token=", "?token=x", "?token=%00", "?token=%ED%A0%80", "?token=%FF", "?token[]=x"],
    ids=["none", "empty", "x", "nul", "surrogate", "no-utf8", "list"],
)
def test_any_other_link_is_explained(client, query):
    for response in (
        client.get(f"/reset/confirm{query}"),
        client.post(f"/reset/confirm{query}", {"new_password": NEW}),
    ):
        assert response.status_code == 400
        assert "This link no longer works" in response.content.decode()


def test_a_token_in_the_body_counts_for_nothing(client, alice):
    token = links.reset.token(alice)
    response = client.post("/reset/confirm", {"token": token, "new_password": NEW})
    assert response.status_code == 400


def test_a_weak_password_is_said_at_its_field(client, alice, page):
    response = client.post(page, {"new_password": "password"})
    assert response.status_code == 400
    assert b'id="id_new_password_error"' in response.content
    assert b'value="password"' not in response.content
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_nothing_keeps_the_page_or_tells_its_address(client, page):
    for response in (client.get(page), client.get(url("x")), client.post(page, {})):
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "strict-origin"


def test_is_limited(client, page, limits):
    limits(AUTH="1/m")
    assert client.post(page, {"new_password": "password"}).status_code == 400
    assert client.post(page, {"new_password": NEW}).status_code == 429


def test_needs_a_csrf_token(page):
    response = Client(enforce_csrf_checks=True).post(page, {"new_password": NEW})
    assert response.status_code == 403


def test_wrong_method(client, page):
    assert client.put(page).status_code == 405
