"""`manage.py restore` of files that are no good: refused in a sentence, nothing is changed."""

import zipfile
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import CommandError

from accounts.models import User
from tests.hummbl.archives import backup, change_manifest, manifest, restore, rewrite

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(alice, tmp_path, monkeypatch):
    """A backup. The test is in a transaction already, in which no other can begin."""
    monkeypatch.setattr("hummbl.backup.making._one_moment", nullcontext)
    path = tmp_path / "backup.zip"
    backup(path)
    return path


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-200])


def flip_a_byte(path):
    """In the compressed rows."""
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda info: info.compress_size)
    content = bytearray(path.read_bytes())
    content[largest.header_offset + 200] ^= 0xFF
    path.write_bytes(content)


def lose_a_row(path):
    def change(found):
        found["tables/accounts.user.jsonl"] = found["tables/accounts.user.jsonl"].split(b"\n", 1)[1]

    rewrite(path, change)


def lose_a_table(path):
    rewrite(path, lambda found: found.pop("tables/accounts.user.jsonl"))


def be_some_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "Dear reader")


def be_of_a_newer_version(path):
    names = [*manifest(path)["migrations"], "workflows.9999_from_the_future"]
    change_manifest(path, migrations=names)


DAMAGE = {
    cut_off: r"is not a backup of HUMMBL, or its end is missing\.",
    flip_a_byte: r"is damaged: it is not as it was written\. Use another backup\.",
    lose_a_row: r"is damaged",
    lose_a_table: r"is damaged",
    be_some_zip: r"is not a backup of HUMMBL: it has no manifest\.json\.",
    lambda path: path.write_text("Dear reader"): r"is not a backup of HUMMBL",
    lambda path: path.write_bytes(b""): r"is not a backup of HUMMBL",
    Path.unlink: r"cannot be read: No such file or directory",
    lambda path: change_manifest(path, product="other"): r"is not a backup of HUMMBL\.",
    lambda path: change_manifest(path, format=2): r"writes backups in another format",
    lambda path: change_manifest(path, tables=3): r"is damaged",
    be_of_a_newer_version: r"newer version of HUMMBL.*workflows\.9999_from_the_future",
}
NAMES = (
    *("cut off", "byte flipped", "row lost", "table lost", "some zip", "text", "empty"),
    *("missing", "foreign", "other format", "odd manifest", "newer"),
)


@pytest.mark.parametrize(("damage", "sentence"), DAMAGE.items(), ids=NAMES)
def test_what_is_no_good_backup_changes_nothing(full, bob, damage, sentence):
    damage(full)
    for options in ({"check": True}, {"replace": True}):
        with pytest.raises(CommandError, match=sentence):
            restore(full, **options)
    assert User.objects.filter(pk=bob.pk).exists()
