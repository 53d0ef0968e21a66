"""The dashboard of metrics in a browser: charts, what they tell, and where a spike leads."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from observability import metrics, names
from observability.models import Release, RequestSample
from tests.observability.history import make_history, noise
from tests.workflows.pages.runs import make_run

SAMPLES = 100_000
ROUTE = {"route": "/executions/{id}", "method": "GET", "status": "2xx"}


@pytest.fixture
def spike():
    """An hour of 100,000 requests, the slowest of them a quarter of an hour ago."""
    now = timezone.now()
    usual = noise(1, 0.08, SAMPLES // 60)
    make_history(
        names.REQUEST_DURATION,
        now,
        60,
        lambda age: [value * (9 if age == 15 else 1) for value in usual(age)],
        **ROUTE,
    )
    make_history(names.REQUEST_COUNT, now, 60, lambda _: [1.0] * (SAMPLES // 60), **ROUTE)
    Release.objects.create(name="1.4.2", first_seen=now - timedelta(minutes=16))
    return RequestSample.objects.create(
        at=now - timedelta(minutes=15),
        route=ROUTE["route"],
        method="GET",
        path="/executions/1",
        status=200,
        seconds=4.5,
        queries=300,
    )


def chart(page, slug):
    """The chart, drawn."""
    found = page.locator(f"#plot-{slug}")
    found.scroll_into_view_if_needed()
    expect(found.locator("canvas")).to_be_visible()
    return found


def drag(page, slug, start, end):
    """Across the chart, from and to a share of its width."""
    box = chart(page, slug).locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + 40, steps=5)
    page.mouse.up()


@pytest.mark.parametrize("tab", ["overview", "requests", "models"])
def test_without_a_point(page, sign_in, every_look, adam, tab):
    sign_in(adam)
    page.goto(f"/manage/metrics?tab={tab}&start=2026-01-01T00:00&end=2026-01-02T00:00")
    expect(page.locator(".none").first).to_be_visible()
    expect(page.locator("canvas")).to_have_count(0)
    every_look(page)


def test_one_point(page, sign_in, every_look, adam):
    metrics.record(names.REQUEST_DURATION, 0.25, **ROUTE)
    metrics.count(names.REQUEST_COUNT, **ROUTE)
    metrics.flush()
    sign_in(adam)
    page.goto("/manage/metrics?tab=requests")
    chart(page, "latency")
    expect(page.get_by_label("Latency: p50 250 ms", exact=False)).to_be_visible()
    every_look(page)


def test_from_a_spike_to_what_was_behind_it(page, sign_in, every_look, adam, alice, spike):
    make_run(alice)
    sign_in(adam)
    page.goto("/manage/metrics")
    drag(page, "latency", 0.70, 0.80)
    picked = page.locator("[data-picked=latency]")
    expect(picked).to_be_visible()
    every_look(page)
    picked.get_by_role("link", name="Requests").click()
    page.wait_for_url("**/manage/metrics/requests?start=*")
    expect(page.get_by_text(spike.path)).to_be_visible()
    every_look(page)
    page.go_back()
    drag(page, "latency", 0.70, 0.80)
    page.locator("[data-picked=latency]").get_by_role("link", name="Runs").click()
    page.wait_for_url("**/manage/executions?between=**")
    expect(page.locator("input[name=between]")).to_be_checked()
    page.go_back()
    drag(page, "traffic", 0.70, 0.80)
    page.locator("[data-picked=traffic]").get_by_role("link", name="Zoom in").click()
    page.wait_for_url("**/manage/metrics?start=*")
    chart(page, "traffic")


def test_every_time_is_in_the_zone_of_the_reader(page, sign_in, adam):
    zone = {"timezoneId": "Asia/Kolkata"}
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", zone)
    sign_in(adam)
    page.goto("/manage/metrics/requests?start=2026-01-01T20:00&end=2026-01-01T21:00")
    expect(page.get_by_text("Times in GMT+5:30")).to_be_visible()
    picker = page.locator(".moments")
    expect(picker.locator("summary")).to_contain_text("Jan 2, 2026, 1:30")
    picker.locator("summary").click()
    expect(page.get_by_label("From (GMT+5:30)")).to_have_value("2026-01-02T01:30")
    page.get_by_label("To (GMT+5:30)").fill("2026-01-02T03:30")
    picker.get_by_role("button", name="Show").click()
    page.wait_for_url("**?start=2026-01-01T20%3A00&end=2026-01-01T22%3A00")
    expect(page.locator("#range-end")).to_have_value("2026-01-02T03:30")


def test_what_a_chart_tells_under_the_pointer(page, sign_in, adam, spike):
    sign_in(adam)
    page.goto("/manage/metrics")
    box = chart(page, "latency").locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * (44.5 / 60), box["y"] + 30)
    tip = page.locator("#plot-latency .tip")
    expect(tip).to_contain_text("p99")
    page.mouse.click(box["x"] + box["width"] * (44.5 / 60), box["y"] + 30)
    expect(page.locator("[data-picked=latency]")).to_be_visible()
    page.get_by_role("button", name="Forget the selection").locator("visible=true").click()
    expect(page.locator("[data-picked=latency]")).to_be_hidden()


def test_the_tables_behind_the_charts(page, sign_in, every_look, adam, spike):
    sign_in(adam)
    page.goto("/manage/metrics?tab=requests")
    for summary in page.get_by_text("Show as a table").all():
        summary.click()
    expect(page.locator("details[open] table")).to_have_count(3)
    every_look(page)
    page.locator("details[open]").first.get_by_role("link", name="Requests").last.click()
    page.wait_for_url("**/manage/metrics/requests?start=*")


@pytest.mark.parametrize("javascript", [False])
def test_without_scripts_there_are_the_tables(page, sign_in, adam, spike):
    sign_in(adam)
    page.goto("/manage/metrics")
    page.locator("#more-latency").click()
    expect(page.locator("#h-latency")).to_be_visible()
    page.locator("details[open]").get_by_role("link").first.click()
    page.wait_for_url("**/manage/metrics?start=*")


def test_refreshes_and_pauses(page, sign_in, adam, spike):
    sign_in(adam)
    page.goto("/manage/metrics?tab=requests")
    chart(page, "latency").evaluate("(element) => (element.dataset.kept = 'yes')")
    page.locator("#more-traffic").click()
    with page.expect_response("**/manage/metrics**"):
        page.evaluate("htmx.ajax('GET', location.href, {target: '#metrics', swap: 'outerHTML'})")
    expect(page.locator("#plot-latency")).to_have_attribute("data-kept", "yes")
    expect(page.locator("#plot-latency canvas")).to_have_count(1)
    expect(page.locator("details[open] #more-traffic")).to_be_visible()
    button = page.locator("[data-pause]")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")


def test_a_chart_that_has_something_to_show_only_later(page, sign_in, adam, spike):
    """The library comes when it is needed, and what is said of the chart is as new as the chart."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    empty = "/manage/metrics?tab=requests&start=2026-01-01T00:00&end=2026-01-02T00:00"
    sign_in(adam)
    page.goto(empty)
    expect(page.locator(".none").first).to_be_visible()
    assert not [url for url in asked if "uplot" in url and url.endswith(".js")]
    page.evaluate("htmx.ajax('GET', '?tab=requests', {target: '#metrics', swap: 'outerHTML'})")
    chart(page, "latency")
    expect(page.get_by_label("Latency: p50", exact=False)).to_be_visible()
    assert len([url for url in asked if "uplot" in url and url.endswith(".js")]) == 1


def test_a_chart_of_very_many_points(page, sign_in, adam, spike):
    """More than any page asks for: the drawing is what is looked at."""
    sign_in(adam)
    page.goto("/manage/metrics")
    chart(page, "latency")
    dice = random.Random(1)
    data = {
        "start": 1_790_000_000,
        "step": 60,
        "steps": SAMPLES,
        "form": "line",
        "unit": "seconds",
        "lines": [
            {"label": "p50", "colour": "c1", "values": [dice.random() for _ in range(SAMPLES)]}
        ],
    }
    drawn = page.evaluate(
        """async (data) => {
          const { draw } = await import("/static/js/charts/draw.js");
          const element = document.getElementById("plot-latency");
          element.replaceChildren();
          return draw(element, { data, marks: [] }, () => {}).data[0].length;
        }""",
        data,
    )
    assert drawn == SAMPLES
    expect(page.locator("#plot-latency canvas")).to_be_visible()


def test_follows_the_theme(page, sign_in, adam, spike):
    sign_in(adam)
    page.goto("/manage/metrics")
    chart(page, "latency")
    page.locator("[data-theme-toggle]").click()
    expect(page.locator("#plot-latency canvas")).to_have_count(1)
