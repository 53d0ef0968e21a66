"""System checks for what `manage.py check --deploy` should say about accounts."""

from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

_SENDS_NOTHING: Final = ("console", "locmem", "dummy", "filebased")


@register(Tags.security, deploy=True)
def check_mail(**_kwargs: Any) -> list[CheckMessage]:
    """Links that sign people in reach their mailbox, and no log."""
    if settings.EMAIL_BACKEND.split(".")[-2] not in _SENDS_NOTHING:
        return []
    return [
        checks.Warning(
            "Mail is not sent: links to reset a password are kept on this machine, for whoever "
            "reads its logs or files.",
            hint="Set EMAIL_URL to a mail server, such as smtp+tls://user:password@host:587.",
            id="accounts.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_registration_domains(**_kwargs: Any) -> list[CheckMessage]:
    """Who may sign up has shown to be who they say."""
    if not settings.REGISTRATION_DOMAINS or settings.REQUIRE_VERIFIED_EMAIL:
        return []
    return [
        checks.Warning(
            "REGISTRATION_DOMAINS keeps nobody out: anyone can sign up with an address at these "
            "domains that is not theirs.",
            hint="Set REQUIRE_VERIFIED_EMAIL=on.",
            id="accounts.W002",
        )
    ]
