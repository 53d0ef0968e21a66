"""Looking into backups, and making such as nobody should restore."""

import json
import zipfile
from io import StringIO
from pathlib import Path

from django.core.management import call_command


def backup(path, **options) -> str:
    """Run the command; what it said."""
    said = StringIO()
    call_command("backup", str(path), stdout=said, stderr=said, **options)
    return said.getvalue()


def restore(path, **options) -> str:
    """Run the command; what it said."""
    said = StringIO()
    call_command("restore", str(path), stdout=said, **options)
    return said.getvalue()


def members(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest(path) -> dict:
    return json.loads(members(path)["manifest.json"])


def rows(path, table: str) -> list[dict]:
    """The rows of a table, by the names of its columns."""
    columns = manifest(path)["tables"][table]["columns"]
    lines = members(path)[f"tables/{table}.jsonl"].splitlines()
    return [dict(zip(columns, json.loads(line), strict=True)) for line in lines]


def rewrite(path: Path, change) -> None:
    """Let `change` alter the members, by name, and write them anew."""
    found = members(path)
    change(found)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in found.items():
            archive.writestr(name, content)


def change_manifest(path: Path, **values) -> None:
    def change(found):
        found["manifest.json"] = json.dumps(json.loads(found["manifest.json"]) | values).encode()

    rewrite(path, change)
