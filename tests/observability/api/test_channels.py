"""/api/channels. The address of a webhook and its secret never come out."""

import pytest
from django.core import mail

from hummbl.rotation import Rotation
from observability.models import NotificationChannel

URL = "/api/channels"
HOOK = "https://hooks.example.com/services/T0/canary?sig=canary"


@pytest.fixture
def channel(adam):
    return NotificationChannel.create(by=adam, kind="webhook", name="Hook", url=HOOK)[0]


def test_a_webhook_whose_secret_is_shown_once(api, adam):
    response = api(adam).post(URL, {"kind": "webhook", "name": "Chat", "url": HOOK})
    assert response.status_code == 201
    said = response.json()
    assert (said["host"], len(said["secret"])) == ("hooks.example.com", 43)
    again = api(adam).get(f"{URL}/{said['id']}")
    assert "secret" not in again.json()
    assert "url" not in again.json()
    assert "canary" not in response.content.decode() + again.content.decode()
    channel = NotificationChannel.objects.get(name="Chat")
    assert channel.address_and_secret() == (HOOK, said["secret"])


def test_mailboxes(api, adam):
    body = {"kind": "email", "name": "On call", "addresses": ["a@example.com", "a@example.com"]}
    said = api(adam).post(URL, body).json()
    assert (said["addresses"], said["secret"]) == (["a@example.com"], "")


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "webhook"},
        {"kind": "webhook", "url": "http://hooks.example.com/x"},
        {"kind": "webhook", "url": "https://127.0.0.1/x"},
        {"kind": "webhook", "url": "https://169.254.169.254/latest"},
        {"kind": "webhook", "url": "https://user:pw@hooks.example.com/x"},
        {"kind": "webhook", "url": "https://hooks.example.com/x#y"},
        {"kind": "webhook", "url": "https://hooks.example.com/x?a=b\nc"},
        {"kind": "webhook", "url": HOOK, "addresses": ["a@example.com"]},
        {"kind": "email", "url": HOOK},
        {"kind": "email", "addresses": ["nobody"]},
        {"kind": "email", "addresses": ["a@example.com\nBcc: b@example.com"]},
        {"kind": "email", "addresses": [f"{n}@example.com" for n in range(21)]},
        {"kind": "pigeon"},
        {"kind": "email", "secret": "mine"},
        {"kind": "email", "host": "mine"},
    ],
)
def test_what_cannot_be_reached_is_refused(api, adam, body):
    assert api(adam).post(URL, {"name": "New", **body}).status_code == 400
    assert not NotificationChannel.objects.filter(name="New").exists()


def test_a_change_keeps_address_and_secret(api, adam, channel):
    before = channel.address_and_secret()
    response = api(adam).patch(f"{URL}/{channel.pk}", {"name": "Renamed", "is_active": False})
    assert (response.status_code, response.json()["name"]) == (200, "Renamed")
    channel.refresh_from_db()
    assert channel.address_and_secret() == before
    other = "https://other.example.com/y"
    assert api(adam).patch(f"{URL}/{channel.pk}", {"url": other}).json()["host"] == (
        "other.example.com"
    )
    channel.refresh_from_db()
    assert channel.address_and_secret() == (other, before[1])
    assert api(adam).patch(f"{URL}/{channel.pk}", {"kind": "email"}).status_code == 400


def test_a_name_is_given_once(api, adam, channel):
    response = api(adam).post(URL, {"kind": "email", "name": channel.name})
    assert (response.status_code, response.json()["code"]) == (409, "name_taken")


def test_the_test_says_what_became_of_it(api, adam, channel, monkeypatch):
    mailbox = NotificationChannel.objects.get(kind="email")
    said = api(adam).post(f"{URL}/{mailbox.pk}/test").json()
    assert (said["event"], said["state"], said["attempts"]) == ("test", "sent", 1)
    assert mail.outbox[0].to == [adam.email]
    assert mailbox.name in mail.outbox[0].subject

    def refuse(message):
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    said = api(adam).post(f"{URL}/{mailbox.pk}/test").json()
    assert said["state"] == "failed"
    assert "Connection refused" in said["error"]


def test_deleted_for_good(api, adam, channel):
    assert api(adam).delete(f"{URL}/{channel.pk}").status_code == 204
    assert api(adam).get(f"{URL}/{channel.pk}").status_code == 404


def test_secrets_move_under_a_new_key(channel, settings):
    from hummbl.encryption import generate_key

    before = channel.address_and_secret()
    settings.ENCRYPTION_KEYS = [generate_key(), *settings.ENCRYPTION_KEYS]
    rotation = Rotation()
    rotation.rotate()
    assert (rotation.rotated, rotation.unreadable) == (2, [])
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    channel.refresh_from_db()
    assert channel.address_and_secret() == before


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("alice", 403), ("vera", 403)])
def test_for_administrators_alone(api, request, channel, who, status):
    client = api(request.getfixturevalue(who) if who else None)
    assert client.get(URL).status_code == status
    assert client.post(URL, {"kind": "email", "name": "x"}).status_code == status
    for method in ("get", "patch", "delete"):
        assert getattr(client, method)(f"{URL}/{channel.pk}").status_code == status
    assert client.post(f"{URL}/{channel.pk}/test").status_code == status
