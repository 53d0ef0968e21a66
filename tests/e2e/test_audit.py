"""The audit log, as an administrator reads it."""

import pytest
from playwright.sync_api import expect

from accounts.models import Action
from tests.accounts.entries import make_entry
from tests.factories import make_key, make_workflow
from tests.workflows.pages.runs import make_run

LONG = "Summarise the inbox of the whole department in parts, with sources, doubts and more " * 2


@pytest.fixture
def log(alice, bob):
    """A little of everything, with long names."""
    make_entry(Action.SIGNED_IN, actor=bob, obj=bob, ip="2001:db8:85a3:8d3:1319:8a2e:370:7348")
    make_entry(Action.SIGN_IN_FAILED, object_label="eve@example.com", ip="203.0.113.9")
    make_entry(Action.KEYS_ROTATED, actor_label="command line", data={"rotated": 12})
    make_run(alice)
    workflow = make_workflow(alice, name=LONG[:150])
    workflow.change({"name": "Inbox", "status": "paused", "is_shared": True}, by=alice)
    make_key(alice).delete(by=bob)
    path = "/api/admin/" + "x" * 150
    make_entry(Action.REFUSED, actor=bob, object_label=f"GET {path}", data={"path": path})


def test_finding_out_who_deleted_the_key(page, sign_in, every_look, adam, log):
    sign_in(adam)
    page.goto("/manage/audit")
    every_look(page)
    page.get_by_label("Action", exact=True).select_option(label="All of: Provider keys")
    page.wait_for_url("**/manage/audit?action=key.*")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_label("Person’s e-mail").fill("bob@")
    page.wait_for_url("**&action=key.*")
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Deleted a provider key")
    page.get_by_text("Details").click()
    expect(page.get_by_text("Owner", exact=True)).to_be_visible()
    expect(page.get_by_text("Object id", exact=True)).to_be_visible()
    every_look(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename.startswith("audit-log-")
    text = download.value.path().read_text("utf-8-sig")
    assert "key.deleted" in text
    assert "key.created" not in text
    page.get_by_label("Person’s e-mail").fill("nobody@")
    page.get_by_text("Nothing matches", exact=True).wait_for()
    every_look(page)
    page.get_by_role("link", name="Clear the filters").click()
    page.wait_for_url("**/manage/audit")
    expect(page.locator("tbody tr").first).to_contain_text("Exported the audit log")
