"""What `manage.py check --deploy` says about accounts."""

import pytest

from accounts.checks import check_links, check_mail, check_registration_domains, check_site_url

SMTP = "django.core.mail.backends.smtp.EmailBackend"
CONSOLE = "django.core.mail.backends.console.EmailBackend"


@pytest.mark.parametrize(("backend", "said"), [(SMTP, []), (CONSOLE, ["accounts.W001"])])
def test_reset_links_are_not_for_the_log(settings, backend, said):
    settings.EMAIL_BACKEND = backend
    assert [found.id for found in check_mail()] == said


@pytest.mark.parametrize(
    ("domains", "required", "said"),
    [
        ([], False, []),
        (["good.example"], True, []),
        (["good.example"], False, ["accounts.W002"]),
    ],
    ids=["any-domain", "proven", "claimed"],
)
def test_a_domain_is_worth_what_its_proof_is(settings, domains, required, said):
    settings.REGISTRATION_DOMAINS, settings.REQUIRE_VERIFIED_EMAIL = domains, required
    assert [found.id for found in check_registration_domains()] == said


@pytest.mark.parametrize(
    ("site", "production", "said"),
    [
        ("", True, []),
        ("https://hummbl.example.org", True, []),
        ("https://hummbl.example.org:8443", True, []),
        ("http://localhost:8000", False, []),
        ("http://hummbl.example.org", True, ["accounts.E001"]),
        ("hummbl.example.org", False, ["accounts.E001"]),
        ("https://hummbl.example.org/app", True, ["accounts.E001"]),
        ("https://user@hummbl.example.org", True, ["accounts.E001"]),
    ],
    ids=["none", "host", "port", "local", "not-tls", "no-scheme", "path", "user"],
)
def test_the_site_is_an_origin(settings, site, production, said):
    settings.SITE_URL, settings.PRODUCTION = site, production
    assert [found.id for found in check_site_url()] == said


@pytest.mark.parametrize(
    ("hosts", "site", "said"),
    [
        (["a.example"], "", []),
        ([".a.example"], "", ["accounts.W003"]),
        ([".a.example"], "https://a.example", []),
    ],
    ids=["names", "subdomains", "set"],
)
def test_links_do_not_follow_every_subdomain(settings, hosts, site, said):
    settings.ALLOWED_HOSTS, settings.SITE_URL = hosts, site
    assert [found.id for found in check_links()] == said
