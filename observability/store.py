"""Samples into the tables: each process replaces its own rows, so a repeated write is harmless.

A row says what one process has recorded of a series in a minute, under a `writer` that is random
for each process and minute. A row that is rolled up already is left as it is: what is not in it
goes into a row of another writer.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from django.db import connection, transaction
from django.db.models import Count

from observability import names
from observability.buffer import FOLDED, MOST_SERIES, Cell, Series
from observability.models import MetricBucket, MetricSeries
from observability.models.metric import MINUTE
from observability.sketch import pack, unpack, without

# Rows of one statement.
BATCH: Final = 500
# Cells that wait for a database that is away: 20 MB or so. Then the oldest minute goes.
MOST_CELLS: Final = 10_000
# Series whose place in the table, or whose lack of one, is remembered.
MOST_KNOWN: Final = 20_000
# A row may be refused once, and what is left of it hardly ever again.
ROUNDS: Final = 3

T = TypeVar("T")
Row = tuple[int, int, "_Minute", Cell]  # the series' id, the minute, and what is to be written


@dataclass(slots=True)
class _Minute:
    """What this process has recorded in a minute, under one writer."""

    writer: int = field(default_factory=lambda: secrets.randbits(62))
    cells: dict[Series, Cell] = field(default_factory=dict)


class Store:
    """Keeps samples until the tables have them. For one thread at a time."""

    def __init__(self) -> None:
        self._minutes: dict[int, _Minute] = {}
        self._ids: dict[Series, int] = {}
        self._folded: set[Series] = set()
        self._lost: Counter[tuple[str, str]] = Counter()

    def add(self, taken: Mapping[int, Mapping[Series, Cell]]) -> None:
        """Keep these samples, by minute; the oldest are lost when there are too many."""
        for number, cells in taken.items():
            minute = self._minutes.setdefault(number, _Minute())
            for series, cell in cells.items():
                self._put(minute, series, cell)
        while sum(len(minute.cells) for minute in self._minutes.values()) > MOST_CELLS:
            oldest = self._minutes.pop(min(self._minutes))
            unwritten = sum(cell.count - cell.written for cell in oldest.cells.values())
            self._lost[names.SAMPLES_DROPPED, ""] += unwritten

    def write(self, now: float) -> None:
        """Write what is not written yet; when it raises, all of it is kept.

        Then minutes before that of `now` (Unix time) are forgotten.
        """
        try:
            for _ in range(ROUNDS):
                if not self._write():
                    break
        except BaseException:
            # One of them may have been deleted, or its insertion was rolled back.
            self._ids.clear()
            raise
        for number in [number for number in self._minutes if number < now // 60]:
            del self._minutes[number]
        if len(self._ids) + len(self._folded) > MOST_KNOWN:
            self.forget_ids()

    def forget_ids(self) -> None:
        """Look the series up anew: their rows may be others now."""
        self._ids.clear()
        self._folded.clear()

    def lost(self) -> Counter[tuple[str, str]]:
        """How many samples were folded or dropped since, by what counts them and by metric."""
        lost, self._lost = self._lost, Counter()
        return lost

    def _put(self, minute: _Minute, series: Series, cell: Cell) -> None:
        if series in self._folded:
            series = self._fold(series, cell)
        if kept := minute.cells.get(series):
            kept.add(cell)
        else:
            minute.cells[series] = cell

    def _fold(self, series: Series, cell: Cell) -> Series:
        self._lost[names.SERIES_FOLDED, series[0]] += cell.count
        return series[0], FOLDED

    def _write(self) -> bool:
        """Write once; whether some of it was refused, and waits under another writer."""
        if not self._is_waiting():
            return False
        with transaction.atomic():
            self._find_ids()
            rows = sorted(self._unwritten(), key=lambda row: row[:2])
            accepted = {key for batch in _batches(rows) for key in _upsert(batch)}
        refused: dict[int, list[Row]] = {}
        for row in rows:
            if (row[0], row[2].writer) in accepted:
                row[3].written = row[3].count
            else:
                refused.setdefault(row[1], []).append(row)
        for number, left in refused.items():
            self._write_anew(number, left)
        return bool(refused)

    def _is_waiting(self) -> bool:
        kept = self._minutes.values()
        return any(cell.count != cell.written for each in kept for cell in each.cells.values())

    def _unwritten(self) -> Iterator[Row]:
        for number, minute in self._minutes.items():
            for series, cell in minute.cells.items():
                if cell.count != cell.written:
                    yield self._ids[series], number, minute, cell

    def _write_anew(self, number: int, refused: Sequence[Row]) -> None:
        """Keep what the rolled rows lack for a new writer, instead of the whole minute."""
        ids = {pk: series for series, pk in self._ids.items()}
        there = MetricBucket.objects.filter(
            resolution=MINUTE, start=_moment(number), writer=self._minutes[number].writer
        ).values_list("series_id", "count", "sum", "sketch")
        found = {pk: (count, total, bytes(packed)) for pk, count, total, packed in there}
        minute = _Minute()
        for pk, _, _, cell in refused:
            count, total, packed = found.get(pk, (0, 0.0, b""))
            cell.count -= count
            cell.sum -= total
            cell.written = 0
            if packed:
                cell.sketch = Counter(without(cell.sketch, unpack(packed)))
            if cell.count > 0:
                minute.cells[ids[pk]] = cell
        self._minutes[number] = minute

    def _find_ids(self) -> None:
        """Know the ids of all series; what is too many of a name is folded."""
        unknown = {
            series
            for minute in self._minutes.values()
            for series in minute.cells
            if series not in self._ids
        }
        if not unknown:
            return
        self._read_ids(unknown)
        new = self._allowed(unknown - self._ids.keys())
        if new:
            rows = [
                MetricSeries(name=name, tags=dict(tags), digest=digest((name, tags)))
                for name, tags in new
            ]
            # In the same order in all processes, which otherwise wait for each other.
            rows.sort(key=lambda row: row.digest)
            MetricSeries.objects.bulk_create(rows, BATCH, ignore_conflicts=True)
            self._read_ids(new)

    def _read_ids(self, wanted: Iterable[Series]) -> None:
        by_digest = {digest(series): series for series in wanted}
        for digests in _batches(list(by_digest)):
            rows = MetricSeries.objects.filter(digest__in=digests).values_list("digest", "pk")
            self._ids |= {by_digest[found]: pk for found, pk in rows}

    def _allowed(self, new: set[Series]) -> set[Series]:
        """Those for which there is room in the table; the samples of the others are folded."""
        wanted = {name for name, _ in new}
        counts = MetricSeries.objects.filter(name__in=wanted).order_by().values_list("name")
        taken = Counter(dict(counts.annotate(Count("pk"))))
        allowed = set()
        for series in sorted(new):
            if series[1] == FOLDED or taken[series[0]] < MOST_SERIES:
                taken[series[0]] += 1
                allowed.add(series)
            else:
                self._folded.add(series)
        folded = {(name, FOLDED) for name, _ in new - allowed}
        for minute in self._minutes.values():
            for series in minute.cells.keys() & self._folded:
                self._put(minute, series, minute.cells.pop(series))
        missing = folded - self._ids.keys()
        self._read_ids(missing)
        return allowed | (missing - self._ids.keys())


def _upsert(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Write these rows but those that are rolled; the series and writers of what was written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO observability_metricbucket (series_id, resolution, start, writer, rolled, "  # noqa: S608
            f"count, sum, min, max, sketch) VALUES {', '.join([_VALUES] * len(rows))} "
            "ON CONFLICT (series_id, resolution, start, writer) DO UPDATE SET "
            "count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, "
            "sketch = excluded.sketch WHERE NOT observability_metricbucket.rolled "
            "RETURNING series_id, writer",
            [value for row in rows for value in _values(*row)],
        )
        return [(pk, writer) for pk, writer in cursor.fetchall()]


_VALUES: Final = f"(%s, {MINUTE}, %s, %s, false, %s, %s, %s, %s, %s)"


def _values(pk: int, number: int, minute: _Minute, cell: Cell) -> list[Any]:
    start = connection.ops.adapt_datetimefield_value(_moment(number))
    packed = pack(cell.sketch) if cell.sketch else b""
    return [pk, start, minute.writer, cell.count, cell.sum, cell.min, cell.max, packed]


def _moment(number: int) -> datetime:
    return datetime.fromtimestamp(number * 60, UTC)


def _batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(rows), BATCH):
        yield rows[first : first + BATCH]


def digest(series: Series) -> str:
    """What is unique of a series: the SHA-256 of its name and tags."""
    return hashlib.sha256(json.dumps(series).encode()).hexdigest()
