"""The file of the counters: who opens it waits for others who do, and for nothing else."""

import sqlite3

import pytest

from hummbl import counters


def test_a_file_that_cannot_be_written_is_not_waited_for(tmp_path, monkeypatch):
    """A disk that is full would keep every request waiting, one after the other."""
    name = str(tmp_path / "counters")
    counters._open(name).close()
    monkeypatch.setattr(counters.time, "sleep", lambda _: pytest.fail("It waits."))
    # The file, which is there already, cannot get longer by a page.
    monkeypatch.setattr(counters, "_CREATE", "CREATE TABLE another (key TEXT)")

    def connect(*args, **options):
        opened = sqlite3_connect(*args, **options)
        pages = opened.execute("PRAGMA page_count").fetchone()[0]
        opened.execute(f"PRAGMA max_page_count = {pages}")
        return opened

    sqlite3_connect = sqlite3.connect
    monkeypatch.setattr(counters.sqlite3, "connect", connect)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        counters._open(name)


def test_who_opens_it_waits_for_who_does_the_same(tmp_path, monkeypatch):
    name = str(tmp_path / "counters")
    other = sqlite3.connect(name, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    waits = []

    def let_go(_):
        waits.append(1)
        other.rollback()

    monkeypatch.setattr(counters.time, "sleep", let_go)
    monkeypatch.setattr(counters, "TIMEOUT", 0)
    counters._open(name).close()
    other.close()
    assert waits == [1]
