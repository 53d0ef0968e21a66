"""What `python -m benchmarks` measures, in the order of its table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import spread, table


@dataclass(frozen=True, slots=True)
class Measurement:
    """A line of the table.

    `function` is `module:function`; it is called with `arguments`, `repeat` times, each in a
    process and on a database of its own, and `show` makes a cell of all that it returned;
    `detail` makes what is printed below the table of the last.
    `quick` replaces arguments for a look that takes seconds.
    """

    name: str
    what: str
    goal: str
    function: str
    show: Callable[[list[Any]], str]
    arguments: dict[str, Any] = field(default_factory=dict)
    quick: dict[str, Any] = field(default_factory=dict)
    repeat: int = 1
    databases: tuple[str, ...] = ("SQLite", "PostgreSQL")
    detail: Callable[[Any], str] | None = None
    limit_seconds: int = 180


def _rate(results: list[float]) -> str:
    return f"{spread(results)}/s"


def _sequence(results: list[list[float]]) -> str:
    return f"{spread(results[0], '.3f')} s"


def _slow_calls(results: list[dict[str, float]]) -> str:
    seconds = spread([result["seconds"] for result in results], ".2f")
    return f"{seconds} s, {max(result['megabytes'] for result in results):.0f} MB"


def _percentiles(results: list[dict[str, float]]) -> str:
    return " / ".join(f"{value:.1f}" for value in results[0].values()) + " ms"


def _memory(results: list[dict[str, float]]) -> str:
    web, worker = results[0]["web"], results[0]["worker"]
    return f"{web:.0f} + {worker:.0f} = {web + worker:.0f} MB"


def _recovery(results: list[dict[str, Any]]) -> str:
    (result,) = results
    counts = " / ".join(str(result[name]) for name in ("lost", "twice", "rerun"))
    return f"{result['seconds']:.1f} s of lease {result['lease']:g} s; {counts}"


def _list(results: list[dict[str, float]]) -> str:
    (result,) = results
    ratio = result["rate"] / result["plain"]
    latency = f"{result['p50']:.1f} / {result['p99']:.1f} ms"
    return f"{latency}; {result['rate']:.0f}/s, {ratio:.2f}×"


def _editor(results: list[dict[str, list[float]]]) -> str:
    (result,) = results
    return " / ".join(spread(values) for values in result.values()) + " ms"


def _pages(results: list[list[dict[str, Any]]]) -> str:
    (result,) = results
    heaviest = max(result, key=lambda page: page["kilobytes"])
    busiest = max(result, key=lambda page: page["queries"])
    return (
        f"{heaviest['kilobytes']:.0f} KB ({heaviest['page']}), "
        f"{busiest['queries']} queries ({busiest['page']})"
    )


def _every_page(result: list[dict[str, Any]]) -> str:
    rows = [
        [page["page"], f"{page['kilobytes']:.1f}", str(page["requests"]), str(page["queries"])]
        for page in result
    ]
    return table(["page, cold cache", "KB transferred", "requests", "queries"], rows)


def _limits(results: list[dict[str, dict[str, float]]]) -> str:
    ours = results[0]["ours"]
    return f"{ours['allowed']:.0f}; {ours['edge']:.0f}; {ours['p50']:.0f} / {ours['p99']:.0f} µs"


def _every_limiter(result: dict[str, dict[str, float]]) -> str:
    rows = [
        [
            label,
            f"{found['allowed']:.0f}",
            f"{found['edge']:.0f}",
            f"{found['p50']:.0f}",
            f"{found['p99']:.0f}",
        ]
        for label, found in result.items()
    ]
    return table(["limit of 5", "allowed", "of one burst", "p50 µs", "p99 µs"], rows)


def _timing(results: list[dict[str, Any]]) -> str:
    (result,) = results
    apart = min(pair["p"] for pair in result["pairs"])
    return f"{len(result['pairs'])} pairs, smallest p = {apart:.3f}"


def _every_pair(result: dict[str, Any]) -> str:
    rows = [
        [name, str(found["status"]), f"{found['p50']:.1f}", f"{found['p95']:.1f}"]
        for name, found in result["cases"].items()
    ]
    pairs = [
        [pair["one"], pair["other"], f"{pair['difference']:+.2f}", f"{pair['p']:.3f}"]
        for pair in result["pairs"]
    ]
    cases = table(["attempt", "status", "median ms", "p95 ms"], rows)
    return f"{cases}\n\n{table(['one', 'other', 'medians apart, ms', 'p'], pairs)}"


MEASUREMENTS = [
    Measurement(
        name="commits",
        what="Bare single-row commits, one after the other",
        goal="the ceiling",
        function="benchmarks.disk:commits",
        show=_rate,
        arguments={"seconds": 1.5},
        quick={"seconds": 0.3},
    ),
    Measurement(
        name="syncs",
        what="Bare fdatasync of 4 KB in the folder of the SQLite file",
        goal="the ceiling",
        function="benchmarks.disk:syncs",
        show=_rate,
        arguments={"seconds": 1.0},
        quick={"seconds": 0.3},
        databases=("SQLite",),
    ),
    Measurement(
        name="diamonds",
        what="Tasks of 10-task diamonds, 1,000 queued, 200 live: median of 3 (min–max)",
        goal="≥ 15,000/s SQLite, ≥ 8,000/s PostgreSQL",
        function="benchmarks.engine:diamonds",
        show=_rate,
        arguments={"count": 1000, "live": 200},
        quick={"count": 100},
        repeat=3,
    ),
    Measurement(
        name="sequence",
        what="40 steps, one after the other, creation to end: median of 5 (min–max)",
        goal="≤ 0.04 s",
        function="benchmarks.engine:sequence",
        show=_sequence,
        arguments={"steps": 40, "runs": 5},
        quick={"runs": 2},
    ),
    Measurement(
        name="slow-calls",
        what="300 one-second calls in one worker: time, peak resident memory",
        goal="≤ 1.2 s, ≤ 90 MB",
        function="benchmarks.engine:slow_calls",
        show=_slow_calls,
        arguments={"count": 300, "pause": 1.0},
    ),
    Measurement(
        name="start",
        what="Creation committed to first call begun, worker idle: p50 / p95 / p99",
        goal="p95 ≤ 15 ms",
        function="benchmarks.engine:start_latency",
        show=_percentiles,
        arguments={"count": 200},
        quick={"count": 20},
    ),
    Measurement(
        name="recovery",
        what="kill -9 with 20 calls in flight: time beyond the calls; lost / ended twice / re-run",
        goal="≤ lease + 3 s; 0 / 0 / 0",
        function="benchmarks.engine:recovery",
        show=_recovery,
        arguments={"count": 20, "pause": 1.0},
        quick={"pause": 0.2},
    ),
    Measurement(
        name="list",
        what="GET /api/workflows, 50 rows: p50 / p99 at 100/s; most per second, × plain DRF",
        goal="p99 ≤ 30 ms; ≥ 1.5×",
        function="benchmarks.web:list_workflows",
        show=_list,
        arguments={"rows": 50, "rate": 100, "seconds": 6.0, "rounds": 3},
        quick={"seconds": 1.0, "rounds": 1},
    ),
    Measurement(
        name="memory",
        what="Web + worker at rest, proportional set size",
        goal="≤ 200 MB",
        function="benchmarks.web:at_rest",
        show=_memory,
        arguments={"settle": 3.0},
        quick={"settle": 0.5},
    ),
    Measurement(
        name="editor",
        what="Click to a usable editor of 10 / 50 / 200 / 500 tasks: median of 5 (min–max)",
        goal="200 tasks in ≤ 1,000 ms",
        function="benchmarks.pages:editor",
        show=_editor,
        arguments={"counts": [10, 50, 200, 500], "repeat": 5},
        quick={"repeat": 1},
        databases=("SQLite",),
    ),
    Measurement(
        name="pages",
        what="Heaviest page with a cold cache, and the one with the most queries; 10 tasks",
        goal="≤ 100 KB",
        function="benchmarks.pages:pages",
        show=_pages,
        arguments={"tasks": 10},
        detail=_every_page,
    ),
    Measurement(
        name="limits",
        what="80 attempts by 8 processes at a limit of 5: allowed; of one burst; cost p50 / p99",
        goal="5; 5; < 1,000 µs",
        function="benchmarks.limits:compare",
        show=_limits,
        arguments={"processes": 8, "attempts": 80, "window": 2, "calls": 2000},
        quick={"calls": 100},
        detail=_every_limiter,
    ),
    Measurement(
        name="timing",
        what="Sign-in, registration and reset: times of known and unknown accounts (Mann–Whitney)",
        goal="no pair apart, p > 0.001",
        function="benchmarks.timing:compare",
        show=_timing,
        arguments={"samples": 200},
        quick={"samples": 5},
        databases=("SQLite",),
        limit_seconds=1200,
        detail=_every_pair,
    ),
]
