"""/signup"""

import pytest
from django.test import Client

from accounts.models import Role, User
from tests.accounts.letters import letter, path_in

URL = "/signup"
NEW = {"name": "Nora New", "email": "nora@example.com", "password": "correct horse battery"}


@pytest.mark.django_db
def test_makes_an_account_and_signs_in(client):
    response = client.post(URL, NEW)
    assert (response.status_code, response["Location"]) == (302, "/dashboard")
    nora = User.objects.get(email="nora@example.com")
    assert (nora.name, nora.role, nora.is_active) == ("Nora New", Role.USER, True)
    assert client.session["_auth_user_id"] == str(nora.pk)


@pytest.mark.django_db
def test_a_posted_role_is_ignored(client):
    # security.md 3.
    client.post(URL, {**NEW, "role": "admin", "is_staff": "on", "is_superuser": "on", "id": "1"})
    assert User.objects.get(email="nora@example.com").role == Role.USER


def test_a_taken_address_is_said_at_its_field(client, alice):
    response = client.post(URL, {**NEW, "email": "Alice@Example.com"})
    assert response.status_code == 409
    body = response.content.decode()
    assert "There is an account with this e-mail address already." in body
    assert 'id="id_email_error"' in body
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["short", "password", "1234567890123", "nora@example.com"])
def test_a_weak_password_is_said_at_its_field(client, password):
    response = client.post(URL, {**NEW, "password": password})
    assert response.status_code == 400
    assert 'id="id_password_error"' in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields", [{"email": ""}, {"email": "nora"}, {"password": ""}, {"name": "x" * 151}]
)
def test_wrong_input(client, fields):
    response = client.post(URL, {**NEW, **fields})
    assert response.status_code == 422
    assert b'aria-invalid="true"' in response.content
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_name_is_escaped(client):
    response = client.post(URL, {**NEW, "name": "<script>alert(1)</script>", "email": ""})
    assert b"<script>alert" not in response.content


@pytest.mark.django_db
def test_closed_registration(client, settings):
    settings.REGISTRATION_OPEN = False
    assert client.get(URL).status_code == 403
    response = client.post(URL, NEW)
    assert response.status_code == 403
    assert "Sign-up is closed here" in response.content.decode()
    assert not User.objects.exists()
    assert b"/signup" not in client.get("/signin").content


@pytest.mark.django_db
def test_never_leaves_the_site(client):
    assert client.post(URL, {**NEW, "next": "//evil.example"})["Location"] == "/dashboard"


@pytest.mark.django_db
def test_needs_a_csrf_token():
    assert Client(enforce_csrf_checks=True).post(URL, NEW).status_code == 403
    assert not User.objects.exists()


def test_someone_signed_in_goes_on(client, alice):
    client.force_login(alice)
    assert client.get(URL)["Location"] == "/dashboard"


@pytest.mark.django_db
def test_wrong_method(client):
    assert client.delete(URL).status_code == 405


@pytest.mark.django_db
def test_sends_a_link_to_verify_the_address(client):
    client.post(URL, NEW)
    assert letter().to == ["nora@example.com"]
    assert client.post(path_in(letter()))["Location"] == "/profile"
    assert User.objects.get().email_verified


@pytest.mark.django_db
def test_signs_nobody_in_where_the_address_must_be_proven(client, settings):
    settings.REQUIRE_VERIFIED_EMAIL = True
    response = client.post(URL, NEW, follow=True)
    assert response.redirect_chain == [("/signin", 302)]
    assert "We have sent a mail to nora@example.com." in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_says_which_domains_are_taken(client, settings):
    settings.REGISTRATION_DOMAINS = ["good.example", "fine.example"]
    assert "good.example or fine.example" in client.get(URL).content.decode()
    response = client.post(URL, {**NEW, "email": "nora@sub.good.example"})
    assert response.status_code == 403
    assert b'id="id_email_error"' in response.content
    assert not User.objects.exists()
    assert client.post(URL, {**NEW, "email": "Nora@FINE.example"}).status_code == 302


@pytest.mark.django_db
def test_a_strange_address_is_said_at_its_field(client):
    response = client.post(URL, {**NEW, "email": "n\u0131ra@example.com"})
    assert response.status_code == 400
    assert b'id="id_email_error"' in response.content
