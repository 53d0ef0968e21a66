"""What breaks is seen: in a page, in a view and in a task; an alert fires, and a mail is sent."""

import asyncio
import re
import threading

import pytest
import uvloop
from django.core import mail
from django.db import connection
from playwright.sync_api import expect

from observability import metrics, names
from observability.alerts.evaluation import evaluate
from observability.alerts.sending import deliver
from observability.models import AlertRule, ErrorReport
from tests.engine.support import Script, UntilIdle, unbounded
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_key,
    make_task,
    make_workflow,
)

PAGE, VIEW, TASK = (f"Broken on purpose: a {what}" for what in ("page", "view", "task"))
TIMES = 2

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fresh():
    """The page does tell of itself."""
    return True


class QuietLoop(uvloop.Loop):
    """A loop outside of the main thread, where there are no signals."""

    def add_signal_handler(self, *_args):
        """Nobody sends any."""


def break_page(context):
    """An error that no script catches."""
    page = context.new_page()
    page.goto("/keys")
    with page.expect_response("**/api/errors") as answer:
        page.evaluate("text => { setTimeout(() => { throw new TypeError(text); }); }", PAGE)
    assert answer.value.status == 202
    page.close()


def break_view(context, monkeypatch):
    """A page that raises, for whoever asks."""

    def broken(*_args, **_options):
        raise RuntimeError(VIEW)

    page = context.new_page()
    with monkeypatch.context() as patch:
        patch.setattr("workflows.views.keys.render", broken)
        assert page.goto("/keys").status == 500
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.close()


def break_task(workflow):
    """A call that fails as no provider's does, in a thread: Playwright has the loop of this one."""
    execution = make_execution(workflow)
    script = Script(one=[ZeroDivisionError(TASK)])

    def work():
        with asyncio.Runner(loop_factory=QuietLoop) as runner:
            runner.run(UntilIdle(complete=script, slot=unbounded).run())
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    execution.refresh_from_db()
    assert execution.status == "failed"
    return execution


def test_what_breaks_is_grouped_and_somebody_is_told(
    context, page, sign_in, adam, monkeypatch, every_look
):
    make_key(adam)
    agents = [make_agent(provider="openai", model="gpt-4.1-mini")]
    workflow = make_workflow(adam, definition=make_definition(make_task("one"), agents=agents))
    AlertRule.create(
        by=adam,
        name="Anything breaks",
        metric=names.ERRORS_CAPTURED,
        aggregate="sum",
        threshold=0,
        severity="high",
    )
    sign_in(adam)
    for _ in range(TIMES):
        break_page(context)
        break_view(context, monkeypatch)
        execution = break_task(workflow)
    metrics.flush()

    page.goto("/manage/errors")
    for text in (PAGE, VIEW, TASK):
        row = page.get_by_role("row").filter(has_text=text)
        expect(row).to_have_count(1)
        expect(row.get_by_role("cell", name=str(TIMES), exact=True)).to_be_visible()
    every_look(page)

    page.get_by_role("link", name=re.compile(TASK)).click()
    expect(page.get_by_role("link", name=re.compile(str(execution.pk)[:8]))).to_be_visible()
    assert ErrorReport.objects.filter(group__title__contains=VIEW).first().context["path"]

    evaluate()
    deliver()
    page.goto("/manage/alerts")
    expect(page.get_by_text("Anything breaks").first).to_be_visible()
    expect(page.get_by_text("Firing").first).to_be_visible()
    [message] = [sent for sent in mail.outbox if "Anything breaks" in sent.subject]
    assert message.to == [adam.email]
    evaluate()
    deliver()
    assert len([sent for sent in mail.outbox if "Anything breaks" in sent.subject]) == 1
