"""The gallery in a browser: found, looked at, used."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_key
from workflows.models import Workflow

pytestmark = pytest.mark.django_db(transaction=True)


def test_from_the_gallery_to_a_workflow_of_ones_own(page, alice, sign_in, every_look):
    make_key(alice, provider="anthropic")
    sign_in(alice)
    page.goto("/templates")
    expect(page.get_by_role("heading", level=1)).to_have_text("Templates")

    page.get_by_role("link", name="Engineering").click()
    expect(page.locator(".tile")).to_have_count(2)
    expect(page.get_by_role("link", name="Engineering")).to_have_attribute("aria-current", "page")
    page.get_by_label("Search templates").fill("zeppelin")
    expect(page.get_by_text("No template matches")).to_be_visible()
    assert page.url.endswith("/templates?q=zeppelin&category=Engineering")
    every_look(page)
    page.get_by_role("link", name="Show all").click()

    page.get_by_role("link", name="Research and report").click()
    expect(page.get_by_label("Model of all agents")).to_have_value("anthropic:claude-haiku-5-5")
    expect(page.locator("#dag .node")).to_have_count(4)
    page.get_by_label("Model of all agents").select_option("local:smollm2-135m")
    page.get_by_role("button", name="Use this template").click()

    expect(page.get_by_label("Topic")).not_to_have_value("")
    expect(page.get_by_text("is yours now")).to_be_visible()
    every_look(page)
    workflow = Workflow.objects.get()
    assert page.url.endswith(f"/workflows/{workflow.pk}/run?example=1")
    assert workflow.current_version.definition["agents"][0]["model"] == "smollm2-135m"


@pytest.mark.parametrize("javascript", [False])
def test_without_scripts(page, alice, sign_in):
    sign_in(alice)
    page.goto("/templates")
    page.get_by_label("Search templates").fill("commits")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".tile")).to_have_count(1)
    page.get_by_role("button", name="Use Release notes from commits").click()
    expect(page.get_by_label("Product and version")).to_have_value("Pocket Ledger 2.4")
    assert Workflow.objects.get().owner == alice


def test_a_viewer_is_told_why(page, vera, sign_in, every_look):
    sign_in(vera)
    page.goto("/templates")
    expect(page.get_by_text("You can look, but not use them")).to_be_visible()
    expect(page.get_by_role("button", name="Use")).to_have_count(0)
    every_look(page)
    page.goto("/templates/study-cards")
    expect(page.get_by_text("Your role is viewer")).to_be_visible()
    every_look(page)
