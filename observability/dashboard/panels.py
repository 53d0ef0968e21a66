"""The panels of the dashboard, by tab: what is drawn, and what it says when there is nothing."""

from dataclasses import dataclass
from typing import Final, Literal

from observability import names
from observability.dashboard import lines, links, units
from observability.dashboard.lines import Drawing
from observability.models.error import ErrorSource

Form = Literal["line", "area", "bars"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A chart. `topic` is what the lists behind it are about, of `links`.

    Beside its lines stands what the whole range comes to, or of a gauge what it said last.
    """

    slug: str
    title: str
    about: str
    drawing: Drawing
    unit: str
    form: Form = "line"
    topic: str = ""
    is_gauge: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of panels; `tables` name the tables below them."""

    slug: str
    label: str
    icon: str
    panels: tuple[Panel, ...]
    tables: tuple[str, ...] = ()


_STATUS_CLASSES: Final = {
    "2xx": ("2xx", "c1"),
    "3xx": ("3xx", "c5"),
    "4xx": ("4xx", "warn"),
    "5xx": ("5xx", "bad"),
}
_OUTCOMES: Final = {
    "completed": ("Completed", "good"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Cancelled", "c0"),
}
_TOKENS: Final = {
    "input": ("Input", "c1"),
    "cached": ("Cached input", "c2"),
    "output": ("Output", "c3"),
}
_SOURCES: Final = {
    source.value: (source.label, colour)
    for source, colour in zip(ErrorSource, ("c1", "c2", "warn", "c4", "c3", "c5"), strict=True)
}
_MODEL: Final = ("provider", "model")

TRAFFIC: Final = Panel(
    slug="traffic",
    title="Requests",
    about="Requests a minute, by the class of their status.",
    drawing=lines.by_known(names.REQUEST_COUNT, "status", lines.per_minute, _STATUS_CLASSES),
    unit=units.RATE,
    form="bars",
    topic=links.REQUESTS,
)
LATENCY: Final = Panel(
    slug="latency",
    title="Latency",
    about="How long requests take. Half of them are faster than p50, 1 in 100 is slower than p99.",
    drawing=lines.percentiles(names.REQUEST_DURATION),
    unit=units.SECONDS,
    topic=links.REQUESTS,
)
ERROR_RATE: Final = Panel(
    slug="error-rate",
    title="Error rate",
    about="The share of requests that were answered with a 5xx.",
    drawing=lines.share_of_tag(names.REQUEST_COUNT, "status", "5xx", "Of all requests", "bad"),
    unit=units.SHARE,
    form="area",
    topic=links.REQUESTS,
)
STATEMENTS: Final = Panel(
    slug="statements",
    title="Statements",
    about="How long the database takes to answer.",
    drawing=lines.percentiles(names.DB_QUERY_DURATION),
    unit=units.SECONDS,
    topic=links.REQUESTS,
)
CACHE: Final = Panel(
    slug="cache",
    title="Cache hit rate",
    about="The share of values that were found in the cache.",
    drawing=lines.share(names.CACHE_HITS, names.CACHE_MISSES, "Hits", "good"),
    unit=units.SHARE,
    form="area",
)
DATABASE_ERRORS: Final = Panel(
    slug="database-errors",
    title="Failed statements",
    about="Statements that the database refused, by kind of error.",
    drawing=lines.by_tags(names.DB_ERRORS, ("error",), lines.amount),
    unit=units.AMOUNT,
    form="bars",
    topic=links.REQUESTS,
)
EXECUTIONS: Final = Panel(
    slug="executions",
    title="Runs by outcome",
    about="Runs that ended.",
    drawing=lines.by_known(names.EXECUTION_COUNT, "outcome", lines.amount, _OUTCOMES),
    unit=units.AMOUNT,
    form="bars",
    topic=links.EXECUTIONS,
)
EXECUTION_DURATION: Final = Panel(
    slug="execution-duration",
    title="Duration of runs",
    about="From a run's start to its end.",
    drawing=lines.percentiles(names.EXECUTION_DURATION),
    unit=units.SECONDS,
    topic=links.EXECUTIONS,
)
TASKS: Final = Panel(
    slug="tasks",
    title="Duration of tasks",
    about="From a task's first call to its end, retries and waits included.",
    drawing=lines.percentiles(names.TASK_DURATION),
    unit=units.SECONDS,
    topic=links.EXECUTIONS,
)
QUEUE_LAG: Final = Panel(
    slug="queue-lag",
    title="Queue lag",
    about="How long runs wait until a worker takes them.",
    drawing=lines.percentiles(names.QUEUE_LAG),
    unit=units.SECONDS,
    topic=links.EXECUTIONS,
)
CALLS: Final = Panel(
    slug="calls",
    title="Latency of models, p95",
    about="How long calls take, by model: 1 in 20 is slower.",
    drawing=lines.by_tags(names.AI_CALL_DURATION, _MODEL, lines.p95),
    unit=units.SECONDS,
    topic=links.EXECUTIONS,
)
TOKENS: Final = Panel(
    slug="tokens",
    title="Tokens",
    about="What models read and write.",
    drawing=lines.by_known(names.AI_TOKENS, "kind", lines.amount, _TOKENS),
    unit=units.AMOUNT,
    form="bars",
    topic=links.EXECUTIONS,
)
SPEND: Final = Panel(
    slug="spend",
    title="Spend",
    about="What calls cost in US dollars, by model.",
    drawing=lines.by_tags(names.AI_COST, _MODEL, lines.amount),
    unit=units.DOLLARS,
    form="bars",
    topic=links.EXECUTIONS,
)
CALL_ERRORS: Final = Panel(
    slug="call-errors",
    title="Failed calls",
    about="Calls that a provider refused or broke off, by reason.",
    drawing=lines.by_tags(names.AI_ERRORS, ("model", "code"), lines.amount),
    unit=units.AMOUNT,
    form="bars",
    topic=links.EXECUTIONS,
)
WORKERS: Final = Panel(
    slug="workers",
    title="Workers alive",
    about="Workers that were heard of lately. At none, runs wait.",
    drawing=lines.single(names.WORKERS_ALIVE, "Workers", lines.mean),
    unit=units.AMOUNT,
    form="area",
    is_gauge=True,
)
QUEUE: Final = Panel(
    slug="queue",
    title="Queue",
    about="Runs that wait for a worker.",
    drawing=lines.single(names.QUEUE_DEPTH, "Waiting", lines.mean),
    unit=units.AMOUNT,
    form="area",
    is_gauge=True,
    topic=links.EXECUTIONS,
)
STORAGE: Final = Panel(
    slug="storage",
    title="Storage",
    about="The size of the database.",
    drawing=lines.single(names.STORAGE_BYTES, "Database", lines.mean),
    unit=units.BYTES,
    form="area",
    is_gauge=True,
)
CAPTURED: Final = Panel(
    slug="errors",
    title="Errors",
    about="Errors that were noticed, by where they happened.",
    drawing=lines.by_known(names.ERRORS_CAPTURED, "source", lines.amount, _SOURCES),
    unit=units.AMOUNT,
    form="bars",
    topic=links.ERRORS,
)

TABS: Final = (
    Tab(
        "overview",
        "Overview",
        "layout-dashboard",
        (TRAFFIC, LATENCY, ERROR_RATE, EXECUTIONS, QUEUE_LAG, SPEND),
    ),
    Tab("requests", "Requests", "compass", (TRAFFIC, LATENCY, ERROR_RATE, CAPTURED), ("routes",)),
    Tab(
        "database",
        "Database and cache",
        "database",
        (STATEMENTS, CACHE, DATABASE_ERRORS),
        ("statements",),
    ),
    Tab("executions", "Runs", "play", (EXECUTIONS, EXECUTION_DURATION, TASKS, QUEUE_LAG)),
    Tab("models", "Models", "cpu", (CALLS, TOKENS, SPEND, CALL_ERRORS), ("models",)),
    Tab("system", "System", "server-crash", (WORKERS, QUEUE, STORAGE)),
)


def showing(metric: str) -> tuple[Tab, Panel] | None:
    """Where a metric is drawn: a panel, on the tab that is about it rather than on the first."""
    for tab in TABS[1:]:
        for panel in tab.panels:
            if any(source.name == metric for source in panel.drawing.sources):
                return tab, panel
    return None
