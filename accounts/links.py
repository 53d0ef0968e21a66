"""The links that mails carry: signed, for one use, and good for a limited time.

The token names the user and signs what its use changes, so that a link which was used is dead
without a table of links: `<user>.<time>-<signature>`. Each kind signs with a salt of its own.
"""

import base64
import re
import uuid
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.errors import InvalidLink
from accounts.models import User
from hummbl import mail

_FORM: Final = re.compile(r"([A-Za-z0-9_-]{22})\.(([0-9a-z]{1,13})-[0-9a-f]{32})")


class Links(PasswordResetTokenGenerator):
    """One kind of link: Django's tokens, with the user's id in them and a time-out of their own."""

    page: str

    @property
    def timeout(self) -> int:
        """For how many seconds a link can be followed."""
        raise NotImplementedError

    def address(self, request: HttpRequest, user: User) -> str:
        """A new link for the user. Raises as `mail.absolute`."""
        query = urlencode({"token": self.token(user)})
        return mail.absolute(request, f"{reverse(self.page)}?{query}")

    def token(self, user: User) -> str:
        """A new token for the user."""
        return f"{_short(user.pk)}.{self.make_token(user)}"

    def user_of(self, token: str) -> User:
        """The active user whose living link of this kind it is. Raises InvalidLink."""
        match = _FORM.fullmatch(token)
        user = User.objects.filter(pk=_long(match[1]), is_active=True).first() if match else None
        if user is None or match is None or not self.check_token(user, match[2]):
            raise InvalidLink
        return user

    def check_token(self, user: object, token: str | None) -> bool:
        """Whether the token is this user's, of this kind, as young as it must be, and not used.

        Django's own knows one time-out for all kinds.
        """
        if not isinstance(user, User) or not token:
            return False
        # Base 36, as the pattern has it; a made-up time is refused by the signature.
        made = int(token.partition("-")[0], 36)
        age = self._num_seconds(self._now()) - made
        if not 0 <= age <= self.timeout:
            return False
        return any(
            constant_time_compare(self._make_token_with_timestamp(user, made, secret), token)
            for secret in (self.secret, *self.secret_fallbacks)
        )

    def _now(self) -> datetime:
        return timezone.now().replace(tzinfo=None)


class ResetLinks(Links):
    """Links to set a new password.

    Django signs address, password and last sign-in: a change of any ends the link.
    """

    page = "reset_confirm"

    @property
    def timeout(self) -> int:
        """`PASSWORD_RESET_TIMEOUT`."""
        return int(settings.PASSWORD_RESET_TIMEOUT)


class VerificationLinks(Links):
    """Links that prove an address.

    Signed are the address and when it was verified: a link is for that address alone, and once.
    The password is not: a mailbox is no less somebody's when the password has changed.
    """

    key_salt = "accounts.links.VerificationLinks"
    page = "verify"

    @property
    def timeout(self) -> int:
        """`EMAIL_LINK_TTL`."""
        return int(settings.EMAIL_LINK_TTL)

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        verified = user.email_verified_at
        return "\0".join(
            [str(user.pk), user.email, verified.isoformat() if verified else "", str(timestamp)]
        )


reset = ResetLinks()
verification = VerificationLinks()


def _short(pk: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(pk.bytes).rstrip(b"=").decode()


def _long(short: str) -> uuid.UUID:
    return uuid.UUID(bytes=base64.urlsafe_b64decode(f"{short}=="))
