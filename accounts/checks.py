"""System checks for what `manage.py check`, with and without `--deploy`, says about accounts."""

import re
from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

from hummbl import mail

_ORIGIN: Final = re.compile(r"https?://[^/?#\s@]+")


@register(Tags.security, deploy=True)
def check_mail(**_kwargs: Any) -> list[CheckMessage]:
    """Links that sign people in reach their mailbox, and no log."""
    if not mail.goes_nowhere():
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


@register(Tags.security)
def check_site_url(**_kwargs: Any) -> list[CheckMessage]:
    """The links in mails lead to this site, over TLS in production."""
    site = settings.SITE_URL
    if not site or (_ORIGIN.fullmatch(site) and (site[:6] == "https:" or not settings.PRODUCTION)):
        return []
    return [
        checks.Error(
            f"SITE_URL is {site!r}.",
            hint="Write scheme and host alone, such as https://hummbl.example.org.",
            id="accounts.E001",
        )
    ]


@register(Tags.security, deploy=True)
def check_links(**_kwargs: Any) -> list[CheckMessage]:
    """A link that signs somebody in cannot be sent to a host of a stranger's choice."""
    if settings.SITE_URL or not any(host.startswith(".") for host in settings.ALLOWED_HOSTS):
        return []
    return [
        checks.Warning(
            "ALLOWED_HOSTS allows every subdomain, and the links in mails lead to the one that a "
            "request was sent to, whoever sent it.",
            hint="Set SITE_URL to where the links should lead.",
            id="accounts.W003",
        )
    ]
