"""The file: a ZIP with a member of JSON lines for each table, and a manifest that counts them.

A line is a list, the values of one row in the order of the table's columns in the manifest. The
manifest is written last and holds the SHA-256 of each member.
"""

import base64
import hashlib
import json
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final, Self

from hummbl.errors import AppError

PRODUCT: Final = "hummbl"
FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
# Text shrinks little more at higher levels, at several times the cost.
LEVEL: Final = 3
CHUNK: Final = 1 << 16

Row = list[Any]


class BackupError(AppError):
    """A backup that cannot be made or restored, with what to do about it."""

    code = "backup"


@dataclass(frozen=True, slots=True)
class Content:
    """A table in an archive."""

    columns: list[str]
    rows: int
    sha256: str


@dataclass(slots=True)
class Manifest:
    """What is in an archive, and where it comes from.

    `migrations` (`app.name`) are the schema that the rows are of; `encryption_keys` says how many
    stored secrets need the encryption key of that id.
    """

    version: str
    made_at: datetime
    database: str
    migrations: list[str]
    encryption_keys: dict[str, int]
    tables: dict[str, Content] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    def to_json(self) -> dict[str, Any]:
        """As it stands in the archive."""
        made_at = self.made_at.isoformat()
        return {"product": PRODUCT, "format": FORMAT, **asdict(self), "made_at": made_at}

    @classmethod
    def from_json(cls, found: Any) -> Self:
        """Raises KeyError, TypeError or ValueError when it is none."""
        return cls(
            version=str(found["version"]),
            made_at=datetime.fromisoformat(found["made_at"]),
            database=str(found["database"]),
            migrations=[str(name) for name in found["migrations"]],
            encryption_keys=dict(found["encryption_keys"]),
            tables={name: Content(**content) for name, content in found["tables"].items()},
        )


class Writer:
    """Writes an archive to a file, which need not be seekable.

    As a context: left without an error it writes the manifest, without which there is no archive.
    """

    def __init__(self, file: IO[bytes], manifest: Manifest) -> None:
        self.manifest = manifest
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)

    def add(self, name: str, columns: list[str], batches: Iterable[list[Sequence[Any]]]) -> None:
        """Write a table, a batch of rows at a time."""
        digest, rows = hashlib.sha256(), 0
        with self._zip.open(_member(name), "w", force_zip64=True) as out:
            for batch in batches:
                lines = b"".join(_line(row) for row in batch)
                digest.update(lines)
                rows += len(batch)
                out.write(lines)
        self.manifest.tables[name] = Content(columns, rows, digest.hexdigest())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._zip.writestr(MANIFEST, json.dumps(self.manifest.to_json(), indent=1))
            self._zip.close()
        else:
            # The disk may be full: what is wrong is on its way already.
            with suppress(OSError, ValueError):
                self._zip.close()


class Reader:
    """Reads an archive. Every method raises BackupError for one that is damaged."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._zip = archive

    def verify(self) -> None:
        """Read all of it, and compare it with the manifest."""
        for name, content in self.manifest.tables.items():
            digest, rows = hashlib.sha256(), 0
            with _damage(self.path), self._zip.open(_member(name)) as member:
                while chunk := member.read(CHUNK):
                    digest.update(chunk)
                    rows += chunk.count(b"\n")
            if (rows, digest.hexdigest()) != (content.rows, content.sha256):
                raise _damaged(self.path)

    def rows(self, name: str) -> Iterator[Row]:
        """The rows of a table."""
        with _damage(self.path), self._zip.open(_member(name)) as member:
            for line in member:
                yield json.loads(line)


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """The archive at `path`. Raises BackupError for any other file."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}.") from error
    except zipfile.BadZipFile as error:
        raise BackupError(f"{path} is not a backup of HUMMBL, or its end is missing.") from error
    with archive:
        yield Reader(path, archive, _manifest(path, archive))


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    if MANIFEST not in archive.namelist():
        raise BackupError(f"{path} is not a backup of HUMMBL: it has no {MANIFEST}.")
    with _damage(path):
        found = json.loads(archive.read(MANIFEST))
        if not isinstance(found, dict) or found.get("product") != PRODUCT:
            raise BackupError(f"{path} is not a backup of HUMMBL.")
        if found["format"] != FORMAT:
            raise BackupError(
                f"{path} was made by HUMMBL {found['version']}, which writes backups in another "
                "format. Restore it with that version."
            )
        return Manifest.from_json(found)


def _member(name: str) -> str:
    return f"tables/{name}.jsonl"


def _plain(value: Any) -> str:
    """What JSON does not know, as `Field.to_python` reads it."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, Decimal)):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(value).decode()
    raise TypeError(f"Backups have no form for a {type(value).__name__}.")


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), default=_plain)


def _line(row: Sequence[Any]) -> bytes:
    return _ENCODER.encode(row).encode() + b"\n"


def _damaged(path: Path) -> BackupError:
    return BackupError(f"{path} is damaged: it is not as it was written. Use another backup.")


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Whatever reading a damaged file may raise, as one error."""
    try:
        yield
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError),
        *(KeyError, TypeError, ValueError, AttributeError),
    ) as error:
        raise _damaged(path) from error
