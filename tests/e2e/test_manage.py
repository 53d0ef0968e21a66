"""The administrators' pages and the Django admin, as a person meets them."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_execution, make_key, make_user, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import Execution

MODELS = (
    *("workflow", "workflowversion", "execution", "taskresult", "executionevent"),
    *("spendentry", "apikey", "worker"),
)
LONG = "Summarise the inbox of the whole department in parts, with sources, doubts and more " * 2


@pytest.fixture
def runs(alice):
    """A run of every kind, and a waiting one of somebody with a long name and address."""
    for status in ("completed", "failed", "cancelled", "running"):
        make_attempt(make_run(alice, status), "gather")
    owner = make_user("an.address.that.is.longer.than.most.others.are@example.com", name="L" * 150)
    return make_execution(make_workflow(owner, name=LONG[:200], description=LONG))


def test_the_tables_behind_the_charts(page, sign_in, every_look, adam, runs):
    sign_in(adam)
    page.goto("/manage/stats")
    for summary in page.get_by_text("Show as a table").all():
        summary.click()
    every_look(page)


def test_the_empty_pages(page, sign_in, every_look, adam):
    sign_in(adam)
    for url in ("/manage/workflows", "/manage/executions", "/manage/stats", "/manage/storage"):
        page.goto(url)
        every_look(page)


def test_finding_and_cancelling_a_run(page, sign_in, every_look, adam, runs):
    sign_in(adam)
    page.goto("/manage/workflows")
    every_look(page)
    page.goto("/manage/executions")
    every_look(page)
    page.get_by_label("User’s e-mail").fill("longer.than")
    page.wait_for_url("**/manage/executions?user=longer.than")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Cancel the run of").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    page.get_by_text("The run is being cancelled.").wait_for()
    assert page.url.endswith("?user=longer.than")
    assert Execution.objects.get(pk=runs.pk).status == "cancelled"


def test_a_list_that_is_refreshed_while_somebody_decides(page, sign_in, adam, runs):
    """The answer counts, although the form that was asked about is no longer in the page."""
    sign_in(adam)
    page.goto("/manage/executions?user=longer.than")
    page.get_by_role("button", name="Cancel the run of").click()
    page.get_by_role("dialog").wait_for()
    page.evaluate("document.querySelector('main').innerHTML += ''")
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    page.get_by_text("The run is being cancelled.").wait_for()
    assert Execution.objects.get(pk=runs.pk).status == "cancelled"


def test_the_queue_is_asked_for_again(page, sign_in, adam, runs):
    sign_in(adam)
    page.goto("/manage/stats")
    waiting = page.locator("#now .v").first
    expect(waiting).to_have_text("1", use_inner_text=True)
    runs.cancel(by=adam)
    page.evaluate("htmx.ajax('GET', '/manage/stats', {target: '#now', swap: 'outerHTML'})")
    expect(waiting).to_have_text("0")


def test_others_are_told_whom_it_is_for(page, sign_in, every_look, alice):
    sign_in(alice)
    assert page.goto("/manage/stats").status == 403
    page.get_by_text("Only administrators see this page.").wait_for()
    every_look(page)
    assert not page.get_by_role("link", name="Statistics").count()


@pytest.mark.parametrize("theme", ["dark"])
def test_the_django_admin_works_under_our_policy(page, sign_in, adam, runs):
    """Violations, console errors and exceptions fail the test by themselves."""
    make_key(runs.user)
    sign_in(adam)
    page.goto("/admin/")
    for model in ("user", "session"):
        assert page.goto(f"/admin/accounts/{model}/").status == 200
    for model in MODELS:
        assert page.goto(f"/admin/workflows/{model}/").status == 200
    for model, pk in (("execution", runs.pk), ("workflow", runs.workflow_id)):
        assert page.goto(f"/admin/workflows/{model}/{pk}/change/").status == 200
    page.get_by_role("link", name="View on site").click()
    page.wait_for_url(f"**/workflows/{runs.workflow_id}")


def test_cancelling_in_the_django_admin(page, sign_in, adam, runs):
    sign_in(adam)
    page.goto(f"/admin/workflows/execution/?q={runs.pk}")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(label="Cancel selected executions")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("is being cancelled.").wait_for()
    assert Execution.objects.get(pk=runs.pk).status == "cancelled"
