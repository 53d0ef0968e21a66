"""Values of charts in words, each in its unit."""

from collections.abc import Callable
from typing import Final

from django.template.defaultfilters import filesizeformat

from hummbl.templatetags.ui import NONE, duration, percent, usd

SECONDS: Final = "seconds"
AMOUNT: Final = "amount"
RATE: Final = "rate"
SHARE: Final = "share"
DOLLARS: Final = "dollars"
BYTES: Final = "bytes"


def number(value: float) -> str:
    """A count with commas between thousands; one digit after the point below ten."""
    if 0 < abs(value) < 0.005:
        return "<0.01"
    if value and abs(value) < 9.95 and value != int(value):
        return f"{value:.{2 if abs(value) < 0.095 else 1}f}".removesuffix(".0")
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """A duration, in milliseconds below a second, where a tenth of one is too coarse."""
    if value >= 0.9995:
        return duration(value)
    return f"{value * 1000:.1f} ms" if value < 0.00995 else f"{value * 1000:.0f} ms"


_SAID: Final[dict[str, Callable[[float], str]]] = {
    SECONDS: seconds,
    AMOUNT: number,
    RATE: lambda value: f"{number(value)}/min",
    SHARE: percent,
    DOLLARS: usd,
    BYTES: lambda value: filesizeformat(value).replace("\xa0", " "),
}


def say(value: float | None, unit: str) -> str:
    """The value in words; a dash for none."""
    return NONE if value is None else _SAID[unit](value)
