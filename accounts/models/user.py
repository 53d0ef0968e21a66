"""People, and what they may do."""

from typing import Any, ClassVar, Final

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils import timezone

from hummbl.models import BaseModel


class Role(models.TextChoices):
    """What a person may do. The Django admin is for `ADMIN` alone."""

    ADMIN = "admin", "Admin"
    USER = "user", "User"
    VIEWER = "viewer", "Viewer"


class UserManager(BaseUserManager["User"]):
    """Users by e-mail address, without regard to case."""

    def with_address(self, address: str) -> models.QuerySet["User"]:
        """The user with that address, if any: by the index that makes addresses unique.

        Not `iexact`, by which one address can be another's in capitals: PostgreSQL writes both the
        i and the dotless i as I, and two users would answer to one name.
        """
        return self.filter(Exact(Lower("email"), address.strip().lower()))

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with that address; raises User.DoesNotExist."""
        return self.with_address(username or "").get()

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

    def administrators(self) -> models.QuerySet["User"]:
        """The admins who may sign in."""
        return self.filter(role=Role.ADMIN, is_active=True)

    def create_superuser(self, email: str, password: str, **extra: Any) -> "User":
        """A new admin, whose address counts as proven; what `manage.py createsuperuser` calls."""
        extra.setdefault("email_verified_at", timezone.now())
        return self.create_user(email, password, role=Role.ADMIN, **extra)


class User(AbstractBaseUser, PermissionsMixin, BaseModel):
    """A person, known by e-mail address. `is_staff` and `is_superuser` follow the role."""

    EMAIL_LENGTH: Final = 254

    email = models.EmailField(unique=True, max_length=EMAIL_LENGTH)
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.USER)
    is_active = models.BooleanField(default=True)
    email_verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_superuser = models.BooleanField(default=False, editable=False)

    objects = UserManager()

    # False while an access token without the scope `admin` acts for an administrator.
    has_admin_scope = True

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
    def email_verified(self) -> bool:
        """Whether somebody followed a link that was sent to the address."""
        return self.email_verified_at is not None

    @property
    def is_admin(self) -> bool:
        """Whether this person sees and manages everything."""
        return self.role == Role.ADMIN and self.has_admin_scope

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
