"""A task graph in miniature: where boxes and lines go, in the units of its SVG."""

from dataclasses import dataclass
from typing import Final

from workflows.graph import Graph

WIDTH: Final = 28
HEIGHT: Final = 14
GAP_X: Final = 26
GAP_Y: Final = 8
EDGE: Final = 2


@dataclass(frozen=True, slots=True)
class Sketch:
    """Boxes by their upper left corner, lines as paths; everything within width and height."""

    width: int
    height: int
    boxes: list[tuple[int, int]]
    lines: list[str]


def draw(graph: Graph) -> Sketch:
    """The graph from left to right: a task stands in the column before its first dependent.

    A line that other lines imply is left out.
    """
    columns = _columns(graph)
    rows = max(len(column) for column in columns)
    height = rows * (HEIGHT + GAP_Y) - GAP_Y + 2 * EDGE
    places: dict[str, tuple[int, int]] = {}
    for x, column in enumerate(columns):
        used = len(column) * (HEIGHT + GAP_Y) - GAP_Y
        for y, id in enumerate(column):
            top = (height - used) // 2 + y * (HEIGHT + GAP_Y)
            places[id] = (EDGE + x * (WIDTH + GAP_X), top)
    lines = [_line(places[start], places[end]) for start, end in _edges(graph)]
    width = len(columns) * (WIDTH + GAP_X) - GAP_X + 2 * EDGE
    return Sketch(width, height, list(places.values()), lines)


def _columns(graph: Graph) -> list[list[str]]:
    to_end: dict[str, int] = {}
    for id in reversed(graph.order):
        to_end[id] = 1 + max((to_end[other] for other in graph.dependents[id]), default=-1)
    columns: list[list[str]] = [[] for _ in range(1 + max(to_end.values()))]
    for id in graph.order:
        columns[-1 - to_end[id]].append(id)
    return columns


def _edges(graph: Graph) -> list[tuple[str, str]]:
    after = {id: set(graph.descendants(id)) for id in graph.order}
    return [
        (start, end)
        for start in graph.order
        for end in graph.dependents[start]
        if not any(end in after[other] for other in graph.dependents[start])
    ]


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0], end[1] + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
