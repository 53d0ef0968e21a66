"""What `manage.py check --deploy` says about accounts."""

import pytest

from accounts.checks import check_mail, check_registration_domains

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
