"""What every table has."""

import uuid
from typing import Self

import uuid_utils.compat
from django.db import models

from hummbl.errors import NotFound


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by time, so that indexes grow at their end."""
    return uuid_utils.compat.uuid7()


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
