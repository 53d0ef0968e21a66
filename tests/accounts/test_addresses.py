"""Which addresses are taken in, and at which domains."""

import pytest

from accounts import addresses
from accounts.errors import DomainRefused, EmailRefused
from accounts.models import User


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Alice@Example.COM ", "alice@example.com"),
        ("a.b+c@example.com", "a.b+c@example.com"),
        ("a@BÜCHER.example", "a@bücher.example"),
        ("a@bu\u0308cher.example", "a@bücher.example"),
    ],
    ids=["case", "plus", "unicode-domain", "decomposed"],
)
def test_is_kept_in_one_form(typed, kept):
    assert addresses.clean(typed) == kept


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "alice@",
        "@example.com",
        "alice@example.com.",
        "a@evil.example@good.org",
        "alice@example.com\nBcc: b@example.com",
        "alice@example.com\r\nBcc: b@example.com",
        '"a\x01b"@example.com',
        '"a\r\nb"@example.com',
        "al\u0131ce@example.com",
        "\u212aevin@example.com",
        "\u017fam@example.com",
        "a b@example.com",
        "alice@exa mple.com",
        "Alice <alice@example.com>",
        "alice@example.com,bob@example.com",
        '"see https://evil.example"@evil.example',
        "alice@example.\u202ecom",
        "alice@example.com\u2028x",
    ],
    ids=[
        *("empty", "no-at", "no-domain", "no-name", "trailing-dot", "two-ats"),
        *("newline", "crlf", "control", "quoted-crlf", "dotless-i", "kelvin", "long-s"),
        *("space", "space-in-domain", "display-name", "two", "quoted", "bidi", "separator"),
    ],
)
def test_is_refused(address):
    with pytest.raises(EmailRefused):
        addresses.clean(address)


@pytest.mark.parametrize(
    "listed",
    [["good.org"], ["other.net", "good.org"], ["GOOD.org."]],
    ids=["one", "second", "sloppy"],
)
def test_a_listed_domain(settings, listed):
    settings.REGISTRATION_DOMAINS = listed
    addresses.check_domain("a@good.org")


@pytest.mark.parametrize(
    "address",
    [
        "a@evil.net",
        "a@sub.good.org",
        "a@notgood.org",
        "a@good.org.evil.net",
        "a@org",
        '"a@good.org"@evil.net',
        "a@ｇood.org",
        "a@g\u043e\u043ed.org",
        "good.org@evil.net",
    ],
    ids=[
        *("other", "subdomain", "suffix", "prefix", "parent", "quoted"),
        *("fullwidth", "cyrillic", "as-name"),
    ],
)
def test_any_other_domain(settings, address):
    settings.REGISTRATION_DOMAINS = ["good.org"]
    with pytest.raises(DomainRefused, match=r"good\.org") as refused:
        addresses.check_domain(address)
    assert refused.value.details["errors"][0]["path"] == "email"


@pytest.mark.parametrize("listed", ["bücher.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize("given", ["bücher.example", "xn--bcher-kva.example"])
def test_both_forms_of_a_domain_count(settings, listed, given):
    settings.REGISTRATION_DOMAINS = [listed]
    addresses.check_domain(addresses.clean(f"a@{given}"))


def test_what_was_typed_is_never_converted(settings):
    """Python's codec would make `strasse.example`, another owner's domain, of it."""
    settings.REGISTRATION_DOMAINS = ["strasse.example"]
    with pytest.raises(DomainRefused):
        addresses.check_domain("a@straße.example")


def test_no_list_takes_all():
    addresses.check_domain("a@anything.example")


def test_two_addresses_that_are_alike_in_capitals_are_two(db, client):
    """PostgreSQL writes the dotless i as I, too: nobody's sign-in breaks by a stranger's name."""
    from tests.factories import PASSWORD, make_user

    alice = make_user("alice@example.com")
    make_user("al\u0131ce@example.com")
    assert User.objects.get_by_natural_key("ALICE@example.com") == alice
    assert client.post("/signin", {"email": alice.email, "password": PASSWORD}).status_code == 302
