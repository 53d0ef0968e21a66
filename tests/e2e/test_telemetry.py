"""js/telemetry.js in a browser: what it sends, what it does not, and that it arrives."""

import json
import time
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import expect

from observability import metrics
from observability.models import ErrorGroup, MetricSeries
from tests.processes import PATIENCE

SCRIPT = Path(settings.BASE_DIR) / "hummbl/static/js/telemetry.js"
SOON = "window.setTimeout = ((wait) => (act, time) => wait(act, Math.min(time, 50)))(setTimeout)"


@pytest.fixture
def fresh():
    """These pages do tell of themselves."""
    return True


@pytest.fixture
def sent(context):
    """What pages send, by address; the server does not get it."""
    found = {"/api/telemetry": [], "/api/errors": []}

    def note(route):
        path = "/" + route.request.url.split("/", 3)[3]
        body = json.loads(route.request.post_data_buffer)
        found[path] += body.get("events", [body])
        route.fulfill(status=202)

    context.route("**/api/telemetry", note)
    context.route("**/api/errors", note)
    return found


def hide(page):
    """What a browser says when the page is left or covered."""
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }""")


def wait_for(page, condition):
    """Until the browser has handed over what it sends."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "It was not sent."
        page.wait_for_timeout(50)


def all_of(page, sent):
    """Until all that the page has to send has been sent."""
    page.evaluate("() => hummbl.track('the.last')")
    hide(page)
    wait_for(page, lambda: "the.last" in names_of(sent, "event"))


def names_of(sent, kind):
    return [event["name"] for event in sent["/api/telemetry"] if event["type"] == kind]


@pytest.mark.once
def test_it_is_small():
    assert len(SCRIPT.read_bytes()) < 5000


def test_a_view_goes_in_a_batch_after_a_while(context, page, sent):
    context.add_init_script(SOON)
    page.goto("/signin")
    wait_for(page, lambda: names_of(sent, "view"))
    assert sent["/api/telemetry"][0] == {"type": "view", "name": "/signin", "props": {}}


def test_vitals_go_once_when_the_page_is_hidden(page, sent):
    page.goto("/signin")
    page.get_by_label("E-mail").click()
    hide(page)
    all_of(page, sent)
    found = {e["name"]: e["props"] for e in sent["/api/telemetry"] if e["type"] == "vital"}
    assert sorted(names_of(sent, "vital")) == sorted(found)
    assert {"TTFB", "FCP", "LCP", "CLS"} <= set(found)
    assert found["LCP"]["value"] >= found["FCP"]["value"] > found["TTFB"]["value"] > 0
    assert found["LCP"]["value"] < 60, "times are in seconds"
    assert {props["page"] for props in found.values()} == {"/signin"}


def test_shifts_and_slow_answers_are_measured(page, sent):
    """CLS is the worst burst, INP the slowest interaction."""
    page.goto("/signin")
    page.evaluate("""() => new Promise((done) => {
      document.querySelector("main").style.marginTop = "300px";
      requestAnimationFrame(() => requestAnimationFrame(done));
      document.body.addEventListener("click", () => {
        const until = performance.now() + 200;
        while (performance.now() < until);
      });
      // The browser tells of an event once it has painted what came of it.
      window.told = new Promise((resolve) => {
        new PerformanceObserver((list) => {
          if (list.getEntries().some((entry) => entry.interactionId)) resolve();
        }).observe({ type: "event", durationThreshold: 40 });
      });
    })""")
    page.mouse.click(700, 5)
    page.evaluate("() => window.told")
    all_of(page, sent)
    found = {e["name"]: e["props"]["value"] for e in sent["/api/telemetry"] if e["type"] == "vital"}
    assert 0.15 < found["INP"] < 60
    assert 0 < found["CLS"] < 5


def test_events_of_a_script(page, sent):
    page.goto("/signin")
    page.evaluate("""() => {
      hummbl.track("theme.switched", { to: "dark", times: 2, long: "x".repeat(500) });
      hummbl.track("Not a name");
      hummbl.track("odd", null);
      hummbl.track();
      for (let at = 0; at < 60; at++) hummbl.track("many");
    }""")
    hide(page)
    wait_for(page, lambda: len(names_of(sent, "event")) >= 61)
    events = [event for event in sent["/api/telemetry"] if event["type"] == "event"]
    assert events[0]["props"] == {"to": "dark", "times": 2, "long": "x" * 200}
    assert {event["name"] for event in events} == {"theme.switched", "many"}


@pytest.mark.parametrize("asked", ["doNotTrack", "globalPrivacyControl"])
def test_nothing_of_who_does_not_want_it(context, page, sent, asked):
    value = json.dumps("1" if asked == "doNotTrack" else True)
    context.add_init_script(f"Object.defineProperty(navigator, '{asked}', {{ value: {value} }})")
    page.goto("/signin")
    page.evaluate("() => { hummbl.track('a'); hummbl.report(new Error('no')); }")
    hide(page)
    page.goto("/reset")
    assert sent == {"/api/telemetry": [], "/api/errors": []}


def test_errors_each_once_and_ten_of_a_page(context, sent):
    page = context.new_page()  # not the fixture's, which fails on what is meant here
    page.goto("/signin")
    page.evaluate("""() => {
      const fail = (text) => () => { throw new TypeError(text); };
      const later = () => new Promise((done) => setTimeout(done, 20));
      for (let at = 0; at < 3; at++) setTimeout(fail("the same"));
      Promise.reject(new RangeError("unhandled"));
      return later();
    }""")
    wait_for(page, lambda: len(sent["/api/errors"]) >= 2)
    by_message = {error["message"]: error for error in sent["/api/errors"]}
    assert set(by_message) == {"TypeError: the same", "RangeError: unhandled"}
    assert "at " in by_message["TypeError: the same"]["stack"]
    assert by_message["TypeError: the same"]["severity"] == "medium"
    assert by_message["TypeError: the same"]["context"] == {"page": "/signin"}
    page.evaluate("() => { for (let at = 0; at < 30; at++) hummbl.report(new Error(at), 'low'); }")
    all_of(page, sent)
    assert len(sent["/api/errors"]) == 10
    page.close()


def test_without_a_beacon_it_fetches(context, page, sent):
    context.add_init_script("delete Navigator.prototype.sendBeacon")
    page.goto("/signin")
    hide(page)
    wait_for(page, lambda: names_of(sent, "view"))


def test_a_page_works_without_what_it_measures_by(context, page, sent):
    context.add_init_script(
        "delete window.PerformanceObserver; delete Navigator.prototype.sendBeacon"
    )
    page.goto("/signin")
    page.evaluate("() => hummbl.track('still.works')")
    hide(page)
    wait_for(page, lambda: names_of(sent, "event"))


@pytest.mark.parametrize("path", ["/", "/signin", "/no/such/page"])
def test_every_page_tells(context, page, sent, path):
    context.add_init_script(SOON)
    page.goto(path)
    wait_for(page, lambda: path in names_of(sent, "view"))


def test_what_is_sent_arrives(context, adam, sign_in):
    """The whole way: a page, its events and its error, the tables, the administrators' page."""
    page = context.new_page()
    sign_in(adam)
    page.goto("/workflows")
    with page.expect_response("**/api/errors") as errors:
        page.evaluate("() => { setTimeout(() => { throw new Error('intended here'); }); }")
    page.evaluate("() => hummbl.track('workflow.copied')")
    with page.expect_response("**/api/telemetry") as events:
        hide(page)
    assert (errors.value.status, events.value.status) == (202, 202)
    metrics.flush()
    assert MetricSeries.objects.filter(name="browser.page.views", tags={"page": "/workflows"})
    group = ErrorGroup.objects.get(source="browser")
    assert "intended here" in group.title
    page.goto("/manage/traffic")
    expect(page.get_by_role("row", name="/workflows")).to_contain_text("1")
    expect(page.get_by_role("row", name="workflow.copied")).to_be_visible()
    page.close()
