"""Samples of this process until they are written.

To record is to append to a list, which takes no lock: so any thread may do it, and also a signal
handler that interrupts another recording. What is costly, the logarithms and sums, is done for a
list at a time, when somebody takes what there is.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from observability import names
from observability.sketch import keys_of, merge

MOST_NAME_LENGTH: Final = 100
MOST_TAG_LENGTH: Final = 200
# Distinct tag sets of one name: in a process and minute, and in the table.
MOST_SERIES: Final = 500
OTHER: Final = "other"
# Samples that wait in a list; then whoever records sums them up.
MOST_WAITING: Final = 8192
# How long a list may still be appended to by a thread that looked it up in time. Seconds.
GRACE: Final = 5.0

Tags = tuple[tuple[str, str], ...]
Series = tuple[str, Tags]
Raw = tuple[Any, ...]  # (name, *tags.items()), as it is recorded
# What a sample becomes when its name has too many tag sets already.
FOLDED: Final[Tags] = ((OTHER, OTHER),)


@dataclass(slots=True)
class Cell:
    """The samples of a series in a minute. `written` is how many of them are in the table."""

    count: int = 0
    sum: float = 0.0
    min: float = math.inf
    max: float = -math.inf
    sketch: Counter[int] = field(default_factory=Counter)
    written: int = 0

    def extend(self, values: list[Any], *, sketched: bool) -> None:
        """Take samples in. What is no finite number is left out."""
        try:
            total = float(sum(values))
        except (TypeError, ValueError, ArithmeticError):
            total = math.nan
        if not math.isfinite(total):
            values = list(_finite(values))
            total = sum(values)
        if values:
            self.count += len(values)
            self.sum += total
            self.min = min(self.min, float(min(values)))
            self.max = max(self.max, float(max(values)))
            if sketched:
                self.sketch.update(keys_of(values))

    def add(self, other: "Cell") -> None:
        """Take the samples of another cell too."""
        self.count += other.count
        self.sum += other.sum
        self.min = min(self.min, other.min)
        self.max = max(self.max, other.max)
        merge(self.sketch, other.sketch)


class _Minute:
    """The lists of a minute, by series and by what was recorded."""

    __slots__ = ("begin", "by_raw", "end", "lists", "number", "raws")

    def __init__(self, number: int) -> None:
        self.number = number
        self.begin, self.end = number * 60.0, number * 60.0 + 60.0
        self.by_raw: dict[Raw, list[Any]] = {}
        self.lists: dict[Series, list[Any]] = {}
        self.raws: Counter[str] = Counter()

    def list_of(self, raw: Raw) -> list[Any]:
        """Where samples go, also those that `by_raw` does not know or cannot look up."""
        series = series_of(raw)
        name = series[0]
        if series not in self.lists and self.raws[name] >= MOST_SERIES:
            series = (name, FOLDED)
        found = self.lists.setdefault(series, [])
        # Beyond the bound each sample looks up its series anew: memory has an end.
        if self.raws[name] < MOST_SERIES:
            self.raws[name] += 1
            with suppress(TypeError):  # a tag without a hash
                self.by_raw[raw] = found
        return found


class Buffer:
    """Samples by minute and series. Any thread may record; one at a time takes what there is."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything: what a fork does, whose parent writes its own samples."""
        self._taking = threading.Lock()
        self._now = _Minute(0)
        self._minutes = [self._now]
        self._cells: dict[int, dict[Series, Cell]] = {}

    def record(self, raw: Raw, value: float) -> None:
        """Count a sample of `raw`, which is (name, *tags.items())."""
        minute = self._now
        if not minute.begin <= time.time() < minute.end:
            minute = self._turn()
        try:
            values = minute.by_raw[raw]
        except (KeyError, TypeError):
            values = minute.list_of(raw)
        values.append(value)
        if len(values) >= MOST_WAITING:
            self._drain_early(minute)

    def record_all(self, raw: Raw, values: Iterable[float]) -> None:
        """Count many samples."""
        minute = self._now
        if not minute.begin <= time.time() < minute.end:
            minute = self._turn()
        try:
            waiting = minute.by_raw[raw]
        except (KeyError, TypeError):
            waiting = minute.list_of(raw)
        waiting.extend(values)
        if len(waiting) >= MOST_WAITING:
            self._drain_early(minute)

    def take(self) -> dict[int, dict[Series, Cell]]:
        """Everything that was recorded since, by minute (Unix time divided by 60)."""
        with self._taking:
            over = time.time() - GRACE
            for minute in list(self._minutes):
                self._drain(minute)
                if minute is not self._now and minute.end < over:
                    self._minutes.remove(minute)
            taken, self._cells = self._cells, {}
        return taken

    def _turn(self) -> _Minute:
        """Begin a minute. That two threads each begin it does no harm."""
        minute = _Minute(int(time.time() // 60))
        self._minutes.append(minute)
        self._now = minute
        return minute

    def _drain_early(self, minute: _Minute) -> None:
        if self._taking.acquire(blocking=False):
            try:
                self._drain(minute)
            finally:
                self._taking.release()

    def _drain(self, minute: _Minute) -> None:
        for series, values in list(minute.lists.items()):
            # Others append meanwhile: what they add stays for the next time.
            some = values[:]
            del values[: len(some)]
            if some:
                self._cell(minute.number, series).extend(some, sketched=has_sketch(series[0]))
                if series[1] == FOLDED:
                    folded = (names.SERIES_FOLDED, (("metric", series[0]),))
                    self._cell(minute.number, folded).extend([len(some)], sketched=False)

    def _cell(self, number: int, series: Series) -> Cell:
        return self._cells.setdefault(number, {}).setdefault(series, Cell())


def has_sketch(name: str) -> bool:
    """Whether percentiles of the metric are kept."""
    return names.describe(name).kind == "histogram"


def series_of(raw: Raw) -> Series:
    """The name and tags as they are kept: short, in order, and without control characters."""
    tags = sorted((_clean(key), _clean(value)) for key, value in raw[1:])
    return _clean(raw[0])[:MOST_NAME_LENGTH], tuple(tags)


def _clean(text: object) -> str:
    cut = str(text)[:MOST_TAG_LENGTH]
    if cut.isprintable():
        return cut
    return "".join(character if character.isprintable() else " " for character in cut)


def _finite(values: list[Any]) -> Iterator[float]:
    for value in values:
        try:
            number = float(value)
        except (TypeError, ValueError, ArithmeticError):
            continue
        if math.isfinite(number):
            yield number
