"""A panel as a page shows it: data for the script, and the same figures as a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from observability.dashboard import links, units
from observability.dashboard.grid import Grid, read
from observability.dashboard.lines import Line
from observability.dashboard.panels import Panel, Tab
from observability.dashboard.tables import TABLES
from observability.models import Release
from observability.ranges import Range

MOST_ROWS: Final = 12


@dataclass(frozen=True, slots=True)
class Legend:
    """A line of the chart, with the whole range in one value."""

    label: str
    colour: str
    whole: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: a part of the range, its values, and the lists of what happened then."""

    start: datetime
    end: datetime
    values: list[str]
    query: str
    links: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A panel with its data. `links` are lists for a time that is still to be chosen."""

    panel: Panel
    legend: list[Legend]
    rows: list[Row]
    data: dict[str, Any]
    links: list[tuple[str, str]]

    @property
    def data_id(self) -> str:
        """The id of the element that holds the data."""
        return f"data-{self.panel.slug}"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return all(value is None for line in self.data["lines"] for value in line["values"])

    @property
    def summary(self) -> str:
        """The chart in a sentence, for those who do not see it."""
        said = ", ".join(f"{each.label} {each.whole}" for each in self.legend)
        return f"{self.panel.title}: {said or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A tab as a page shows it: its charts, and the rows of its tables by name."""

    charts: list[Chart]
    tables: dict[str, list[Any]]


def charts(panels: Sequence[Panel], shown: Range) -> list[Chart]:
    """The panels with what there is in the range; a query for each metric."""
    return _show(panels, (), shown).charts


def show(tab: Tab, shown: Range) -> Shown:
    """The tab with what there is in the range; a query for each metric."""
    return _show(tab.panels, tab.tables, shown)


def _show(panels: Sequence[Panel], names: Sequence[str], shown: Range) -> Shown:
    tables = {name: TABLES[name] for name in names}
    grid = read(
        [
            *(source for panel in panels for source in panel.drawing.sources),
            *(source for table in tables.values() for source in table.sources),
        ],
        shown,
    )
    rows, whole = grid.merged(MOST_ROWS), grid.merged(1)
    return Shown(
        [_chart(panel, shown, grid, rows, whole) for panel in panels],
        {name: table.rows(whole, shown) for name, table in tables.items()},
    )


def marks(shown: Range) -> list[dict[str, Any]]:
    """The releases that began to run in the range, for the script."""
    found = Release.objects.between(shown.start, shown.end)
    return [{"at": each.first_seen.timestamp(), "label": each.name} for each in found]


def _chart(panel: Panel, shown: Range, grid: Grid, rows: Grid, whole: Grid) -> Chart:
    draw = panel.drawing.lines
    lines = draw(grid, whole)
    return Chart(
        panel,
        [
            Legend(line.label, line.colour, units.say(_last(line), panel.unit))
            for line in (lines if panel.is_gauge else draw(whole, whole))
        ],
        _rows(panel, rows, draw(rows, whole), shown),
        {
            "start": shown.start.timestamp(),
            "step": shown.step,
            "steps": len(grid.steps),
            "form": panel.form,
            "unit": panel.unit,
            "lines": [
                {"label": line.label, "colour": line.colour, "values": _short(line.values)}
                for line in lines
            ],
        },
        [(link.label, link.address) for link in links.beginning_with(panel.topic)],
    )


def _rows(panel: Panel, grid: Grid, lines: Sequence[Line], shown: Range) -> list[Row]:
    """The newest first, those still to come left out."""
    found = []
    for at, step in enumerate(grid.steps):
        start, end = step.start.isoformat()[:16], step.end.isoformat()[:16]
        found.append(
            Row(
                step.start,
                step.end,
                [units.say(line.values[at], panel.unit) for line in lines],
                shown.part(step.start, step.end),
                [(link.label, link.between(start, end)) for link in links.of(panel.topic)],
            )
        )
    return found[::-1]


def _last(line: Line) -> float | None:
    return next((value for value in reversed(line.values) if value is not None), None)


def _short(values: Iterable[float | None]) -> list[float | None]:
    """As many digits as can be seen."""
    return [None if value is None else float(f"{value:.4g}") for value in values]
