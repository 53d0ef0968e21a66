from tests.factories import make_key
from workflows.models import ApiKey


def url(key, action="toggle"):
    return f"/keys/{key.pk}/{action}"


def active():
    return ApiKey.objects.get().is_active


def test_stops_and_allows(browse, alice):
    key, client = make_key(alice), browse(alice)
    assert client.post(url(key), {"active": "false"})["Location"] == "/keys"
    assert not active()
    client.post(url(key), {"active": "true"})
    assert active()


def test_an_admin_may_only_stop(browse, alice, adam):
    key, client = make_key(alice), browse(adam)
    client.post(url(key), {"active": "false"})
    assert not active()
    assert client.post(url(key), {"active": "true"}).status_code == 403
    assert not active()


def test_another_s_is_not_found(browse, alice, bob):
    assert browse(bob).post(url(make_key(alice))).status_code == 404


def test_who_became_a_viewer_may_not(browse, alice):
    key = make_key(alice)
    alice.role = "viewer"
    alice.save()
    assert browse(alice).post(url(key)).status_code == 403
    assert browse(alice).post(url(key, "delete")).status_code == 403


def test_strangers_sign_in_first(browse, alice):
    assert browse().post(url(make_key(alice)))["Location"].startswith("/signin")


def test_a_link_does_nothing(browse, alice):
    key = make_key(alice)
    assert browse(alice).get(url(key)).status_code == 405
    assert browse(alice).get(url(key, "delete")).status_code == 405
    assert active()


def test_deletes(browse, alice):
    browse(alice).post(url(make_key(alice), "delete"))
    assert not ApiKey.objects.exists()


def test_an_admin_deletes(browse, alice, adam):
    browse(adam).post(url(make_key(alice), "delete"))
    assert not ApiKey.objects.exists()


def test_another_s_is_not_deleted(browse, alice, bob):
    assert browse(bob).post(url(make_key(alice), "delete")).status_code == 404
    assert ApiKey.objects.exists()
