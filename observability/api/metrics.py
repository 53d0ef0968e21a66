"""`/api/metrics`: what was recorded, of any range, step and grouping, for administrators."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hummbl.api.errors import InvalidBody
from hummbl.api.filters import as_moment
from hummbl.api.permissions import ADMIN_ONLY
from observability import metrics, names, series
from observability.models.metric import DAY, HOUR, MINUTE, why_unknown

MOST_POINTS: Final = 20_000
MOST_TAGS: Final = 5
MOST_STEP: Final = 366 * DAY
# Beyond it a range is read by the hour, unless a step is asked for.
BY_MINUTE: Final = timedelta(hours=12)

_PARAMETERS: Final = ("name", "start", "end", "step", "group_by")
_TAG: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,49}")


class PointSerializer(serializers.Serializer[Any]):
    """What was recorded in a step. Counters and gauges have no percentiles."""

    at = serializers.DateTimeField(help_text="When the step begins.")
    tags = serializers.DictField(
        child=serializers.CharField(), help_text="Those grouped by; empty where there is none."
    )
    count = serializers.IntegerField(help_text="Samples.")
    sum = serializers.FloatField()
    min = serializers.FloatField()
    max = serializers.FloatField()
    avg = serializers.FloatField()
    p50 = serializers.FloatField(allow_null=True, help_text="Percentiles are 1.1 % off at most.")
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)


class MetricPointsSerializer(serializers.Serializer[Any]):
    """A metric in steps, by group and then by time; steps without samples are left out."""

    name = serializers.CharField()
    unit = serializers.CharField(help_text="Such as seconds; empty for plain numbers.")
    kind = serializers.ChoiceField(choices=["histogram", "counter", "gauge"])
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Not included.")
    step = serializers.IntegerField(help_text="Seconds.")
    group_by = serializers.ListField(child=serializers.CharField())
    points = PointSerializer(many=True)


class MetricNameSerializer(serializers.Serializer[Any]):
    """A metric."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["histogram", "counter", "gauge"])
    unit = serializers.CharField()
    help = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField(), help_text="Their names.")


class MetricNamesSerializer(serializers.Serializer[Any]):
    """The metrics of which there are samples."""

    results = MetricNameSerializer(many=True)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    name: str
    start: datetime
    end: datetime
    step: int
    group_by: list[str]
    tags: dict[str, str]


class MetricsView(APIView):
    """`GET /api/metrics`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="metrics",
        summary="Read a metric",
        tags=["metrics"],
        responses=MetricPointsSerializer,
        parameters=[
            OpenApiParameter("name", str, required=True, description="As in `/api/metrics/names`."),
            OpenApiParameter("start", datetime, description="Else an hour before `end`."),
            OpenApiParameter("end", datetime, description="Else now. It is not included."),
            OpenApiParameter(
                "step",
                int,
                description="Seconds, whole minutes; else a minute, of more than 12 hours an hour. "
                "Minutes are kept for two days: what is older comes by the hour.",
            ),
            OpenApiParameter("group_by", str, description="Names of tags, separated by commas."),
            OpenApiParameter(
                "tag",
                {"type": "object", "additionalProperties": {"type": "string"}},
                description="Only samples with this tag: `tag.route=/api/workflows`.",
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """Count, sum, least, most, mean and percentiles of each step, the present one included."""
        # So that what this process has seen is there too; others are a few seconds behind.
        metrics.flush()
        query = _read(request)
        points = _points(query)
        metric = names.describe(query.name)
        return Response(
            {
                "name": metric.name,
                "unit": metric.unit,
                "kind": metric.kind,
                "start": query.start,
                "end": query.end,
                "step": query.step,
                "group_by": query.group_by,
                "points": [_point(point) for point in points],
            }
        )


class MetricNamesView(APIView):
    """`GET /api/metrics/names`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="metric_names",
        summary="List metrics",
        tags=["metrics"],
        responses=MetricNamesSerializer,
    )
    def get(self, _request: Request) -> Response:
        """What was recorded, with the names of the tags, by name."""
        metrics.flush()
        found = [
            {
                "name": metric.name,
                "kind": metric.kind,
                "unit": metric.unit,
                "help": metric.help,
                "tags": tags,
            }
            for metric, tags in series.recorded()
        ]
        return Response({"results": found})


def _points(query: Query) -> list[series.Point]:
    """Refused before all of them are read, which could be more than there is memory for."""
    try:
        return series.points(
            query.name,
            query.start,
            query.end,
            query.step,
            group_by=query.group_by,
            tags=query.tags,
            most=MOST_POINTS,
        )
    except series.TooManyPoints:
        raise _too_many() from None


def _point(point: series.Point) -> dict[str, Any]:
    found = point.summary
    p50, p95, p99 = found.percentiles(0.5, 0.95, 0.99)
    return {
        "at": point.at,
        "tags": point.tags,
        "count": found.count,
        "sum": found.sum,
        "min": found.min,
        "max": found.max,
        "avg": found.avg,
        "p50": p50,
        "p95": p95,
        "p99": p99,
    }


def _read(request: Request) -> Query:
    given = {name: request.query_params[name] for name in request.query_params}
    given = {name: value for name, value in given.items() if value}
    tags = {key[4:]: value for key, value in given.items() if key.startswith("tag.")}
    for name in given:
        if name not in _PARAMETERS and name[4:] not in tags:
            known = ", ".join(_PARAMETERS)
            message = f"There is no such parameter. Known: {known}, tag.NAME."
            raise _invalid(name[:60], "unknown_filter", message)
    start, end = _range(given)
    step = _step(given.get("step"), start, end)
    group_by = given["group_by"].split(",") if "group_by" in given else []
    return Query(
        _name(given.get("name", "")),
        start,
        end,
        step,
        _tags("group_by", group_by),
        {key: _value(key, tags[key]) for key in _tags("tag", list(tags))},
    )


def _range(given: dict[str, str]) -> tuple[datetime, datetime]:
    end = as_moment("end", given["end"]) if "end" in given else timezone.now()
    start = as_moment("start", given["start"]) if "start" in given else _an_hour_before(end)
    if start >= end:
        raise _invalid("start", "invalid", "The range has to start before it ends.")
    return start, end


def _an_hour_before(end: datetime) -> datetime:
    """Sixty minutes, of which the last is under way."""
    try:
        return end.replace(second=0, microsecond=0) - timedelta(minutes=59)
    except OverflowError:
        raise _invalid("end", "invalid_moment", "There is nothing before it.") from None


def _step(given: str | None, start: datetime, end: datetime) -> int:
    default = MINUTE if end - start <= BY_MINUTE else HOUR
    if given is None:
        step = default
    elif given.isascii() and given.isdigit() and len(given) < 10:
        step = int(given)
    else:
        step = 0
    if step % MINUTE or not MINUTE <= step <= MOST_STEP:
        message = "A step is seconds: 60, or a multiple of it up to 366 days."
        raise _invalid("step", "invalid", message)
    steps = int((end - start).total_seconds() // step)
    if steps > MOST_POINTS:
        raise _too_many()
    return step


def _name(name: str) -> str:
    if not name:
        raise _invalid("name", "required", "Say which metric: /api/metrics/names lists them.")
    problem = why_unknown(name)
    if problem:
        raise _invalid("name", "unknown_metric", problem)
    return name


def _tags(parameter: str, keys: list[str]) -> list[str]:
    if len(keys) > MOST_TAGS or len(set(keys)) < len(keys):
        raise _invalid(parameter, "invalid", f"Name at most {MOST_TAGS} tags, each once.")
    for key in keys:
        if not _TAG.fullmatch(key):
            raise _invalid(parameter, "invalid", "A tag's name is a word, such as route.")
    return keys


def _value(key: str, value: str) -> str:
    if "\0" in value:
        raise _invalid(f"tag.{key}", "invalid", "A tag's value holds no NUL character.")
    return value


def _too_many() -> InvalidBody:
    return _invalid(
        "step",
        "too_many_points",
        f"That is more than {MOST_POINTS:,} points. "
        "Ask for a longer step, a shorter range, or fewer groups.",
    )


def _invalid(name: str, code: str, message: str) -> InvalidBody:
    return InvalidBody([{"path": name, "code": code, "message": message}])
