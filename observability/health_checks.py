"""The checks of health that need no other app: room on the disk, and keys that fit the secrets."""

import shutil
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import BinaryField, Count
from django.db.models.functions import Substr

from hummbl import encryption
from hummbl.models import Encrypted
from observability import health
from observability.health import Result, Told

# A disk is low below both: 5 GB are little of a large one, and a lot of a small one.
LOW_SHARE: Final = 0.1
LOW_BYTES: Final = 5 * 1024**3


def register() -> None:
    """Add them to the report."""
    health.register("disk", disk, describe_disk)
    health.register("encryption", secrets, describe_secrets)


def disk() -> Result:
    """The volume of the SQLite file, or beside PostgreSQL that of our data folder."""
    usage = shutil.disk_usage(_folder())
    share = usage.free / usage.total
    is_low = share < LOW_SHARE and usage.free < LOW_BYTES
    return {"status": "low" if is_low else health.HEALTHY, "free": round(share, 3)}


def describe_disk(result: Result) -> Told:
    """In words, with the bytes, which strangers are not told."""
    from django.template.defaultfilters import filesizeformat

    free = filesizeformat(shutil.disk_usage(_folder()).free)
    fact = f"{free} are free, {result['free']:.0%} of the volume."
    if result["status"] == health.HEALTHY:
        return Told(fact)
    return Told(
        fact,
        "Nothing can be written once it is full. Make room, or shorten what is kept: Storage shows "
        "what takes it, and RETENTION_… how long.",
    )


def secrets() -> Result:
    """Whether the key of every stored secret is in force, by the id that a secret begins with.

    That a secret is whole besides, `manage.py rotate_keys --dry-run` knows.
    """
    try:
        known = encryption.key_ids()
    except ImproperlyConfigured:
        return {"status": "unreadable", "unreadable": None}
    lost = sum(count for key, count in _by_key() if key not in known)
    return {"status": "unreadable" if lost else health.HEALTHY, "unreadable": lost}


def describe_secrets(result: Result) -> Told:
    """In words."""
    if result["unreadable"] is None:
        return Told("ENCRYPTION_KEYS cannot be read.", "`manage.py check` says what is wrong.")
    if not result["unreadable"]:
        return Told("The keys of all stored secrets are in force.")
    return Told(
        f"{result['unreadable']} of the stored secrets cannot be read.",
        "A key is missing from ENCRYPTION_KEYS. Put the old one behind the first and restart, then "
        "run manage.py rotate_keys. Without it their owners have to enter them again.",
    )


def _folder() -> Path:
    if connection.vendor == "sqlite":
        return Path(str(connection.settings_dict["NAME"])).parent
    folder: Path = settings.DATA_DIR
    return folder


def _by_key() -> list[tuple[str, int]]:
    """The ids of the keys in use, each with the number of its secrets; a statement a column."""
    found: list[tuple[str, int]] = []
    for model in apps.get_models():
        if issubclass(model, Encrypted):
            for column in model.encrypted_columns:
                found.extend((_key_id(key), count) for key, count in _counted(model, column))
    return found


def _counted(model: Any, column: str) -> list[tuple[Any, int]]:
    start, length = len(encryption.VERSION) + 1, encryption.KEY_ID_BYTES
    key = Substr(column, start, length, output_field=BinaryField())
    rows = model._base_manager.exclude(**{column: b""}).exclude(**{column: None})  # noqa: SLF001
    return list(rows.order_by().values_list(key).annotate(count=Count("pk")))


def _key_id(key: bytes | memoryview) -> str:
    return bytes(key).hex()
