"""Personal access tokens: what programs use in a person's name."""

import math
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.secrets import digest_of
from accounts.models.user import User
from hummbl.models import BaseModel, LastUsed

# Secret scanners and our own scrubber know a token by its beginning.
PREFIX: Final = "hummbl_"


class Scope(models.TextChoices):
    """What a token may do. Each stands for itself: none includes another."""

    READ = "read", "Read"
    RUN = "run", "Run"
    WRITE = "write", "Write"
    ADMIN = "admin", "Admin"


def join_scopes(scopes: Iterable[str]) -> str:
    """The scopes as a column holds them: in the order of `Scope`, with spaces between."""
    chosen = set(scopes)
    return " ".join(scope for scope in Scope.values if scope in chosen)


_COMBINATIONS = [
    join_scopes(chosen)
    for size in range(1, len(Scope) + 1)
    for chosen in combinations(Scope.values, size)
]


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    """Personal access tokens."""

    def alive(self) -> Self:
        """Not expired, and of a user who may still sign in."""
        return self.filter(expires_at__gt=timezone.now(), user__is_active=True)


class AccessToken(BaseModel, LastUsed):
    """A named token with scopes and an end. Its secret is shown once; a digest is kept."""

    NAME_LENGTH: Final = 100

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_tokens"
    )
    name = models.CharField(max_length=NAME_LENGTH)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(max_length=30, help_text="The scopes with spaces between.")
    expires_at = models.DateTimeField(db_index=True)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="access_token_name_unique"),
            models.CheckConstraint(
                condition=models.Q(scope__in=_COMBINATIONS), name="access_token_scope_valid"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scopes(self) -> list[str]:
        """What the token may do."""
        return self.scope.split()

    @property
    def days_left(self) -> int:
        """How many days it has from now, a part of one as a whole; 0 when it has expired."""
        return max(0, math.ceil((self.expires_at - timezone.now()) / timedelta(days=1)))

    @classmethod
    def issue(
        cls, user: User, *, name: str, scopes: Iterable[str], expires_at: datetime
    ) -> tuple["AccessToken", str]:
        """A new token and its secret, which is seen here and never again.

        Raises IntegrityError when the user has one of that name.
        """
        secret = PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user,
            name=name,
            digest=digest_of(secret),
            scope=join_scopes(scopes),
            expires_at=expires_at,
        )
        return token, secret

    @classmethod
    def from_secret(cls, secret: str) -> "AccessToken | None":
        """The living token with that secret and its user, in one query; None for any other.

        Without the scope `admin` an administrator's token has a user's rights, everywhere.
        """
        if not secret.startswith(PREFIX):
            return None
        found = cls.objects.alive().select_related("user")
        token = found.filter(digest=digest_of(secret)).order_by().first()
        if token is not None:
            token.user.has_admin_scope = Scope.ADMIN in token.scopes
        return token
