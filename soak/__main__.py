"""Prove that nothing is lost: `make soak`, or `python -m soak` with options.

On each database and under each dispatcher hundreds of executions run while their workers are
killed, paused, restarted and cut off, the database is restarted or finds its disk full, and the
provider fails. Then every row is examined. The exit status is 1 if any rule is broken.

A seed decides what clients ask for and what goes wrong when. The same seed does the same again;
how the processes interleave is the machine's, so a rare finding may take several runs to return.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import table
from benchmarks.processes import BASE_DIR, end
from soak.plan import CHAOS

STAGES = (("sqlite", "database"), ("postgresql", "database"), ("postgresql", "procrastinate"))
KINDS = ("kill", "pause", "restart", "partition", "database restart", "disk full")
HEADER = [
    *("database", "dispatcher", "seed", "executions", "kills", "pauses", "restarts"),
    *("partitions", "database restarts", "disk full", "re-run calls", "losses", "seconds"),
]
# Beyond the chaos itself: starting, calming down, the verdict.
PATIENCE_SECONDS = 400


def main(arguments: list[str] | None = None) -> int:
    """Soak what was asked for; the exit status."""
    options = _parser().parse_args(arguments)
    stages = [
        (database, dispatcher)
        for database, dispatcher in STAGES
        if options.database in (None, database) and options.dispatcher in (None, dispatcher)
    ]
    if not stages:
        print("The dispatcher procrastinate needs PostgreSQL.", file=sys.stderr)
        return 2
    print(f"Seed {options.seed}. To see the same again: {_again(options)}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="hummbl-soak-"))
    rows, failed = [], False
    for database, dispatcher in stages:
        label = f"{database} with {dispatcher}"
        own = folder / f"{database}-{dispatcher}"
        own.mkdir()
        outcome = _soak(own, database, dispatcher, options)
        failed |= _report(label, outcome)
        rows.append(_row(database, dispatcher, options.seed, outcome))
    print(table(HEADER, rows))
    if failed:
        print(f"\nBroken. Seed {options.seed}; again: {_again(options)}\nLogs: {folder}")
    else:
        shutil.rmtree(folder)
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m soak", description=__doc__, formatter_class=formatter
    )
    drawn = random.SystemRandom().randrange(1_000_000)
    parser.add_argument("--seed", type=int, default=drawn, help="default: a new one each time")
    parser.add_argument("--executions", type=int, default=300, help="for each stage; default 300")
    parser.add_argument("--seconds", type=float, default=60, help="of chaos each; default 60")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="default: both")
    parser.add_argument("--dispatcher", choices=["database", "procrastinate"], help="default: both")
    parser.add_argument(
        "--only", action="append", choices=list(CHAOS), help="this chaos alone; may be repeated"
    )
    return parser


def _again(options: argparse.Namespace) -> str:
    given = vars(options) | {"only": None}
    words = [
        f"--{name} {value:g}" if isinstance(value, float) else f"--{name} {value}"
        for name, value in given.items()
        if value is not None
    ]
    words += [f"--only '{kind}'" for kind in options.only or ()]
    return " ".join(["python -m soak", *words])


def _soak(
    folder: Path, database: str, dispatcher: str, options: argparse.Namespace
) -> dict[str, Any]:
    """What came of one stage; without `losses` if it broke down itself."""
    arguments = {
        **vars(options),
        "folder": str(folder),
        "database": database,
        "dispatcher": dispatcher,
    }
    command = [sys.executable, "-m", "soak.one", json.dumps(arguments)]
    log = folder / "soak.log"
    with log.open("w") as complaints:
        process = subprocess.Popen(
            command, cwd=BASE_DIR, stdout=subprocess.PIPE, stderr=complaints, text=True
        )
        try:
            said, _ = process.communicate(timeout=options.seconds + PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            said = ""
        finally:
            end(process)
    if process.returncode or not said:
        return {"failed": log.read_text()[-4000:]}
    outcome: dict[str, Any] = json.loads(said.splitlines()[-1])
    return outcome


def _report(label: str, outcome: dict[str, Any]) -> bool:
    """Print what a table cannot show; whether something is broken."""
    if "failed" in outcome:
        print(f"== {label} could not be carried out:\n{outcome['failed']}")
        return True
    ends = ", ".join(f"{count} {status}" for status, count in sorted(outcome["ends"].items()))
    print(f"== {label}: {ends}")
    for kind, reason in outcome["missing"].items():
        print(f"   no {kind}: {reason}")
    for violation in outcome["violations"]:
        print(f"   BROKEN {violation}")
    return bool(outcome["losses"])


def _row(database: str, dispatcher: str, seed: int, outcome: dict[str, Any]) -> list[str]:
    if "failed" in outcome:
        return [database, dispatcher, str(seed), *["–"] * (len(HEADER) - 4), "failed"]
    done = [
        "–" if kind in outcome["missing"] else str(outcome["done"].get(kind, 0)) for kind in KINDS
    ]
    figures = [str(outcome[name]) for name in ("again", "losses", "seconds")]
    return [database, dispatcher, str(seed), str(outcome["executions"]), *done, *figures]


if __name__ == "__main__":
    sys.exit(main())
