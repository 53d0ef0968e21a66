"""Every page there is, on a desk and on a phone, in light and dark: found from the URLs."""

import pytest
from django.urls import URLPattern, get_resolver, reverse
from playwright.sync_api import expect

from accounts import links
from accounts.models import Session
from tests.factories import make_agent, make_definition, make_key, make_task, make_workflow
from tests.observability.alerts.made import make_alert
from tests.observability.errors.support import make_error
from tests.workflows.pages.runs import make_attempt, make_run

STRANGERS = {"landing", "reset", "reset_sent", "sign_in", "sign_up"}
# Behind a link in a mail.
LINKED = {"reset_confirm": links.reset, "verify": links.verification}
USERS = {
    "dashboard",
    "email_change",
    "execution_detail",
    "execution_list",
    "key_edit",
    "key_list",
    "password_change",
    "profile",
    "reauthenticate",
    "template_detail",
    "template_list",
    "token_create",
    "token_list",
    "workflow_create",
    "workflow_detail",
    "workflow_diff",
    "workflow_edit",
    "workflow_import",
    "workflow_list",
    "workflow_run",
    "workflow_version",
    "workflow_versions",
}
ADMINS = {
    "manage_alert",
    "manage_alerts",
    "manage_audit",
    "manage_channel",
    "manage_channel_create",
    "manage_channels",
    "manage_error",
    "manage_errors",
    "manage_executions",
    "manage_health",
    "manage_metrics",
    "manage_requests",
    "manage_rule",
    "manage_rule_create",
    "manage_stats",
    "manage_storage",
    "manage_traffic",
    "manage_user",
    "manage_users",
    "manage_workflows",
}
# Part of a page, a file, or the target of a form.
NO_PAGES = {
    "execution_cancel",
    "execution_output",
    "execution_outputs",
    "execution_task",
    "key_delete",
    "key_test",
    "key_toggle",
    "manage_audit_csv",
    "manage_channel_delete",
    "manage_channel_test",
    "manage_error_ignore",
    "manage_error_reopen",
    "manage_error_resolve",
    "manage_rule_delete",
    "manage_silence_end",
    "manage_user_activity",
    "manage_user_role",
    "manage_user_session_end",
    "manage_user_sessions_end",
    "prometheus",
    "session_end",
    "sessions_end_others",
    "sign_out",
    "task_test_result",
    "template_use",
    "token_delete",
    "verify_send",
    "workflow_check",
    "workflow_copy",
    "workflow_delete",
    "workflow_export",
    "workflow_preview",
    "workflow_restore",
    "workflow_task_test",
}


def names():
    """The names of all routes but those of the API and of the Django admin."""
    found = set()
    for entry in get_resolver().url_patterns:
        if str(entry.pattern).startswith(("api", "admin/")):
            continue
        patterns = [entry] if isinstance(entry, URLPattern) else entry.url_patterns
        found |= {each.name for each in patterns}
    return found - {None}


def test_no_page_is_forgotten():
    assert names() == STRANGERS | set(LINKED) | USERS | ADMINS | NO_PAGES


@pytest.fixture
def world(alice):
    """A little of everything, and the arguments of each page's address."""
    Session.open(alice, ip="203.0.113.9", user_agent="a-program-with-a-very-long-name/1.0 " * 5)
    key = make_key(alice)
    agents = [make_agent(instructions="Be brief.", fallbacks=["openai:gpt-5-mini"])]
    tasks = [
        make_task("plan", description="Plan the research on {{ input.topic }}."),
        make_task("left", "plan", name="Compare_all_the_prices_that_were_found " * 3),
        make_task("right", "plan", input={"tone": "plain"}),
        make_task("report", "left", "right"),
    ]
    workflow = make_workflow(alice, definition=make_definition(*tasks[:3], agents=agents))
    workflow.revise(make_definition(*tasks, agents=agents), by=alice)
    failed = {"status": "failed", "attempts": 3, "error": "OpenAI is limiting the rate of calls."}
    run = make_run(alice, "failed", workflow=workflow, tasks={"left": failed})
    make_attempt(run, "left", 1, settled=None, error="It took too long.")
    make_run(alice, "running", workflow=workflow)
    make_run(alice, workflow=workflow)
    alert, channel = make_alert()
    return {
        "execution_detail": [run.pk],
        "key_edit": [key.pk],
        "manage_alert": [alert.pk],
        "manage_error": [make_error().pk],
        "manage_channel": [channel.pk],
        "manage_rule": [alert.rule_id],
        "manage_user": [alice.pk],
        "template_detail": ["research-and-report"],
        "workflow_detail": [workflow.pk],
        "workflow_diff": [workflow.pk, 1, 2],
        "workflow_edit": [workflow.pk],
        "workflow_run": [workflow.pk],
        "workflow_version": [workflow.pk, 1],
        "workflow_versions": [workflow.pk],
    }


@pytest.fixture(autouse=True)
def _quiet_stream(page):
    """No events: the server of these tests cannot stream, which the story's can."""
    page.route(
        "**/stream",
        lambda route: route.fulfill(content_type="text/event-stream", body=": nothing\n\n"),
    )


def look(page, every_look, name, arguments=()):
    answer = page.goto(reverse(name, args=arguments))
    assert answer.status == 200
    expect(page.locator('[href=""], [src=""], [action=""]')).to_have_count(0)
    every_look(page)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(STRANGERS))
def test_a_page_for_strangers(page, every_look, name):
    look(page, every_look, name)


@pytest.mark.parametrize("name", sorted(LINKED))
def test_a_page_behind_a_link(page, every_look, alice, name):
    for token, status in ((LINKED[name].token(alice), 200), ("used", 400)):
        assert page.goto(f"{reverse(name)}?token={token}").status == status
        every_look(page)


@pytest.mark.parametrize("name", sorted(USERS))
def test_a_page_for_users(page, sign_in, every_look, alice, world, name):
    sign_in(alice)
    look(page, every_look, name, world.get(name, ()))


@pytest.mark.parametrize(
    "name", ["dashboard", "execution_list", "key_list", "token_list", "workflow_list"]
)
def test_a_page_with_nothing_on_it_yet(page, sign_in, every_look, alice, name):
    sign_in(alice)
    look(page, every_look, name)


@pytest.mark.parametrize("name", sorted(ADMINS))
def test_a_page_for_admins(page, sign_in, every_look, adam, world, name):
    sign_in(adam)
    look(page, every_look, name, world.get(name, ()))


@pytest.mark.django_db
def test_a_page_that_is_not_there(page, every_look):
    assert page.goto("/nowhere").status == 404
    every_look(page)
