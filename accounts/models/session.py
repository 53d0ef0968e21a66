"""The sessions that browsers and programs are signed in with."""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts import devices
from accounts.models.secrets import digest_of
from accounts.models.user import User
from hummbl import retention
from hummbl.models import BaseModel, LastUsed

TOKEN_ALGORITHM = "HS256"  # noqa: S105 - the name of an algorithm


class SessionKind(models.TextChoices):
    """What is signed in: a browser by its cookie, or a program by its bearer token."""

    BROWSER = "browser", "Browser"
    API = "api", "API"


class SessionQuerySet(models.QuerySet["Session"]):
    """Sessions."""

    def alive(self) -> Self:
        """Not expired, in use lately enough, and of a user who may still sign in."""
        now = timezone.now()
        found = self.filter(expires_at__gt=now, user__is_active=True)
        if settings.SESSION_IDLE_TTL:
            found = found.filter(
                last_used_at__gt=now - timedelta(seconds=settings.SESSION_IDLE_TTL)
            )
        return found

    def outdated(self) -> Self:
        """Past their end, or not used for too long, `RETENTION_SESSIONS` days ago or earlier."""
        now = retention.ago("RETENTION_SESSIONS")
        if now is None:
            return self.none()
        over = models.Q(expires_at__lte=now)
        if settings.SESSION_IDLE_TTL:
            idle = timedelta(seconds=settings.SESSION_IDLE_TTL)
            over |= models.Q(last_used_at__lte=now - idle)
        return self.filter(over)

    def other_than(self, session: "Session | None") -> Self:
        """All but that one."""
        return self.exclude(pk=session.pk) if session else self


class Session(BaseModel, LastUsed):
    """A sign-in. Deleting the row ends it at once, whatever the client still holds.

    A program holds a token, a JWT (RFC 7519) with 256 random bits in `jti`; a browser holds the
    key of Django's session, in which `accounts.browser` keeps the id of this row. Of either
    secret only a SHA-256 digest is kept here, so that a copy of this table signs nobody in.

    `authenticated_at` is when the password was last asked for: some changes want it recent.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions"
    )
    kind = models.CharField(max_length=10, choices=SessionKind, default=SessionKind.API)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    authenticated_at = models.DateTimeField(null=True, editable=False)
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
    def ends_at(self) -> datetime:
        """When it ends, if it is not used again until then."""
        if not settings.SESSION_IDLE_TTL or self.last_used_at is None:
            return self.expires_at
        idle = timedelta(seconds=settings.SESSION_IDLE_TTL)
        return min(self.expires_at, self.last_used_at + idle)

    @property
    def is_browser(self) -> bool:
        """Whether a cookie carries it."""
        return self.kind == SessionKind.BROWSER

    def password_given(self) -> None:
        """Note that the password was asked for just now, and was right."""
        self.authenticated_at = timezone.now()
        # Not `save`, here and below: it would bring back a row that is ended at this very moment.
        type(self).objects.filter(pk=self.pk).update(authenticated_at=self.authenticated_at)

    def move_to(self, key: str) -> None:
        """Belong to the Django session with that key from now on."""
        self.digest = digest_of(key)
        type(self).objects.filter(pk=self.pk).update(digest=self.digest)

    @classmethod
    def open(cls, user: User, *, ip: str | None, user_agent: str) -> tuple["Session", str]:
        """A program's new session and its token, which is seen here and never again."""
        jti = secrets.token_urlsafe(32)
        import jwt  # here and below: a worker has no tokens to read

        session = cls._begin(SessionKind.API, jti, user=user, ip=ip, user_agent=user_agent)
        claims = {
            "sub": str(user.pk),
            "jti": jti,
            "iat": session.authenticated_at,
            "exp": session.expires_at,
        }
        return session, jwt.encode(claims, settings.SECRET_KEY, algorithm=TOKEN_ALGORITHM)

    @classmethod
    def open_for_browser(
        cls, user: User, key: str, *, ip: str | None, user_agent: str
    ) -> "Session":
        """The new session of a browser whose Django session has that key."""
        return cls._begin(SessionKind.BROWSER, key, user=user, ip=ip, user_agent=user_agent)

    @classmethod
    def from_token(cls, token: str) -> "Session | None":
        """The living session of a token, or None. A forged token costs no query."""
        import jwt

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
        return cls._living(kind=SessionKind.API, digest=digest_of(claims["jti"]), user_id=user_id)

    @classmethod
    def from_browser(cls, pk: str | None, user_id: str, key: str) -> "Session | None":
        """The living session that a browser's Django session with that key names, or None."""
        return cls._living(kind=SessionKind.BROWSER, pk=pk, user_id=user_id, digest=digest_of(key))

    @classmethod
    def _begin(
        cls, kind: SessionKind, secret: str, *, user: User, ip: str | None, user_agent: str
    ) -> "Session":
        """A session that begins now, in whole seconds as a JWT has them."""
        now = timezone.now().replace(microsecond=0)
        return cls.objects.create(
            user=user,
            kind=kind,
            digest=digest_of(secret),
            expires_at=now + timedelta(seconds=settings.SESSION_TTL),
            last_used_at=now,
            authenticated_at=now,
            ip=ip,
            user_agent=user_agent[:300],
        )

    @classmethod
    def _living(cls, **of: Any) -> "Session | None":
        """With its user, in one query."""
        try:
            # `get` and not `first`, which would order the one row that there is.
            return cls.objects.alive().select_related("user").get(**of)
        except cls.DoesNotExist:
            return None
