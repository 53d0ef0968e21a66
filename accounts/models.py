"""Users, and the bearer sessions that programs sign in with."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

import jwt
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from hummbl.models import BaseModel

TOKEN_ALGORITHM = "HS256"  # noqa: S105 - the name of an algorithm
LAST_USED_PRECISION = timedelta(minutes=1)


class Role(models.TextChoices):
    """What a person may do. The Django admin is for `ADMIN` alone."""

    ADMIN = "admin", "Admin"
    USER = "user", "User"
    VIEWER = "viewer", "Viewer"


class UserManager(BaseUserManager["User"]):
    """Users by e-mail address, without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with that address; raises User.DoesNotExist."""
        return self.get(email__iexact=username)

    def create_user(
        self,
        email: str,
        password: str | None = None,
        *,
        name: str = "",
        role: str = Role.USER,
        **extra: Any,
    ) -> "User":
        """A new, active user. The password is hashed here; None makes sign-in impossible."""
        user = self.model(email=email.strip().lower(), name=name.strip(), role=role, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **extra: Any) -> "User":
        """A new admin; what `manage.py createsuperuser` calls."""
        return self.create_user(email, password, role=Role.ADMIN, **extra)


class User(AbstractBaseUser, PermissionsMixin, BaseModel):
    """A person, known by e-mail address. `is_staff` and `is_superuser` follow the role."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.USER)
    is_active = models.BooleanField(default=True)
    is_superuser = models.BooleanField(default=False, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_lower"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="user_role_valid"
            ),
            models.CheckConstraint(
                condition=models.Q(role=Role.ADMIN, is_superuser=True)
                | (~models.Q(role=Role.ADMIN) & models.Q(is_superuser=False)),
                name="user_superuser_follows_role",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, with `is_superuser` made to follow the role."""
        self.is_superuser = self.role == Role.ADMIN
        fields = kwargs.get("update_fields")
        if fields is not None and "role" in fields:
            kwargs["update_fields"] = {*fields, "is_superuser"}
        super().save(*args, **kwargs)

    @property
    def is_admin(self) -> bool:
        """Whether this person sees and manages everything."""
        return self.role == Role.ADMIN

    @property
    def is_staff(self) -> bool:
        """Whether the Django admin lets this person in."""
        return self.is_admin

    @property
    def can_write(self) -> bool:
        """Whether this person may own workflows, keys and executions."""
        return self.role in {Role.ADMIN, Role.USER}

    def get_full_name(self) -> str:
        """The name to show: the person's own, else the part of the address before the @."""
        return name_to_show(self.name, self.email)

    def get_short_name(self) -> str:
        """The first word of the name to show."""
        return self.get_full_name().split()[0]


def name_to_show(name: str, email: str) -> str:
    """A person's own name, else the part of the address before the @."""
    return name or email.partition("@")[0]


class SessionQuerySet(models.QuerySet["Session"]):
    """Bearer sessions."""

    def alive(self) -> Self:
        """Not expired, and of a user who may still sign in."""
        return self.filter(expires_at__gt=timezone.now(), user__is_active=True)


class Session(BaseModel):
    """A bearer session. The token is a JWT (RFC 7519); this row is the authority over it.

    The token holds 256 random bits in `jti`, of which only a SHA-256 digest is kept here, so
    that a copy of the database signs nobody in. Deleting the row ends the session at once.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions"
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.user} until {self.expires_at:%Y-%m-%d %H:%M}"

    @classmethod
    def open(cls, user: User, *, ip: str | None, user_agent: str) -> tuple["Session", str]:
        """A new session and its token, which is seen here and never again."""
        jti = secrets.token_urlsafe(32)
        now = timezone.now().replace(microsecond=0)
        expires_at = now + timedelta(seconds=settings.SESSION_TTL)
        session = cls.objects.create(
            user=user,
            digest=_digest(jti),
            expires_at=expires_at,
            last_used_at=now,
            ip=ip,
            user_agent=user_agent[:300],
        )
        claims = {"sub": str(user.pk), "jti": jti, "iat": now, "exp": expires_at}
        return session, jwt.encode(claims, settings.SECRET_KEY, algorithm=TOKEN_ALGORITHM)

    @classmethod
    def from_token(cls, token: str) -> "Session | None":
        """The living session of a token, or None. A forged token costs no query."""
        try:
            claims = jwt.decode(
                token,
                settings.SECRET_KEY,
                algorithms=[TOKEN_ALGORITHM],
                options={"require": ["sub", "jti", "iat", "exp"]},
            )
            user_id = uuid.UUID(claims["sub"])
        except (jwt.InvalidTokenError, ValueError):
            return None
        sessions = cls.objects.alive().select_related("user")
        try:
            # `get` and not `first`, which would order the one row that there is.
            return sessions.get(digest=_digest(claims["jti"]), user_id=user_id)
        except cls.DoesNotExist:
            return None

    def touch(self) -> None:
        """Note the use, at most once a minute, so that reads do not become writes."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= LAST_USED_PRECISION:
            # Not `save`: the session may be ended at this very moment.
            Session.objects.filter(pk=self.pk).update(last_used_at=now, updated_at=now)


def _digest(jti: str) -> str:
    return hashlib.sha256(jti.encode()).hexdigest()
