"""Measure HUMMBL beside its peers: `python -m benchmarks.peers [--quick] [--only NAME]`.

What is not installed yet will be, each peer into an environment of its own; what cannot be measured
here has a row that says so, and the reason below.
"""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import machine
from benchmarks.databases import Database, Sqlite, Unavailable, open_postgres
from benchmarks.peers.catalogue import CONTESTANTS, Contestant
from benchmarks.peers.comparison import QUICK, Comparison, Sizes
from benchmarks.peers.engines import Ours, Theirs

NAMES = [contestant.name for contestant in CONTESTANTS]


def compare(
    databases: list[Database],
    folder: Path,
    chosen: list[Contestant],
    *,
    quick: bool = False,
    install: bool = True,
) -> tuple[str, bool]:
    """Measure ours on each of the databases, then the peers: the text, and whether one failed."""
    comparison = Comparison(QUICK if quick else Sizes())
    home = folder / "peers"
    home.mkdir()
    by_label = {database.label: database for database in databases}
    bare = []
    ours = [Ours(database, folder) for database in databases]
    diamond = ours[0].diamond()
    for engine in ours:
        bare.append(f"{engine.commits(0.3 if quick else 1.5):,.0f}/s on {engine.database}")
        comparison.add_ours(engine)
    for each in chosen:
        comparison.add(Theirs(each, diamond, by_label.get(each.database), home, install=install))
    ceiling = f"Bare single-row commits, one after the other: {', '.join(bare)}."
    return f"{ceiling}\n\n{comparison.text()}", comparison.failed


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="may be given repeatedly")
    parser.add_argument("--quick", action="store_true", help="small counts, once each: no figures")
    parser.add_argument("--no-install", action="store_true", help="skip peers that are not there")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix="hummbl-bench-"))
        folder = Path(made)
        databases: list[Database] = [Sqlite(folder)]
        notes = []
        try:
            databases.append(open_postgres(stack, folder))
        except Unavailable as reason:
            notes.append(f"PostgreSQL: skipped. {reason}")
        about = machine.description(
            [f"{database.label} {database.version}" for database in databases], folder
        )
        chosen = [each for each in CONTESTANTS if each.name in (options.only or NAMES)]
        text, failed = compare(
            databases, folder, chosen, quick=options.quick, install=not options.no_install
        )
    print(about, text, *notes, sep="\n\n")
    return int(failed)


if __name__ == "__main__":
    # So that `with` blocks end what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
