"""The lists of workflows and executions in the browser."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.workflows.pages.runs import make_run


def shows(page, *names):
    """The rows are these, in this order, now or soon."""
    expect(page.locator("tbody a.rowlink")).to_have_text(names)


def test_workflows_empty_full_and_filtered_to_nothing(page, sign_in, every_look, alice):
    sign_in(alice)
    page.goto("/workflows")
    page.get_by_role("link", name="Start from a template").wait_for()
    every_look(page)
    for number in range(26):
        factories.make_workflow(alice, name=f"Report {number:02}", description="x" * 300)
    make_run(alice, "failed", workflow=factories.make_workflow(alice, name="LongWord" * 20))
    factories.make_workflow(alice, name="تقرير السوق 🚀", status="draft")
    page.goto("/workflows")
    every_look(page)
    page.get_by_label("Search by name or description").fill("nothing like it")
    page.get_by_role("link", name="Clear the filters").wait_for()
    assert page.url.endswith("/workflows?q=nothing+like+it")
    every_look(page)
    page.get_by_role("link", name="Clear the filters").click()
    page.get_by_role("link", name="Next").click()
    shows(page, "Report 02", "Report 01", "Report 00")
    page.get_by_role("link", name="Previous").click()
    page.get_by_label("Sort by").select_option("name")
    page.wait_for_url("**/workflows?sort=name")
    page.get_by_role("link", name="Report 00", exact=True).wait_for()


def test_executions_empty_full_and_filtered_to_nothing(page, sign_in, every_look, alice):
    sign_in(alice)
    page.goto("/executions")
    page.get_by_role("button", name="Run the sample workflow").wait_for()
    every_look(page)
    workflow = factories.make_workflow(alice, name="LongWord" * 20)
    for status in ["pending", "running", "completed", "failed", "cancelled"] * 6:
        make_run(alice, status, workflow=workflow)
    page.goto(f"/executions?workflow={workflow.pk}&period=dates&since=2026-01-01")
    every_look(page)
    page.get_by_role("link", name="Older").click()
    page.get_by_role("link", name="Newer").wait_for()
    page.locator("label.toggle", has_text="Failed").click()
    page.wait_for_url("**&status=failed")
    page.get_by_label("Search by workflow or error").fill("zzz")
    page.get_by_role("link", name="Clear the filters").wait_for()
    every_look(page)


def test_the_address_and_the_way_back(page, sign_in, alice):
    make_run(alice, workflow=factories.make_workflow(alice, name="Digest"))
    make_run(alice, "failed", workflow=factories.make_workflow(alice, name="Brief"))
    sign_in(alice)
    page.goto("/executions")
    expect(page.get_by_role("link", name="Clear")).to_be_hidden()
    page.get_by_role("checkbox", name="Failed").check(force=True)
    page.wait_for_url("**/executions?status=failed")
    page.get_by_role("link", name="Clear").wait_for()
    shows(page, "Brief")
    expect(page.locator("#list-said")).to_have_text("1 row shown.")
    page.go_back()
    page.wait_for_url("**/executions")
    page.get_by_role("link", name="Digest").wait_for()
    expect(page.get_by_role("heading", name="Executions", exact=True)).to_be_visible()
    assert not page.get_by_role("checkbox", name="Failed").is_checked()
    # From a run and back: the filter is where it was.
    page.goto("/executions?status=failed&q=brief")
    page.get_by_role("link", name="Brief").click()
    page.wait_for_url("**/executions/*")
    page.go_back()
    page.get_by_role("link", name="Brief").wait_for()
    assert page.get_by_role("checkbox", name="Failed").is_checked()
    expect(page.get_by_label("Search by workflow or error")).to_have_value("brief")


def test_a_copy_from_the_list(page, sign_in, alice):
    factories.make_workflow(alice, name="Digest")
    sign_in(alice)
    page.goto("/workflows")
    page.get_by_role("button", name="Copy Digest").click()
    page.wait_for_url(lambda url: not url.endswith("/workflows"))
    page.goto("/workflows")
    expect(page.locator("tbody a.rowlink")).to_have_count(2)


@pytest.mark.parametrize("javascript", [False])
def test_filters_work_without_scripts(page, sign_in, alice):
    make_run(alice, workflow=factories.make_workflow(alice, name="Digest"))
    make_run(alice, "failed", workflow=factories.make_workflow(alice, name="Brief"))
    factories.make_workflow(alice, name="Never", status="paused")
    sign_in(alice)
    page.goto("/executions")
    page.locator("label.toggle", has_text="Failed").click()
    page.get_by_role("button", name="Filter").click()
    shows(page, "Brief")
    page.goto("/workflows")
    page.get_by_label("Status").select_option("paused")
    page.get_by_role("button", name="Search").click()
    shows(page, "Never")
