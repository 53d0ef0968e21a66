"""The mails about an account. Their links lead to SITE_URL, else to where the request was sent.

None has the person's name in it: whoever signs up with somebody else's address would write to them
through us.
"""

from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse

from accounts import links
from accounts.models import User
from hummbl import counters, mail
from hummbl.ratelimit import Limit

_HOUR: Final = 3600


def send_reset(request: HttpRequest, user: User | None, address: str) -> None:
    """Send the link to set a new password; nothing for None, which takes just as long.

    To the address that the account has, never to one that was typed and only looks like it.
    """
    # Somebody who is nowhere, so that every step below is taken for them, too.
    known = user or User(email=address)
    message = _with_link(request, "reset", known, links.reset)
    if not _is_welcome("reset", known.email) or user is None:
        message.to = []
    mail.send(message)


def send_verification(request: HttpRequest, user: User) -> None:
    """Send the link that proves the address, unless it is proven."""
    if not user.email_verified and _is_welcome("verify", user.email):
        mail.send(_with_link(request, "verify", user, links.verification))


def send_password_changed(request: HttpRequest, user: User) -> None:
    """Tell the owner, who may not have been the one."""
    if _is_welcome("password_changed", user.email):
        again = mail.absolute(request, reverse("reset"))
        mail.send(_compose(request, "password_changed", user, user.email, reset=again))


def send_email_changed(request: HttpRequest, user: User, old: str) -> None:
    """Tell the old address which one it is now."""
    if _is_welcome("email_changed", old):
        mail.send(_compose(request, "email_changed", user, old, old=old))


def _with_link(request: HttpRequest, template: str, user: User, kind: links.Links) -> EmailMessage:
    link = kind.address(request, user)
    return _compose(request, template, user, user.email, link=link, hours=kind.timeout // _HOUR)


def _compose(
    request: HttpRequest, template: str, user: User, to: str, **context: Any
) -> EmailMessage:
    site = mail.absolute(request, "/")
    name = f"accounts/mail/{template}.txt"
    return mail.compose(name, [to], email=user.email, site=site, **context)


def _is_welcome(kind: str, address: str) -> bool:
    """Count a mail that anybody can cause: nobody fills the mailbox of somebody else.

    Notices count too: an account can have an address that was never proven to be its owner's.
    """
    limit = Limit.parse(settings.RATE_LIMIT_MAIL)
    if limit is None:
        return True
    count, _ = counters.hit("\0".join(["mail", kind, address]), limit.seconds)
    return count <= limit.count
