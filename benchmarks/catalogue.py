"""What `python -m benchmarks` measures, in the order of its table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks import cells


@dataclass(frozen=True, slots=True)
class Measurement:
    """A line of the table.

    `function` is `module:function`; it is called with `arguments`, `repeat` times, each in a
    process and on a database of its own, and `show` makes a cell of all that it returned;
    `detail` makes what is printed below the table of the last. `environment` is that of the
    process. `quick` replaces arguments for a look that takes seconds.
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
    environment: dict[str, str] = field(default_factory=dict)
    detail: Callable[[Any], str] | None = None
    limit_seconds: int = 180


PROCRASTINATE = {"EXECUTION_DISPATCHER": "procrastinate"}

MEASUREMENTS = [
    Measurement(
        name="commits",
        what="Bare single-row commits, one after the other",
        goal="the ceiling",
        function="benchmarks.disk:commits",
        show=cells.rate,
        arguments={"seconds": 1.5},
        quick={"seconds": 0.3},
    ),
    Measurement(
        name="syncs",
        what="Bare fdatasync of 4 KB in the folder of the SQLite file",
        goal="the ceiling",
        function="benchmarks.disk:syncs",
        show=cells.rate,
        arguments={"seconds": 1.0},
        quick={"seconds": 0.3},
        databases=("SQLite",),
    ),
    Measurement(
        name="diamonds",
        what="Tasks of 10-task diamonds, 1,000 queued, 200 live: median of 3 (min–max)",
        goal="≥ 15,000/s SQLite, ≥ 8,000/s PostgreSQL",
        function="benchmarks.engine:diamonds",
        show=cells.rate,
        arguments={"count": 1000, "live": 200},
        quick={"count": 100},
        repeat=3,
    ),
    Measurement(
        name="diamonds-procrastinate",
        what="The same under the dispatcher procrastinate",
        goal="–",
        function="benchmarks.engine:diamonds",
        show=cells.rate,
        arguments={"count": 1000, "live": 200},
        quick={"count": 100},
        repeat=3,
        databases=("PostgreSQL",),
        environment=PROCRASTINATE,
    ),
    Measurement(
        name="sequence",
        what="40 steps, one after the other, creation to end: median of 5 (min–max)",
        goal="≤ 0.04 s",
        function="benchmarks.engine:sequence",
        show=cells.sequence,
        arguments={"steps": 40, "runs": 5},
        quick={"runs": 2},
    ),
    Measurement(
        name="slow-calls",
        what="300 one-second calls in one worker: time, peak resident memory",
        goal="≤ 1.2 s, ≤ 90 MB",
        function="benchmarks.engine:slow_calls",
        show=cells.slow_calls,
        arguments={"count": 300, "pause": 1.0},
    ),
    Measurement(
        name="start",
        what="Creation committed to first call begun, worker idle: p50 / p95 / p99",
        goal="p95 ≤ 15 ms",
        function="benchmarks.engine:start_latency",
        show=cells.percentiles,
        arguments={"count": 200},
        quick={"count": 20},
    ),
    Measurement(
        name="start-procrastinate",
        what="The same under the dispatcher procrastinate",
        goal="p95 ≤ 15 ms",
        function="benchmarks.engine:start_latency",
        show=cells.percentiles,
        arguments={"count": 200},
        quick={"count": 20},
        databases=("PostgreSQL",),
        environment=PROCRASTINATE,
    ),
    Measurement(
        name="recovery",
        what="kill -9 with 20 calls in flight: time beyond the calls; lost / ended twice / re-run",
        goal="≤ lease + 3 s; 0 / 0 / 0",
        function="benchmarks.engine:recovery",
        show=cells.recovery,
        arguments={"count": 20, "pause": 1.0},
        quick={"pause": 0.2},
    ),
    Measurement(
        name="list",
        what="GET /api/workflows, 50 rows: p50 / p99 at 100/s; most per second, × plain DRF",
        goal="p99 ≤ 30 ms; ≥ 1.5×",
        function="benchmarks.web:list_workflows",
        show=cells.listing,
        arguments={"rows": 50, "rate": 100, "seconds": 6.0, "rounds": 3},
        quick={"seconds": 1.0, "rounds": 1},
    ),
    Measurement(
        name="streams",
        what="1,000 event streams: core time a minute at rest; worst p50 / p95 / max; memory each",
        goal="≤ 1 s; ≤ 500 ms",
        function="benchmarks.streams:at_scale",
        show=cells.streams,
        arguments={"streams": 1000, "settle": 3.0, "rest": 30.0, "events": 100, "pause": 0.1},
        quick={"streams": 50, "settle": 0.2, "rest": 0.5, "events": 5},
        limit_seconds=400,
        detail=cells.every_stream,
    ),
    Measurement(
        name="memory",
        what="Web + worker at rest, proportional set size",
        goal="≤ 200 MB",
        function="benchmarks.web:at_rest",
        show=cells.memory,
        arguments={"settle": 3.0},
        quick={"settle": 0.5},
    ),
    Measurement(
        name="editor",
        what="Click to a usable editor of 10 / 50 / 200 / 500 tasks: median of 5 (min–max)",
        goal="200 tasks in ≤ 1,000 ms",
        function="benchmarks.pages:editor",
        show=cells.editor,
        arguments={"counts": [10, 50, 200, 500], "repeat": 5},
        quick={"repeat": 1},
        databases=("SQLite",),
    ),
    Measurement(
        name="pages",
        what="Heaviest page with a cold cache, and the one with the most queries; 10 tasks",
        goal="≤ 100 KB",
        function="benchmarks.pages:pages",
        show=cells.pages,
        arguments={"tasks": 10},
        detail=cells.every_page,
    ),
    Measurement(
        name="middleware",
        what="Measuring a request: the middleware, p50 / p99; and what each statement takes longer",
        goal="≤ 100 µs",
        function="benchmarks.middleware:cost",
        show=cells.middleware,
        arguments={"calls": 20_000},
        quick={"calls": 200},
    ),
    Measurement(
        name="limits",
        what="80 attempts by 8 processes at a limit of 5: allowed; of one burst; cost p50 / p99",
        goal="5; 5; < 1,000 µs",
        function="benchmarks.limits:compare",
        show=cells.limits,
        arguments={"processes": 8, "attempts": 80, "window": 2, "bursts": 3, "calls": 2000},
        quick={"calls": 100},
        detail=cells.every_limiter,
    ),
    Measurement(
        name="timing",
        what="Sign-in, registration and reset: times of known and unknown accounts (Mann–Whitney)",
        goal="no pair apart, p > 0.001",
        function="benchmarks.timing:compare",
        show=cells.timing,
        arguments={"samples": 200},
        quick={"samples": 5},
        databases=("SQLite",),
        limit_seconds=1200,
        detail=cells.every_pair,
    ),
    Measurement(
        name="record",
        what="Recording a sample with three tags: metrics.record, ddsketch, prometheus_client",
        goal="≤ 2 µs",
        function="benchmarks.metrics:record",
        show=cells.record,
        arguments={"calls": 100_000, "rounds": 5},
        quick={"calls": 10_000, "rounds": 1},
        databases=("SQLite",),
        detail=cells.every_recorder,
    ),
    Measurement(
        name="ingest",
        what="10,000 samples a second in one process: share of a core; µs a sample, written",
        goal="< 3 %",
        function="benchmarks.metrics:ingest",
        show=cells.ingest,
        arguments={"rate": 10_000, "seconds": 60, "tag_sets": 50},
        quick={"seconds": 10},
    ),
    Measurement(
        name="percentiles",
        what="p50, p95, p99 of 30 days by hour, 20 tag sets: together; each for itself",
        goal="≤ 150 ms",
        function="benchmarks.metrics:read",
        show=cells.reading,
        arguments={"days": 30, "tag_sets": 20, "samples": 500, "repeat": 7},
        quick={"repeat": 1},
    ),
    Measurement(
        name="rows",
        what="Metrics of 100 requests a second, a process: rows a day by minute / hour; size; kept",
        goal="–",
        function="benchmarks.busy_site:rows",
        show=cells.rows,
        arguments={"requests": 100, "routes": 40, "models": 20, "hours": 2},
        quick={"hours": 1},
    ),
    Measurement(
        name="storm",
        what="10,000 errors raised and logged in a loop: processor time; counted; kept whole",
        goal="< 1 s; 10,000; 10 a minute",
        function="benchmarks.storm:storm",
        show=cells.storm,
        arguments={"count": 10_000},
        quick={"count": 1_000},
    ),
    Measurement(
        name="retention",
        what="1,000,000 task results under retention: size, × that of the first clean-up; page p95",
        goal="≤ 1.2×; ≤ 100 ms",
        function="benchmarks.retention:run",
        show=cells.retention,
        arguments={"results": 1_000_000, "rounds": 10, "asks": 50},
        quick={"results": 3_000, "rounds": 3, "asks": 3},
        limit_seconds=900,
        detail=cells.every_round,
    ),
]
