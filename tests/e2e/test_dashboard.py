"""The dashboard and the landing page in the browser."""

from django.utils import timezone
from playwright.sync_api import expect

from tests import factories
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import Worker

LONG = "Averyveryverylongwordwithoutanybreaks" * 4


def test_a_full_dashboard(page, sign_in, every_look, alice):
    Worker.objects.create(name="one", version="1", seen_at=timezone.now())
    run = make_run(alice, "failed", workflow=factories.make_workflow(alice, name=LONG))
    make_attempt(run, "gather", settled="1.25")
    make_run(alice, workflow=factories.make_workflow(alice, name="تقرير السوق 🚀"))
    make_run(alice, "running", workflow=factories.make_workflow(alice, name="Digest"))
    factories.make_workflow(alice, name="Idea", status="draft")
    sign_in(alice)
    page.goto("/dashboard")
    table = page.get_by_text("Show as a table")
    table.focus()
    page.keyboard.press("Enter")
    page.get_by_role("columnheader", name="Day").wait_for()
    every_look(page)
    page.get_by_role("link", name="See why").click()
    page.wait_for_url(f"**/executions/{run.pk}")


def test_the_dashboard_follows_what_runs(page, sign_in, axe, alice):
    run = make_run(alice, "running", workflow=factories.make_workflow(alice, name="Digest"))
    sign_in(alice)
    page.goto("/dashboard")
    page.get_by_role("progressbar", name="Digest, 0 of 2 tasks").wait_for()
    run.status, run.ended_count, run.completed_at = "completed", 2, timezone.now()
    run.save()
    page.get_by_role("cell", name="Completed").wait_for()
    expect(page.locator("#running-now")).to_have_text("0")
    expect(page.get_by_text("1 of 1 run")).to_be_visible()
    expect(page.get_by_role("heading", name="Running now")).to_have_count(0)
    axe(page)


def test_everyone_s_runs(page, sign_in, every_look, alice, adam):
    make_run(alice, "running", workflow=factories.make_workflow(alice, name="Digest"))
    sign_in(adam)
    page.goto("/dashboard")
    expect(page.get_by_role("link", name="Digest")).to_have_count(0)
    page.get_by_role("link", name="Everyone’s").click()
    page.get_by_role("link", name="Digest").wait_for()
    every_look(page)


def test_the_example_run_plays_and_stops(browser, site, axe, db):
    context = browser.new_context(base_url=site, reduced_motion="no-preference")
    try:
        page = context.new_page()
        page.clock.install()
        page.goto("/")
        page.locator("[data-demo]").scroll_into_view_if_needed()
        pause = page.get_by_role("button", name="Pause the example")
        pause.wait_for()
        page.clock.run_for(3000)
        pause.click()
        done = page.locator("[data-demo-done]").text_content()
        page.clock.run_for(3000)
        assert page.locator("[data-demo-done]").text_content() == done != "6 of 6 tasks"
        page.get_by_role("button", name="Play the example").click()
        page.clock.run_for(20_000)
        page.get_by_role("button", name="Play the example again").wait_for()
        expect(page.locator("[data-demo-done]")).to_have_text("6 of 6 tasks")
        expect(page.locator("[data-demo-chip]")).to_have_text("Completed")
        axe(page)
    finally:
        context.close()


def test_without_motion_the_example_waits_to_be_played(page, db):
    page.goto("/")
    page.get_by_role("button", name="Play the example").wait_for()
    expect(page.locator("[data-demo-done]")).to_have_text("4 of 6 tasks")
