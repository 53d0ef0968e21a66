"""Every metric that HUMMBL records by itself: its name, its unit, and what it means.

A name that is not here may be recorded too: it is a histogram without a unit.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["histogram", "counter", "gauge"]

REQUEST_DURATION: Final = "request.duration"
REQUEST_COUNT: Final = "request.count"
REQUEST_ERRORS: Final = "request.errors"
EXECUTION_DURATION: Final = "execution.duration"
EXECUTION_COUNT: Final = "execution.count"
TASK_DURATION: Final = "task.duration"
AI_CALL_DURATION: Final = "ai.call.duration"
AI_TOKENS: Final = "ai.tokens"
AI_COST: Final = "ai.cost"
AI_ERRORS: Final = "ai.errors"
DB_QUERY_DURATION: Final = "db.query.duration"
DB_SLOW_QUERIES: Final = "db.query.slow"
DB_ERRORS: Final = "db.errors"
CACHE_HITS: Final = "cache.hits"
CACHE_MISSES: Final = "cache.misses"
QUEUE_LAG: Final = "queue.lag"
QUEUE_DEPTH: Final = "queue.depth"
WORKERS_ALIVE: Final = "workers.alive"
STORAGE_BYTES: Final = "storage.bytes"
ERRORS_CAPTURED: Final = "errors.captured"
PAGE_VIEWS: Final = "browser.page.views"
REFERRERS: Final = "browser.referrers"
BROWSER_EVENTS: Final = "browser.events"
WEB_VITALS: Final = "browser.vitals"
SERIES_FOLDED: Final = "metrics.folded"
SAMPLES_DROPPED: Final = "metrics.dropped"


@dataclass(frozen=True, slots=True)
class Metric:
    """What is known of a metric. Only histograms have percentiles; gauges are averaged."""

    name: str
    kind: Kind
    unit: str
    help: str


_ALL: Final = (
    Metric(REQUEST_DURATION, "histogram", "seconds", "Requests, by route, method and status class"),
    Metric(REQUEST_COUNT, "counter", "", "Requests answered, by route, method and status class"),
    Metric(REQUEST_ERRORS, "counter", "", "Requests answered with a 5xx, by route and method"),
    Metric(EXECUTION_DURATION, "histogram", "seconds", "Executions from start to end, by outcome"),
    Metric(EXECUTION_COUNT, "counter", "", "Executions that ended, by outcome"),
    Metric(TASK_DURATION, "histogram", "seconds", "Tasks from their first call on, by outcome"),
    Metric(AI_CALL_DURATION, "histogram", "seconds", "Calls, by provider, model and outcome"),
    Metric(AI_TOKENS, "counter", "tokens", "Tokens, by provider, model and kind"),
    Metric(AI_COST, "counter", "US dollars", "What calls cost, by provider and model"),
    Metric(AI_ERRORS, "counter", "", "Calls that failed, by provider, model and code"),
    Metric(DB_QUERY_DURATION, "histogram", "seconds", "Statements, by operation"),
    Metric(DB_SLOW_QUERIES, "histogram", "seconds", "Slow statements, by their text"),
    Metric(DB_ERRORS, "counter", "", "Statements that failed, by kind of error"),
    Metric(CACHE_HITS, "counter", "", "Values found in the cache, by kind"),
    Metric(CACHE_MISSES, "counter", "", "Values that had to be made, by kind"),
    Metric(QUEUE_LAG, "histogram", "seconds", "From an execution's creation to its claim"),
    Metric(QUEUE_DEPTH, "gauge", "", "Executions that wait for a worker"),
    Metric(WORKERS_ALIVE, "gauge", "", "Workers heard of lately"),
    Metric(STORAGE_BYTES, "gauge", "bytes", "Size of the database"),
    Metric(ERRORS_CAPTURED, "counter", "", "Errors, by source and severity"),
    Metric(PAGE_VIEWS, "counter", "", "Pages that browsers showed, by page"),
    Metric(REFERRERS, "counter", "", "Views of pages that other sites led to, by host"),
    Metric(BROWSER_EVENTS, "counter", "", "Events that pages reported, by name"),
    Metric(WEB_VITALS, "histogram", "", "Core Web Vitals, by vital and page"),
    Metric(SERIES_FOLDED, "counter", "", "Samples folded into `other`, by metric"),
    Metric(SAMPLES_DROPPED, "counter", "", "Samples lost while the database was away"),
)
METRICS: Final = {metric.name: metric for metric in _ALL}


def describe(name: str) -> Metric:
    """What is known of the metric, also of one that is not in the list."""
    return METRICS.get(name) or Metric(name, "histogram", "", "")
