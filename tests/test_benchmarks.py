"""The pieces of `python -m benchmarks`, with counts that measure nothing."""

import json
import os

import pytest

from benchmarks import __main__ as bench
from benchmarks.catalogue import MEASUREMENTS
from benchmarks.databases import Postgres, Sqlite, environment, run, with_name
from benchmarks.figures import percentile, spread, table
from benchmarks.memory import is_measurable, peak_megabytes, proportional_megabytes
from tests import network

TINY = {
    "commits": {"seconds": 0.01},
    "syncs": {"seconds": 0.01},
    "diamonds": {"count": 3, "live": 2},
    "diamonds-procrastinate": {"count": 3, "live": 2},
    "sequence": {"steps": 3, "runs": 1},
    "slow-calls": {"count": 3, "pause": 0.01},
    "start": {"count": 2},
    "start-procrastinate": {"count": 2},
    "recovery": {"count": 2, "pause": 0.01},
    "list": {"rows": 2, "rate": 50, "seconds": 0.1, "rounds": 1},
    "streams": {"streams": 3, "settle": 0, "rest": 0.1, "events": 2, "pause": 0.01},
    "memory": {"settle": 0},
    "editor": {"counts": [3], "repeat": 1},
    "pages": {"tasks": 4},
    "limits": {"processes": 2, "attempts": 10, "window": 1, "bursts": 1, "calls": 3},
    "timing": {"samples": 1},
    "middleware": {"calls": 10},
    "record": {"calls": 100, "rounds": 1},
    "ingest": {"rate": 10, "seconds": 5, "tag_sets": 2},
    "percentiles": {"days": 2, "tag_sets": 2, "samples": 5, "repeat": 1},
    "rows": {"requests": 1, "routes": 2, "models": 1, "hours": 1},
    "storm": {"count": 20},
    "retention": {"results": 60, "rounds": 3, "asks": 1},
}
# What browsers are sent is the same from either database.
ONCE = {"pages"}
BY_NAME = {measurement.name: measurement for measurement in MEASUREMENTS}


def test_percentiles_are_values_that_occurred():
    values = [float(n) for n in range(100, 0, -1)]
    assert [percentile(values, n) for n in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([7.0], 99) == 7
    assert percentile([1.0, 2.0], 50) == 1


def test_a_spread_tells_the_range_only_of_several():
    assert spread([3000.0, 1000.0, 2000.4]) == "2,000 (1,000–3,000)"
    assert spread([0.0412], ".3f") == "0.041"


def test_the_table_is_aligned_markdown():
    assert table(["what", "goal"], [["a", "≥ 1"], ["longer", "–"]]).splitlines() == [
        "| what   | goal |",
        "| ------ | ---- |",
        "| a      | ≥ 1  |",
        "| longer | –    |",
    ]


@pytest.mark.skipif(not is_measurable(), reason="only Linux tells")
def test_memory_of_this_process():
    assert proportional_megabytes(os.getpid()) > 10
    assert proportional_megabytes(os.getpid()) < 2 * peak_megabytes()


def test_another_database_on_the_same_server():
    url = "postgres://me:secret@db.example.com:5433/postgres?sslmode=require"
    assert with_name(url, "other") == url.replace("/postgres?", "/other?")


def test_every_measurement_has_a_tiny_form_here():
    assert TINY.keys() == BY_NAME.keys()
    for measurement in MEASUREMENTS:
        assert measurement.quick.keys() <= measurement.arguments.keys()
        assert TINY[measurement.name].keys() == measurement.arguments.keys()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("benchmarks")


@pytest.fixture(scope="module")
def database(folder):
    """SQLite, or PostgreSQL where the tests run on it."""
    if not os.environ.get("TEST_DATABASE_URL"):
        yield Sqlite(folder)
        return
    with bench.ExitStack() as stack:
        yield bench.open_postgres(stack, folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.once] * (name in ONCE)) for name in TINY],
)
def test_a_measurement(name, database, folder, monkeypatch):
    measurement = BY_NAME[name]
    if database.label not in measurement.databases:
        pytest.skip(f"not measured on {database.label}")
    monkeypatch.setenv("LEASE_SECONDS", "1")

    with database.fresh() as url, network.unchanged():
        env = environment(url, folder) | measurement.environment
        outcome = bench.measure(measurement.function, TINY[name], env)

    assert "failed" not in outcome, outcome["failed"]
    if "result" in outcome:
        cell = measurement.show([outcome["result"]])
        assert cell
        assert json.dumps(outcome["result"])
        if name == "recovery":
            assert cell.endswith("0 / 0 / 0")


@pytest.mark.slow
def test_fresh_databases_are_empty_and_go_away(database):
    with database.fresh() as first, database.fresh() as second:
        assert first != second
    if isinstance(database, Postgres):
        names = run(os.environ["TEST_DATABASE_URL"], "SELECT array_agg(datname) FROM pg_database")
        assert second.rpartition("/")[2] not in names


@pytest.mark.slow
def test_the_table_without_postgresql(monkeypatch, capsys):
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")

    assert bench.main(["--quick", "--only", "commits"]) == 0

    said = capsys.readouterr().out
    assert "| what" in said
    assert "Bare single-row commits" in said
    assert "| skipped" in said
    assert "PostgreSQL: skipped. 127.0.0.1:1: " in said


@pytest.mark.slow
def test_a_measurement_that_fails_says_why(database, folder):
    with database.fresh() as url:
        outcome = bench.measure(
            "benchmarks.engine:diamonds", {"count": 0}, environment(url, folder)
        )
    assert "missing 1 required positional argument: 'live'" in outcome["failed"]


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--only", "nonsense"])
    assert "invalid choice" in capsys.readouterr().err
