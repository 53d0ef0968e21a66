"""What every table has."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import uuid_utils.compat
from django.db import IntegrityError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from hummbl.errors import Conflict, NotFound

LAST_USED_PRECISION = timedelta(minutes=1)


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by time, so that indexes grow at their end."""
    return uuid_utils.compat.uuid7()


def first_id(at: datetime) -> uuid.UUID:
    """Smaller than what `new_id` makes at that moment and later, greater than all before."""
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)


class OrderedJSONField(models.JSONField):
    """JSON whose objects keep the order of their keys, which PostgreSQL's `jsonb` does not.

    For documents that people write and read back. PostgreSQL's `json` has no equality: such a
    column cannot be in a DISTINCT or a GROUP BY.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """PostgreSQL's `json`; elsewhere as a JSONField."""
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        """The value as the driver wants it."""
        if connection.vendor != "postgresql":
            return super().get_db_prep_value(value, connection, prepared)
        from psycopg.types.json import Json

        return Json(value)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        """The value as Python has it; psycopg has parsed it already."""
        if connection.vendor == "postgresql":
            return value
        return super().from_db_value(value, expression, connection)


class BaseModel(models.Model):
    """A time-ordered UUID key and the two timestamps, in UTC."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def locked(self) -> Self:
        """The row as it is now, held until the transaction ends.

        Raises NotFound when it was deleted meanwhile; a plain `save` would bring it back.
        """
        rows = type(self)._default_manager.select_for_update()  # noqa: SLF001 - a public name
        row = rows.filter(pk=self.pk).first()
        if row is None:
            raise NotFound
        return row

    def save_named(self, taken: str, **options: Any) -> None:
        """Save a row whose name must be its own, with the options of `save`.

        Raises Conflict with the sentence `taken` when there is one of that name.
        """
        try:
            with transaction.atomic():
                self.save(**options)
        except IntegrityError as error:
            raise Conflict(taken, code="name_taken") from error


class LastUsed(models.Model):
    """When a row was last used, to the minute: a read must not become a write each time."""

    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def touch(self) -> None:
        """Note the use, at most once a minute."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= LAST_USED_PRECISION:
            # Not `save`, which would bring back a row that is deleted at this very moment.
            type(self)._default_manager.filter(pk=self.pk).update(last_used_at=now)  # noqa: SLF001
            self.last_used_at = now


class Encrypted(models.Model):
    """Rows with secrets, which `manage.py rotate_keys` finds by this class.

    Each of `encrypted_columns` holds what `hummbl.encryption` made for the id of its row.
    """

    encrypted_columns: ClassVar[tuple[str, ...]]

    class Meta:
        abstract = True

    @property
    def secret_label(self) -> str:
        """Whose secret it is and which, for the operator; nothing of the secret itself."""
        raise NotImplementedError


class CleanUp(models.Model):
    """When `hummbl.retention` last deleted everything that had expired: one row at most."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField()
    seconds = models.FloatField()
    deleted = models.JSONField(help_text="Rows by the name of the rule.")

    def __str__(self) -> str:
        return f"Clean-up of {self.at:%Y-%m-%d %H:%M}"

    @classmethod
    def remember(cls, at: datetime, deleted: dict[str, int]) -> None:
        """Note that one that began then has ended."""
        seconds = (timezone.now() - at).total_seconds()
        values = {"at": at, "seconds": seconds, "deleted": deleted}
        cls.objects.update_or_create(pk=1, defaults=values)


class Duty(models.Model):
    """The last slot of time in which some process did what :mod:`hummbl.duties` names."""

    # Further ahead no clock of another machine is: what is there stems from before a clock was set
    # back, and must not keep everybody from it until that time comes again.
    AHEAD: ClassVar[int] = 5

    name = models.CharField(max_length=60, primary_key=True)
    slot = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def claim(cls, name: str, slot: int, patience: int) -> bool:
        """Whether the slot is the caller's: nobody has had it, nor the `patience` ones before."""
        if not cls.objects.filter(name=name).exists():
            Duty.objects.bulk_create(
                [Duty(name=name, slot=slot - patience - 1)], ignore_conflicts=True
            )
        free = models.Q(slot__lt=slot - patience) | models.Q(slot__gt=slot + cls.AHEAD)
        return cls.objects.filter(free, name=name).update(slot=slot) == 1
