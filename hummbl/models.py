"""What every table has."""

import uuid

import uuid_utils.compat
from django.db import models


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
