"""Measure HUMMBL and print one table: `python -m benchmarks [--quick] [--only NAME]`."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.catalogue import MEASUREMENTS, Measurement
from benchmarks.databases import Database, Sqlite, Unavailable, environment, open_postgres
from benchmarks.figures import table
from benchmarks.measuring import measure
from benchmarks.peers.__main__ import compare
from benchmarks.peers.catalogue import CONTESTANTS

QUICK_NOTE = "Quick: smaller counts, once each. This shows that it works, not how fast it is."
HEADER = ["what", "SQLite", "PostgreSQL", "goal"]


class Bench:
    """Fills the table. `folder` holds the databases' files and the secrets of the processes."""

    def __init__(self, databases: list[Database], folder: Path, *, quick: bool) -> None:
        self._databases, self._folder, self._quick = databases, folder, quick
        self.notes: list[str] = []
        self.failed = False

    def row(self, measurement: Measurement) -> list[str]:
        """The cells of one measurement."""
        cells = {database.label: self._cell(measurement, database) for database in self._databases}
        return [
            measurement.what,
            *(cells.get(label, "skipped") for label in HEADER[1:3]),
            measurement.goal,
        ]

    def _cell(self, measurement: Measurement, database: Database) -> str:
        if database.label not in measurement.databases:
            return "–"
        label = f"{measurement.name} on {database.label}"
        print(f"Measuring {label} …", file=sys.stderr)
        results = []
        for _ in range(1 if self._quick else measurement.repeat):
            outcome = self._measure(measurement, database)
            if "result" not in outcome:
                self._explain(label, outcome)
                return "skipped" if "skipped" in outcome else "failed"
            results.append(outcome["result"])
        if measurement.detail:
            self.notes.append(f"{label}:\n\n{measurement.detail(results[-1])}")
        return measurement.show(results)

    def _measure(self, measurement: Measurement, database: Database) -> dict[str, Any]:
        arguments = measurement.arguments | (measurement.quick if self._quick else {})
        with database.fresh() as url:
            env = environment(url, self._folder) | measurement.environment
            return measure(measurement.function, arguments, env, measurement.limit_seconds)

    def _explain(self, label: str, outcome: dict[str, Any]) -> None:
        if "skipped" in outcome:
            self.notes.append(f"{label}: skipped, because {outcome['skipped']}.")
        else:
            self.failed = True
            self.notes.append(f"{label} failed:\n{outcome['failed']}")


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for; the exit status."""
    names = [measurement.name for measurement in MEASUREMENTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=names, help="may be given repeatedly")
    parser.add_argument("--quick", action="store_true", help="small counts, once each: no figures")
    parser.add_argument("--no-peers", action="store_true", help="HUMMBL alone, as with --only")
    options = parser.parse_args(arguments)
    chosen = [each for each in MEASUREMENTS if each.name in (options.only or names)]
    with ExitStack() as stack:
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix="hummbl-bench-"))
        folder = Path(made)
        databases: list[Database] = [Sqlite(folder)]
        notes = [QUICK_NOTE] if options.quick else []
        try:
            databases.append(open_postgres(stack, folder))
        except Unavailable as reason:
            notes.append(f"PostgreSQL: skipped. {reason}")
        versions = [f"{database.label} {database.version}" for database in databases]
        about = machine.description(versions, folder)
        bench = Bench(databases, folder, quick=options.quick)
        rows = [bench.row(measurement) for measurement in chosen]
        print(about, table(HEADER, rows), *notes, *bench.notes, sep="\n\n", flush=True)
        failed = bench.failed
        if not (options.only or options.no_peers):
            text, peers_failed = compare(databases, folder, CONTESTANTS, quick=options.quick)
            print(f"\nBeside its peers\n\n{text}")
            failed = failed or peers_failed
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
