"""Users, and the sessions that their browsers and programs are signed in with."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import jwt
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import devices
from hummbl.models import BaseModel, LastUsed

TOKEN_ALGORITHM = "HS256"  # noqa: S105 - the name of an algorithm


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


class SessionKind(models.TextChoices):
    """What is signed in: a browser by its cookie, or a program by its bearer token."""

    BROWSER = "browser", "Browser"
    API = "api", "API"


class SessionQuerySet(models.QuerySet["Session"]):
    """Sessions."""

    def alive(self) -> Self:
        """Not expired, and of a user who may still sign in."""
        return self.filter(expires_at__gt=timezone.now(), user__is_active=True)

    def other_than(self, session: "Session | None") -> Self:
        """All but that one."""
        return self.exclude(pk=session.pk) if session else self


class Session(BaseModel, LastUsed):
    """A sign-in. Deleting the row ends it at once, whatever the client still holds.

    A program holds a token, a JWT (RFC 7519) with 256 random bits in `jti`; a browser holds the
    key of Django's session, in which `accounts.browser` keeps the id of this row. Of either
    secret only a SHA-256 digest is kept here, so that a copy of this table signs nobody in.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions"
    )
    kind = models.CharField(max_length=10, choices=SessionKind, default=SessionKind.API)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=SessionKind.values), name="session_kind_valid"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} until {self.expires_at:%Y-%m-%d %H:%M}"

    @property
    def device(self) -> str:
        """What is signed in, for people: Firefox on Linux, curl."""
        return devices.describe(self.user_agent)

    @property
    def is_browser(self) -> bool:
        """Whether a cookie carries it."""
        return self.kind == SessionKind.BROWSER

    @classmethod
    def open(cls, user: User, *, ip: str | None, user_agent: str) -> tuple["Session", str]:
        """A program's new session and its token, which is seen here and never again."""
        jti = secrets.token_urlsafe(32)
        now, expires_at = _term()
        session = cls.objects.create(
            user=user,
            kind=SessionKind.API,
            digest=_digest(jti),
            expires_at=expires_at,
            last_used_at=now,
            ip=ip,
            user_agent=user_agent[:300],
        )
        claims = {"sub": str(user.pk), "jti": jti, "iat": now, "exp": expires_at}
        return session, jwt.encode(claims, settings.SECRET_KEY, algorithm=TOKEN_ALGORITHM)

    @classmethod
    def open_for_browser(
        cls, user: User, key: str, *, ip: str | None, user_agent: str
    ) -> "Session":
        """The session of a browser whose Django session has that key; the same one when repeated.

        Two requests that arrive together with a cookie from before there were rows make one.
        """
        now, expires_at = _term()
        session, _ = cls.objects.get_or_create(
            digest=_digest(key),
            defaults={
                "user": user,
                "kind": SessionKind.BROWSER,
                "expires_at": expires_at,
                "last_used_at": now,
                "ip": ip,
                "user_agent": user_agent[:300],
            },
        )
        return session

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
        return cls._living(kind=SessionKind.API, digest=_digest(claims["jti"]), user_id=user_id)

    @classmethod
    def from_browser(cls, pk: str, user_id: str) -> "Session | None":
        """The living session that a browser's Django session names, or None."""
        return cls._living(kind=SessionKind.BROWSER, pk=pk, user_id=user_id)

    @classmethod
    def _living(cls, **of: Any) -> "Session | None":
        """With its user, in one query."""
        try:
            # `get` and not `first`, which would order the one row that there is.
            return cls.objects.alive().select_related("user").get(**of)
        except cls.DoesNotExist:
            return None


def _term() -> tuple[datetime, datetime]:
    """Now and the end of a session that begins now, in whole seconds as a JWT has them."""
    now = timezone.now().replace(microsecond=0)
    return now, now + timedelta(seconds=settings.SESSION_TTL)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
