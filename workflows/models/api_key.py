"""The users' own provider keys, encrypted at rest, and how a call finds the one to use."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Action, User
from hummbl.encryption import DecryptionError, decrypt, encrypt, has_key
from hummbl.errors import AppError
from hummbl.models import BaseModel, Encrypted, LastUsed
from hummbl.outbound import check_url
from workflows.providers import Credential
from workflows.providers.key_check import KeyCheck, check_key

MIN_SECRET_LENGTH = 8


class KeyProvider(models.TextChoices):
    """Providers that are called with a key."""

    OPENAI = "openai", "OpenAI"
    ANTHROPIC = "anthropic", "Anthropic"
    CUSTOM = "custom", "Custom (OpenAI-compatible)"


class MissingKey(AppError):
    """There is no key to call a provider with."""

    code = "missing_key"


class InvalidKey(AppError):
    """A key cannot be stored as it was given."""

    code = "invalid_key"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Keys by who may see them and what they open."""

    def visible_to(self, user: User) -> Self:
        """All for an admin, else the user's own. Nobody sees a secret."""
        return self if user.is_admin else self.filter(user=user)

    def usable(self, user: User, provider: str) -> Self:
        """The user's active keys for a provider, the oldest first."""
        return self.filter(user=user, provider=provider, is_active=True).order_by("created_at")

    def payable_providers(self, user: User) -> set[str]:
        """The providers that the user has an active key for, the operator's keys included."""
        own = self.filter(user=user, is_active=True).values_list("provider", flat=True)
        shared = {name for name in KeyProvider.values if _operator_key(user, name)}
        return shared.union(own)

    def for_call(self, user: User, provider: str, name: str | None) -> Credential:
        """The credential that this user pays a call with.

        The key of that name, or the oldest active one; for roles in SHARED_KEYS_ROLES the
        operator's key from the environment as a last resort. Raises MissingKey with what to do,
        and DecryptionError when the stored key cannot be read.
        """
        keys = self.usable(user, provider)
        key = (keys.filter(name=name) if name else keys).first()
        if key:
            key.touch()
            return key.credential()
        label = KeyProvider(provider).label if provider in KeyProvider.values else provider
        if name:
            raise MissingKey(f"There is no active {label} key named “{name}”. Add it under Keys.")
        shared = _operator_key(user, provider)
        if shared:
            return Credential(secret=shared)
        article = "a" if provider == KeyProvider.CUSTOM else "an"
        noun = "custom provider" if provider == KeyProvider.CUSTOM else label
        raise MissingKey(f"Add {article} {noun} key under Keys.")


class ApiKey(BaseModel, LastUsed, Encrypted):
    """A provider key. The secret only goes in; `last_four` is all that is ever shown."""

    encrypted_columns: ClassVar[tuple[str, ...]] = ("ciphertext",)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    provider = models.CharField(max_length=20, choices=KeyProvider)
    name = models.CharField(max_length=100)
    ciphertext = models.BinaryField(editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    base_url = models.URLField(max_length=500, blank=True)
    is_active = models.BooleanField(default=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "provider", "name"], name="api_key_name_unique"
            ),
            models.CheckConstraint(
                condition=Q(provider__in=KeyProvider.values), name="api_key_provider_valid"
            ),
            models.CheckConstraint(
                condition=Q(provider=KeyProvider.CUSTOM) ^ Q(base_url=""),
                name="api_key_base_url_iff_custom",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="api_key_has_name"),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} · {self.name} · •••• {self.last_four}"

    @property
    def secret_label(self) -> str:
        """Whose key it is, and which."""
        return f"{self.user.email}, {self.provider} key “{self.name}”"

    @property
    def is_readable(self) -> bool:
        """Whether the key that it was encrypted with is there; costs nothing, decrypts nothing."""
        return has_key(self.ciphertext)

    @classmethod
    def store(
        cls, *, user: User, provider: str, name: str, secret: str, base_url: str = ""
    ) -> "ApiKey":
        """Encrypt and keep a key.

        Raises InvalidKey (bad secret, address missing or not allowed here), OutboundRefused (an
        address that must not be called) and Conflict (the name is taken).
        """
        key = cls(user=user, name=name)
        key._set_secret(provider=provider, secret=secret, base_url=base_url)
        with transaction.atomic():
            key._save_unique(force_insert=True)
            key._record(Action.KEY_CREATED, user)
        return key

    def replace_secret(
        self, secret: str, *, by: User, provider: str | None = None, base_url: str | None = None
    ) -> None:
        """Put a new secret in place of the old one; only then may the address change too."""
        provider = self.provider if provider is None else provider
        if base_url is None:
            base_url = self.base_url if provider == KeyProvider.CUSTOM else ""
        self._set_secret(provider=provider, secret=secret, base_url=base_url)
        self._update("provider", "base_url", "ciphertext", "last_four", by=by, what="replaced")

    def rename(self, name: str, *, by: User) -> None:
        """Give another name. Raises Conflict when it is taken."""
        self.name = name
        self._update("name", by=by, what="renamed")

    def set_active(self, active: bool, *, by: User) -> None:
        """Allow or stop the use of this key, at once."""
        self.is_active = active
        self._update("is_active", by=by, what="activated" if active else "deactivated")

    def delete(
        self, *args: Any, by: User | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]]:
        """Delete it for good."""
        with transaction.atomic():
            self._record(Action.KEY_DELETED, by)
            return super().delete(*args, **kwargs)

    def credential(self) -> Credential:
        """The decrypted key, for one call. Raises DecryptionError."""
        try:
            secret = decrypt(self.ciphertext, associated=self.pk)
        except DecryptionError as error:
            which = f"The {self.get_provider_display()} key “{self.name}”"
            raise DecryptionError(error.reason, what=which) from None
        return Credential(secret=secret, base_url=self.base_url, key_id=self.pk)

    def test(self) -> KeyCheck:
        """Ask the provider whether the key works, free of charge; an inactive one is asked too.

        Takes up to ten seconds: no transaction may be open.
        """
        try:
            credential = self.credential()
        except DecryptionError as error:
            return KeyCheck(False, error.error_code, error.message)
        return check_key(self.provider, credential)

    def _set_secret(self, *, provider: str, secret: str, base_url: str) -> None:
        secret = secret.strip()
        if len(secret) < MIN_SECRET_LENGTH or not secret.isascii() or not secret.isprintable():
            raise InvalidKey("This does not look like a key. Paste it whole, without spaces.")
        if provider == KeyProvider.CUSTOM:
            if not base_url:
                raise InvalidKey("A custom provider needs its base URL, for example https://…/v1.")
            base_url = base_url.rstrip("/")
            check_url(base_url)
        elif base_url:
            raise InvalidKey("Only a custom provider has a base URL. Leave it empty.")
        self.provider, self.base_url = provider, base_url
        self.ciphertext = encrypt(secret, associated=self.pk)
        self.last_four = secret[-4:]

    @transaction.atomic
    def _update(self, *fields: str, by: User, what: str) -> None:
        """Write these fields. A form that is sent as it was changes nothing, and is not noted."""
        before = self.locked()
        self._save_unique(update_fields=[*fields, "updated_at"])
        if any(getattr(self, name) != getattr(before, name) for name in fields):
            self._record(Action.KEY_CHANGED, by, what=what)

    def _record(self, action: Action, by: User | None, **data: str) -> None:
        """Note it with provider, name and last four characters; and whose it is, if another's."""
        if by is None or by.pk != self.user_id:
            data["owner"] = str(self.user_id)
        audit.record(action, actor=by, obj=self, **data)

    def _save_unique(self, **options: Any) -> None:
        provider = self.get_provider_display()
        self.save_named(f"You already have a {provider} key named “{self.name}”.", **options)


def _operator_key(user: User, provider: str) -> str:
    """The operator's own key, for the roles that may spend the operator's money."""
    if user.role not in settings.SHARED_KEYS_ROLES:
        return ""
    keys: dict[str, str] = {
        KeyProvider.OPENAI: settings.OPENAI_API_KEY,
        KeyProvider.ANTHROPIC: settings.ANTHROPIC_API_KEY,
    }
    return keys.get(provider, "")
