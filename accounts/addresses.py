"""E-mail addresses: which ones are taken in, proving that one is its owner's, changing it."""

import logging
import unicodedata
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, links, mail
from accounts.errors import (
    AlreadyVerified,
    DomainRefused,
    EmailRefused,
    EmailTaken,
    InvalidLink,
)
from accounts.models import Action, User

logger = logging.getLogger(__name__)


def clean(address: str) -> str:
    """The address as it is kept: trimmed, in small letters. Raises EmailRefused."""
    address = address.strip()
    name = address.rpartition("@")[0]
    # Django's pattern takes four letters for ASCII that are not (the dotless i is one), whole
    # sentences between quotes, which our mails would carry to others, and in a domain characters
    # that turn the direction of a line or begin a new one.
    if not (name.isascii() and address.isprintable()) or '"' in name:
        raise EmailRefused
    address = unicodedata.normalize("NFC", address).lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise EmailRefused from error
    return address


def check_domain(address: str) -> None:
    """Refuse an address outside of REGISTRATION_DOMAINS, if there are any. Raises DomainRefused.

    A subdomain is another domain. Of a listed domain both forms count, Unicode and ASCII; what was
    typed is never converted, so that nothing which only resembles a domain can become it.
    """
    domains = settings.REGISTRATION_DOMAINS
    if domains and address.rpartition("@")[2] not in {
        form for each in domains for form in _forms(each)
    }:
        raise DomainRefused(domains)


def verify(token: str) -> User:
    """Take the address of the link for proven. Raises InvalidLink."""
    user = links.verification.user_of(token)
    with transaction.atomic():
        if not prove(user):
            raise InvalidLink
    logger.info("E-mail address verified: user %s", user.pk)
    return user


def prove(user: User) -> bool:
    """Note that the user has read a mail at the address; whether that was news.

    Call it in a transaction.
    """
    now = timezone.now()
    unproven = User.objects.filter(pk=user.pk, email=user.email, email_verified_at=None)
    if not unproven.update(email_verified_at=now, updated_at=now):
        return False
    user.email_verified_at = now
    audit.record(Action.EMAIL_VERIFIED, actor=user, obj=user)
    return True


def send_link(request: HttpRequest, user: User) -> None:
    """Send the user a new link. Raises AlreadyVerified."""
    if user.email_verified:
        raise AlreadyVerified
    mail.send_verification(request, user)


def change(request: HttpRequest, user: User, address: str) -> None:
    """Give the user another address, at once and unproven; a link goes there, a notice to the old.

    The caller has asked for a recent sign-in. Raises EmailRefused, DomainRefused and EmailTaken.
    """
    address = clean(address)
    if address == user.email:
        return
    if not user.is_admin:
        check_domain(address)
    old = _write(user, address)
    logger.info("E-mail address changed: user %s", user.pk)
    mail.send_email_changed(request, user, old)
    mail.send_verification(request, user)


def _write(user: User, address: str) -> str:
    """Write the new address; the old one."""
    try:
        with transaction.atomic():
            row = user.locked()
            old, row.email, row.email_verified_at = row.email, address, None
            row.save(update_fields=["email", "email_verified_at", "updated_at"])
            audit.record(Action.EMAIL_CHANGED, actor=user, obj=user, old=old, new=address)
    except IntegrityError as error:
        raise EmailTaken("Choose another one.") from error
    user.email, user.email_verified_at = address, None
    return old


def _forms(domain: str) -> set[str]:
    """A listed domain in Unicode and in ASCII, as far as it has both."""
    domain = unicodedata.normalize("NFC", domain.strip().rstrip(".").lower())
    forms = {domain}
    with suppress(UnicodeError):
        forms.add(domain.encode("idna").decode())
    with suppress(UnicodeError):
        forms.add(domain.encode().decode("idna"))
    return forms
