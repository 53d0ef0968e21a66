"""Where alerts are told of: mailboxes, and addresses of other programs."""

import secrets
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models, transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Action, User
from hummbl.encryption import decrypt, encrypt, has_key
from hummbl.errors import Conflict, InvalidField
from hummbl.models import BaseModel, Encrypted
from hummbl.outbound import check_url

MOST_CHANNELS: Final = 50
MOST_ADDRESSES: Final = 20
LONGEST_URL: Final = 2000
LONGEST_HOST: Final = 255
SECRET_BYTES: Final = 32


class ChannelKind(models.TextChoices):
    """How a channel is reached."""

    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook"


class InvalidChannel(InvalidField):
    """A channel cannot be stored as it was given."""

    code = "invalid_channel"


class NotificationChannelQuerySet(models.QuerySet["NotificationChannel"]):
    """Channels by whether they are used."""

    def active(self) -> Self:
        """Those that are told."""
        return self.filter(is_active=True)


class NotificationChannel(BaseModel, Encrypted):
    """A channel. The address of a webhook is a secret too: it only goes in, `host` is shown.

    An e-mail channel without `addresses` writes to every administrator.
    """

    encrypted_columns: ClassVar[tuple[str, ...]] = ("url_ciphertext", "secret_ciphertext")

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=ChannelKind)
    addresses = models.JSONField(default=list, blank=True)
    host = models.CharField(max_length=LONGEST_HOST, blank=True, editable=False)
    url_ciphertext = models.BinaryField(default=b"", editable=False)
    secret_ciphertext = models.BinaryField(default=b"", editable=False)
    is_active = models.BooleanField(default=True)

    objects = NotificationChannelQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="channel_has_name"),
            models.CheckConstraint(
                condition=Q(kind=ChannelKind.EMAIL, host="") | Q(kind=ChannelKind.WEBHOOK),
                name="channel_kind_valid",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secret_label(self) -> str:
        """Which channel it is."""
        return f"notification channel “{self.name}”"

    @property
    def is_readable(self) -> bool:
        """Whether the key that its secrets were encrypted with is there."""
        return not self.url_ciphertext or has_key(self.url_ciphertext)

    @property
    def destination(self) -> str:
        """Where it leads, without what is secret."""
        if self.kind == ChannelKind.WEBHOOK:
            return f"{self.host}/…"
        return ", ".join(self.addresses) or "all administrators"

    @classmethod
    def create(
        cls,
        *,
        by: User,
        kind: str,
        name: str,
        addresses: Sequence[str] = (),
        url: str = "",
        is_active: bool = True,
    ) -> tuple["NotificationChannel", str]:
        """A new channel, and the secret that signs what a webhook is sent, which is shown once.

        Raises InvalidChannel, OutboundRefused and Conflict.
        """
        if cls.objects.count() >= MOST_CHANNELS:
            raise Conflict(f"There are {MOST_CHANNELS} channels already.", code="too_many_channels")
        channel = cls(kind=kind, name=name, is_active=is_active)
        channel._check_name()
        channel._aim(addresses, url)
        secret = ""
        if kind == ChannelKind.WEBHOOK:
            secret = secrets.token_urlsafe(SECRET_BYTES)
            channel.secret_ciphertext = encrypt(secret, associated=channel.pk)
        with transaction.atomic():
            channel._save_unique(force_insert=True)
            audit.record(Action.CHANNEL_CREATED, actor=by, obj=channel, kind=kind)
        return channel, secret

    def change(
        self,
        *,
        by: User,
        name: str | None = None,
        addresses: Sequence[str] | None = None,
        url: str | None = None,
        is_active: bool | None = None,
    ) -> None:
        """Write what is given. Raises as `create`, and NotFound."""
        with transaction.atomic():
            before = self.locked()
            self.name = self.name if name is None else name
            self.is_active = self.is_active if is_active is None else is_active
            self._check_name()
            if addresses is not None or url:
                self._aim(self.addresses if addresses is None else addresses, url or "")
            fields = ["name", "is_active", "addresses", "host", "url_ciphertext"]
            changed = [each for each in fields if getattr(self, each) != getattr(before, each)]
            if changed:
                self._save_unique(update_fields=[*fields, "updated_at"])
                audit.record(Action.CHANNEL_CHANGED, actor=by, obj=self, fields=changed)

    def delete(
        self, *args: Any, by: User | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]]:
        """Delete it for good; what it was told stays in the history.

        A rule that names no other channel tells all of them from then on.
        """
        with transaction.atomic():
            audit.record(Action.CHANNEL_DELETED, actor=by, obj=self, kind=self.kind)
            return super().delete(*args, **kwargs)

    def recipients(self) -> list[str]:
        """The mailboxes of an e-mail channel."""
        admins = User.objects.administrators().order_by("pk")
        return list(self.addresses) or list(admins.values_list("email", flat=True))

    def address_and_secret(self) -> tuple[str, str]:
        """Where a webhook is, and what signs for it. Raises DecryptionError."""
        return (
            decrypt(self.url_ciphertext, associated=self.pk),
            decrypt(self.secret_ciphertext, associated=self.pk),
        )

    def _check_name(self) -> None:
        if not self.name.isprintable():
            # It becomes the subject of mails.
            raise InvalidChannel("name", "A name is one line, without control characters.")

    def _aim(self, addresses: Sequence[str], url: str) -> None:
        if self.kind == ChannelKind.EMAIL:
            if url:
                raise InvalidChannel("url", "An e-mail channel has no address of a webhook.")
            self.addresses = _checked(addresses)
            return
        if addresses:
            raise InvalidChannel("addresses", "A webhook has no e-mail addresses.")
        if not url and not self.url_ciphertext:
            raise InvalidChannel("url", "A webhook needs its address, for example https://…")
        if url:
            # What follows the question mark is often the secret part, and never where it leads.
            check_url(url.partition("?")[0])
            if len(url) > LONGEST_URL or "#" in url or not url.isprintable() or " " in url:
                raise InvalidChannel("url", "This is not a valid address.")
            self.host = urlsplit(url).netloc
            if len(self.host) > LONGEST_HOST:
                raise InvalidChannel("url", "This is not a valid address.")
            self.url_ciphertext = encrypt(url, associated=self.pk)

    def _save_unique(self, **options: Any) -> None:
        self.save_named(f"There is a channel named “{self.name}” already.", **options)


def _checked(addresses: Sequence[str]) -> list[str]:
    if len(addresses) > MOST_ADDRESSES:
        raise InvalidChannel("addresses", f"At most {MOST_ADDRESSES} addresses.")
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError as error:
            message = f"{address[:100]} is no e-mail address."
            raise InvalidChannel("addresses", message) from error
    return list(dict.fromkeys(addresses))
