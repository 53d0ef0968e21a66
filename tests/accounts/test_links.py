"""The tokens in links: who they are for, how long, how often, and nothing else."""

import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import addresses, links, resets
from accounts.errors import InvalidLink
from accounts.models import User

KINDS = {"reset": links.reset, "verification": links.verification}
NEW = "an entirely new phrase"


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return KINDS[request.param]


def is_valid(kind, token):
    try:
        kind.user_of(token)
    except InvalidLink:
        return False
    return True


def test_names_its_user(kind, alice, bob):
    assert kind.user_of(kind.token(alice)) == alice
    assert kind.user_of(kind.token(bob)) == bob


def test_a_second_link_leaves_the_first_alive(kind, alice, clock):
    first = kind.token(alice)
    clock.advance(5)
    assert is_valid(kind, kind.token(alice))
    assert is_valid(kind, first)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(links.reset, 3600), (links.verification, 24 * 3600)],
    ids=["reset", "verification"],
)
def test_expires_to_the_second(kind, seconds, alice, clock):
    token = kind.token(alice)
    clock.advance(seconds)
    assert is_valid(kind, token)
    clock.advance(1)
    assert not is_valid(kind, token)


def test_is_nothing_before_its_time(kind, alice, clock):
    token = kind.token(alice)
    clock.advance(-1)
    assert not is_valid(kind, token)


def test_one_kind_never_passes_as_the_other(alice):
    assert not is_valid(links.reset, links.verification.token(alice))
    assert not is_valid(links.verification, links.reset.token(alice))


def test_a_token_of_one_user_does_not_fit_another(kind, alice, bob):
    of_alice, of_bob = kind.token(alice), kind.token(bob)
    name, _, _ = of_bob.partition(".")
    _, _, signed = of_alice.partition(".")
    assert not is_valid(kind, f"{name}.{signed}")


def test_a_deactivated_user_has_no_links(kind, alice):
    token = kind.token(alice)
    alice.is_active = False
    alice.save()
    assert not is_valid(kind, token)


def test_a_deleted_user_has_no_links(kind, alice):
    token = kind.token(alice)
    alice.delete()
    assert not is_valid(kind, token)


def test_another_secret_signs_other_links(kind, alice, settings):
    token = kind.token(alice)
    settings.SECRET_KEY = "x" * 60
    assert not is_valid(kind, token)
    settings.SECRET_KEY_FALLBACKS = []


def test_a_former_secret_is_still_taken(kind, alice, settings):
    token, former = kind.token(alice), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 60, [former]
    assert is_valid(kind, token)


@pytest.mark.parametrize(
    "change",
    [
        {"email": "other@example.com"},
        {"password": "md5$else"},
        {"is_active": False},
    ],
    ids=["address", "password", "deactivation"],
)
def test_a_reset_link_dies_with_what_it_is_about(change, alice):
    token = links.reset.token(alice)
    User.objects.filter(pk=alice.pk).update(**change)
    assert not is_valid(links.reset, token)


def test_a_reset_link_dies_with_a_sign_in(client, alice):
    from tests.factories import PASSWORD

    token = links.reset.token(alice)
    client.post("/signin", {"email": alice.email, "password": PASSWORD})
    assert not is_valid(links.reset, token)


def test_a_verification_link_is_for_its_address_only(alice):
    token = links.verification.token(alice)
    User.objects.filter(pk=alice.pk).update(email="other@example.com")
    assert not is_valid(links.verification, token)


def test_a_verification_link_outlives_a_new_password_and_a_sign_in(client, alice):
    from tests.factories import PASSWORD

    token = links.verification.token(alice)
    client.post("/signin", {"email": alice.email, "password": PASSWORD})
    User.objects.filter(pk=alice.pk).update(password="md5$else")
    assert is_valid(links.verification, token)


def test_a_reset_link_is_for_one_use(rf, alice):
    token = links.reset.token(alice)
    resets.confirm(rf.post("/"), token, NEW)
    with pytest.raises(InvalidLink):
        resets.confirm(rf.post("/"), token, NEW)


def test_a_verification_link_is_for_one_use(alice):
    token = links.verification.token(alice)
    addresses.verify(token)
    with pytest.raises(InvalidLink):
        addresses.verify(token)


@pytest.mark.parametrize("use", ["reset", "verification"])
def test_of_two_who_use_a_link_at_the_same_moment_one_is_first(rf, alice, monkeypatch, use):
    """The check was passed by both before either wrote."""
    kind = KINDS[use]
    token, checked = kind.token(alice), User.objects.get(pk=alice.pk)
    monkeypatch.setattr(type(kind), "user_of", lambda _self, _token: checked)

    def spend():
        if use == "reset":
            resets.confirm(rf.post("/"), token, NEW)
        else:
            addresses.verify(token)

    change = (
        {"password": "md5$first"} if use == "reset" else {"email_verified_at": alice.created_at}
    )
    User.objects.filter(pk=alice.pk).update(**change)
    with pytest.raises(InvalidLink):
        spend()


def test_a_changed_token_is_none(kind, alice):
    token = kind.token(alice)
    for index, char in enumerate(token):
        for other in {"0", "A", "-", "."} - {char}:
            changed = f"{token[:index]}{other}{token[index + 1 :]}"
            # The last letters of the id hold bits that belong to no byte.
            assert index == 21 or not is_valid(kind, changed)


@pytest.mark.once
@pytest.mark.django_db
@given(
    st.one_of(
        st.text(),
        st.text(alphabet=string.ascii_letters + string.digits + "-_.", max_size=90),
        st.builds(
            "{}.{}-{}".format,
            st.uuids().map(links._short),
            st.text(alphabet=string.digits + string.ascii_lowercase, min_size=1, max_size=13),
            st.text(alphabet="0123456789abcdef", min_size=32, max_size=32),
        ),
        st.text(alphabet=st.characters(categories=["Cs", "Cc", "Nd"])),
    )
)
def test_any_text_is_an_invalid_link_and_nothing_worse(text):
    assert not is_valid(links.reset, text)
    assert not is_valid(links.verification, text)


@given(st.uuids())
def test_an_id_comes_back(pk):
    assert links._long(links._short(pk)) == uuid.UUID(str(pk))
