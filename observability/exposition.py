"""The text format of Prometheus, version 0.0.4.

prometheus_client writes it too, but looks at every label of every line anew: of thousands of lines
with the same labels that takes ten times as long.
"""

import math
from collections.abc import Iterable, Iterator

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def head(name: str, kind: str, about: str) -> str:
    """The lines above the samples of a metric."""
    told = about.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {told}\n# TYPE {name} {kind}\n"


def sample(name: str, labels: str, value: float) -> str:
    """A line; `labels` is what `labelled` made."""
    return f"{name}{{{labels}}} {_number(value)}\n" if labels else f"{name} {_number(value)}\n"


def histogram(
    name: str, labels: str, buckets: Iterable[tuple[float, int]], count: int, total: float
) -> Iterator[str]:
    """The lines of a histogram; a bucket is its upper bound, and the samples up to that."""
    begin = f'{name}_bucket{{{labels}{"," if labels else ""}le="'
    for bound, below in buckets:
        yield f'{begin}{bound}"}} {below}\n'
    yield f'{begin}+Inf"}} {count}\n'
    yield sample(f"{name}_sum", labels, total)
    yield sample(f"{name}_count", labels, count)


def labelled(pairs: Iterable[tuple[str, str]]) -> str:
    """Labels as they stand in a line; their names are fit for it."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
