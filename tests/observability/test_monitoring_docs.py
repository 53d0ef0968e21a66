"""docs/monitoring.md, the Grafana dashboard and the alert rules name what is there."""

import json
import re

import pytest
import yaml
from django.conf import settings

from observability import health, names, prometheus

DOCS = settings.BASE_DIR / "docs"
TEXT = (DOCS / "monitoring.md").read_text()
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text())
GROUPS = yaml.safe_load((DOCS / "prometheus-alerts.yml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
OF_HEALTH = {"hummbl_up", "hummbl_health", "hummbl_migrations_pending"}
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}
LABELS = re.compile(r"\b(?:by|without) \(([^)]*)\)")
MATCHERS = re.compile(r"(\w+)(?==~?\")")
# What each of our metrics is recorded with.
TAGS = {
    "le", "check", "route", "method", "status", "outcome", "provider", "model", "kind", "code",
    "operation", "error", "source", "severity", "page", "vital", "metric",
}  # fmt: skip


def rows():
    """The table of metrics, as it should be."""
    for metric in names.METRICS.values():
        total = "_total" if metric.kind == "counter" else ""
        exported = f"{prometheus.exported_name(metric)}{total}"
        yield f"| `{metric.name}` | `{exported}` | {metric.kind} | {metric.help} |"


def expressions():
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    yield from (variable["query"]["query"] for variable in DASHBOARD["templating"]["list"][1:])
    yield from (rule["expr"] for rule in RULES)


def test_every_metric_is_in_the_table():
    found = re.findall(r"^\| `[a-z.]+` \| `hummbl_.*$", TEXT, re.MULTILINE)
    assert found == list(rows())


def test_every_check_is_in_the_table(db):
    found = set(re.findall(r"^\| `([a-z]+)` \| `[a-z]+` \|", TEXT, re.MULTILINE))
    assert found == {"database", *health.read().checks}


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_expressions_name_what_is_exported(expression):
    known = OF_HEALTH | {
        f"{prometheus.exported_name(metric)}{suffix}"
        for metric in names.METRICS.values()
        for suffix in SUFFIXES[metric.kind]
    }
    used = set(re.findall(r"\bhummbl_\w+", expression))
    assert used
    assert used <= known
    labels = {word.strip() for group in LABELS.findall(expression) for word in group.split(",")}
    assert labels | set(MATCHERS.findall(expression)) <= TAGS
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)


def test_every_metric_is_on_the_dashboard():
    """But for those whose labels are for our own pages."""
    shown = " ".join(expressions())
    for metric in names.METRICS.values():
        if metric.name not in {names.REFERRERS, names.BROWSER_EVENTS}:
            assert prometheus.exported_name(metric) in shown, metric.name


def test_the_dashboard_is_one_that_grafana_takes():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"


def test_rules_say_what_to_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
