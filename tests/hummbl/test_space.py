"""What deletions freed leaves the disk: free pages and the write-ahead log of SQLite."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from hummbl import space
from tests.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)


def fill_and_empty(size=6_000_000):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE junk (bytes BLOB)")
        cursor.execute("INSERT INTO junk VALUES (zeroblob(%s))", [size])
        cursor.execute("DROP TABLE junk")


def test_a_size_is_known(is_postgres):
    found = space.measure()
    assert found.data > 100_000
    assert found.total == found.data + found.log
    assert space.can_give_back()
    assert "MB" in space.change(found, found)


@pytest.fixture
def sqlite_only(is_postgres):
    if is_postgres:
        pytest.skip("PostgreSQL uses freed room again by itself.")
    space.give_back()


def test_free_pages_and_the_log_leave_the_disk(sqlite_only):
    begun = space.measure()
    fill_and_empty()
    full = space.measure()
    assert full.free > 5_000_000
    assert full.log > 5_000_000

    space.give_back()

    after = space.measure()
    spare = space.SPARE * 4096
    assert after.free <= spare
    assert after.data <= begun.data + spare
    assert after.log == 0
    assert f"{(full.total - after.total) / space.MEGABYTE:.1f} MB less" in space.change(full, after)


def test_in_steps_until_told_to_stop(sqlite_only):
    fill_and_empty()
    before = space.measure().free
    answers = iter([False, True])
    space.give_back(stopped=lambda: next(answers))
    assert before - space.measure().free == space.STEP * 4096


def test_a_reader_hinders_nothing_and_is_not_hindered(sqlite_only):
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as reader:
        reader.execute("BEGIN")
        users = reader.execute("SELECT count(*) FROM accounts_user").fetchone()
        fill_and_empty()
        space.give_back()
        assert space.measure().log > 0
        assert reader.execute("SELECT count(*) FROM accounts_user").fetchone() == users
    space.give_back()
    assert space.measure().log == 0
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)


def test_the_log_is_cut_after_a_burst(sqlite_only):
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_size_limit").fetchone()[0] == 64 * 1024 * 1024


def test_a_file_that_gives_nothing_back_says_what_to_do(sqlite_only, tmp_path):
    old = tmp_path / "old.sqlite3"
    with (
        closing(sqlite3.connect(connection.settings_dict["NAME"])) as ours,
        closing(sqlite3.connect(old)) as copy,
    ):
        ours.backup(copy)
        copy.execute("PRAGMA auto_vacuum=NONE")
        copy.execute("VACUUM")
        assert copy.execute("PRAGMA auto_vacuum").fetchone() == (0,)

    assert "cleanup --vacuum" in cleanup(old)
    assert "cleanup --vacuum" not in cleanup(old, "--vacuum")
    assert "cleanup --vacuum" not in cleanup(old)
    with closing(sqlite3.connect(old)) as copy:
        assert copy.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def cleanup(path: Path, *options):
    done = subprocess.run(
        [sys.executable, "manage.py", "cleanup", *options],
        cwd=settings.BASE_DIR,
        env=environment(DATABASE_URL=f"sqlite:///{path}"),
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def test_vacuum_goes_alone(is_postgres):
    with pytest.raises(CommandError, match="VACUUM FULL" if is_postgres else "--dry-run"):
        call_command("cleanup", vacuum=True, dry_run=not is_postgres)
