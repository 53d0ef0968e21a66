"""The pieces of `python -m benchmarks.peers`: nothing is installed, and no peer is needed."""

import itertools
import shutil
import sys
from contextlib import ExitStack

import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers import environments, servers
from benchmarks.peers.catalogue import CONTESTANTS, EVERY_TASK, EXECUTION
from benchmarks.peers.comparison import Comparison, Sizes
from benchmarks.peers.engines import Failed
from benchmarks.peers.graph import diamond, levels
from benchmarks.peers.work import Progress
from benchmarks.skipping import Skipped
from tests.factories import make_definition, make_diamond, make_task


class Fake:
    """An engine with those rates, one for each time it is asked."""

    def __init__(self, name, *rates, group=EVERY_TASK, database="PostgreSQL", error=None):
        self.name, self.database = name, database
        self.about = [group, name, "", "", ""]
        self._rates, self._error = list(rates), error

    def diamonds(self, share):
        if self._error:
            raise self._error
        return self._rates.pop(0)

    def sequence(self, steps, runs):
        return [0.3, 0.1, 0.2]

    def start(self, runs):
        return 12.34

    def calls(self, count):
        raise Skipped("there is no time")


def cells(text, name):
    """The cells of the rows that hold a cell of that name."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return [row for row in rows if name in row]


def test_peers_run_the_tasks_and_edges_that_we_run():
    definition = make_diamond()
    found = diamond()
    assert list(map(len, found)) == [1, 8, 1]
    edges = {
        (one, other)
        for before, after in itertools.pairwise(found)
        for one in before
        for other in after
    }
    assert edges == {
        (dependency, task["id"])
        for task in definition["tasks"]
        for dependency in task["dependencies"]
    }


def test_a_graph_that_peers_would_run_otherwise_is_refused():
    skips_a_level = make_definition(
        make_task("a"), make_task("b", "a"), make_task("c", "b"), make_task("d", "a", "c")
    )
    with pytest.raises(ValueError, match="wait for all of a level: d"):
        levels(skips_a_level)


def test_ratios_are_of_medians_on_the_same_database():
    comparison = Comparison(Sizes())
    comparison.add_ours(Fake("ours", 9000.0, 3000.0, 6000.0))
    comparison.add_ours(Fake("ours on SQLite", 8000.0, 8000.0, 8000.0, database="SQLite"))
    comparison.add(Fake("quick", 110.0, 200.0, 90.0, group=EXECUTION))
    comparison.add(Fake("slow", 20.0, 10.0, 40.0))
    comparison.add(Fake("other", 100.0, 150.0, 200.0))
    comparison.add(Fake("file", 100.0, 100.0, 100.0, database="SQLite"))

    text = comparison.text()

    assert [cells(text, name)[0][-2:] for name in ("ours", "quick", "slow", "other", "file")] == [
        ["6,000 (3,000–9,000)", "1×"],
        ["110 (90–200)", "54.5×"],
        ["20 (10–40)", "300.0×"],
        ["150 (100–200)", "40.0×"],
        ["100 (100–100)", "80.0×"],
    ]
    # A job for a whole execution does less: it is shown, and not what the goal is about.
    assert f"best peer with {EVERY_TASK}, other: 40.0×" in text
    assert cells(text, "slow")[1] == ["slow", "0.200 (0.100–0.300) s", "12.3 ms", "skipped"]
    assert "slow: skipped, because there is no time." in text
    assert not comparison.failed


def test_what_cannot_be_measured_has_a_row_and_a_reason():
    comparison = Comparison(Sizes())
    comparison.add_ours(Fake("ours", error=Skipped("it rains")))
    comparison.add(Fake("one", 1.0, 1.0, 1.0))
    comparison.add(Fake("two", error=Skipped("nobody answers")))
    assert not comparison.failed
    comparison.add(Fake("three", error=Failed("Traceback …")))

    text = comparison.text()

    assert cells(text, "one")[0][-2:] == ["1 (1–1)", "–"]
    assert cells(text, "two") == [[EVERY_TASK, "two", "", "", "", "skipped", "–"]]
    assert "two: skipped, because nobody answers." in text
    assert cells(text, "three") == [[EVERY_TASK, "three", "", "", "", "failed", "–"]]
    assert "three failed:\nTraceback …" in text
    assert "best peer" not in text
    assert comparison.failed


@pytest.mark.parametrize(
    ("begun", "complaint"),
    [
        ("a", "1 of 2 tasks"),
        ("aab", "1 tasks were performed twice"),
        ("ba", "did not keep its edges"),
        ("ab", ""),
    ],
)
def test_work_that_was_not_done_as_asked_has_no_figure(begun, complaint):
    progress = Progress()
    for task in begun:
        progress.begin("execution", task)
    if not complaint:
        progress.require(1, [["a"], ["b"]])
        return
    with pytest.raises(AssertionError, match=complaint):
        progress.require(1, [["a"], ["b"]])


def test_every_contestant_can_be_installed_and_run():
    assert len({contestant.name for contestant in CONTESTANTS}) == len(CONTESTANTS)
    for contestant in CONTESTANTS:
        assert environments.version_of(contestant.peer)
        assert (environments.FOLDER / contestant.peer / "runner.py").exists()
        assert set(contestant.servers) <= servers.SERVERS.keys()


def test_servers_that_do_not_answer_are_a_reason_to_skip(monkeypatch, tmp_path):
    monkeypatch.setenv("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:1//")
    monkeypatch.setenv("PATH", str(tmp_path))
    with ExitStack() as stack:
        with pytest.raises(Skipped, match=r"RabbitMQ, 127\.0\.0\.1:1: Connection refused"):
            servers.start(("rabbitmq",), stack)
        with pytest.raises(Skipped, match="no program redis-server"):
            servers.start(("redis",), stack)


def test_a_peer_that_cannot_be_installed_is_a_reason_to_skip(monkeypatch, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho WARNING: old >&2\necho ERROR: no such version >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    (tmp_path / "dbos").mkdir()
    (tmp_path / "dbos" / "requirements.txt").write_text("dbos==1\n")

    with pytest.raises(Skipped, match=r"it could not be installed \(ERROR: no such version\)"):
        environments.python_of("dbos", install=True)
    with pytest.raises(Skipped, match=r"dbos is not installed in "):
        environments.python_of("dbos", install=False)


@pytest.mark.slow
@pytest.mark.once
def test_the_tables_without_peers_and_without_postgresql(monkeypatch, capsys, tmp_path):
    shutil.copytree(environments.FOLDER, tmp_path / "peers", ignore=shutil.ignore_patterns(".venv"))
    monkeypatch.setattr(environments, "FOLDER", tmp_path / "peers")
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")

    only = ["--only", "dbos-sqlite", "--only", "celery-redis"]
    assert peers.main(["--quick", "--no-install", *only]) == 0

    said = capsys.readouterr().out
    assert "Bare single-row commits" in said
    assert "HUMMBL on SQLite" in said
    assert "dbos-sqlite: skipped, because dbos is not installed in " in said
    assert "celery-redis: skipped, because there is no PostgreSQL." in said
    assert "PostgreSQL: skipped. 127.0.0.1:1: " in said
    assert len(cells(said, "skipped")) == 2
