"""Bars of a chart, laid out here and drawn as SVG by a template: no script, no inline style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

WIDTH: Final = 1000
HEIGHT: Final = 176
_HEADROOM: Final = 8
_GAP: Final = 0.3
_LEAST: Final = 2.0
_ROUND: Final = tuple(Decimal(step) for step in ("1", "1.5", "2", "3", "4", "5", "6", "8", "10"))


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle in the units of the view box; `name` says what it stands for."""

    name: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Stack:
    """A bar: its parts from the bottom up, those of nothing left out."""

    parts: list[Part]
    is_last: bool


def stacks(values: Sequence[Mapping[str, float]]) -> list[Stack]:
    """A bar for each of the values, scaled to the highest. What is not nothing can be seen."""
    highest = max((sum(value.values()) for value in values), default=0)
    step = WIDTH / len(values) if values else 0
    width, last = step * (1 - _GAP), len(values) - 1
    return [
        Stack(_parts(value, at * step + step * _GAP / 2, width, highest), at == last)
        for at, value in enumerate(values)
    ]


def _parts(value: Mapping[str, float], x: float, width: float, highest: float) -> list[Part]:
    parts, bottom = [], float(HEIGHT)
    for name, amount in value.items():
        if amount:
            height = max(_LEAST, amount / highest * (HEIGHT - _HEADROOM))
            bottom -= height
            parts.append(Part(name, f"{x:.1f}", f"{bottom:.1f}", f"{width:.1f}", f"{height:.1f}"))
    return parts


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's bar, in the units of the chart's view box, and the column it stands in."""

    day: date
    amount: Decimal
    column: str
    x: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, and the amounts in US dollars at the top of the chart and half way up."""

    bars: list[Bar]
    top: Decimal
    step: str
    bar_width: str

    @property
    def middle(self) -> Decimal:
        """The amount at half the height."""
        return self.top / 2


def spend_chart(spend: list[tuple[date, Decimal]]) -> Chart:
    """The chart of these days."""
    top = round_up(max(amount for _, amount in spend))
    step = WIDTH / len(spend)
    bars = []
    for at, (day, amount) in enumerate(spend):
        height = max(2.0, float(amount / top) * HEIGHT) if amount else 0.0
        left = at * step
        bars.append(
            Bar(
                day,
                amount,
                f"{left:.1f}",
                f"{left + step * 0.15:.1f}",
                f"{HEIGHT - height:.1f}",
                f"{height:.1f}",
            )
        )
    return Chart(bars, top, f"{step:.1f}", f"{step * 0.7:.1f}")


def round_up(amount: Decimal) -> Decimal:
    """The next round amount, such as 1.5, 6 or 80, for the top of an axis; 1 for nothing."""
    if amount <= 0:
        return Decimal(1)
    power = Decimal(10) ** amount.adjusted()
    return next(power * step for step in _ROUND if power * step >= amount)
