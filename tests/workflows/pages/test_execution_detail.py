from datetime import timedelta

import pytest

from tests.factories import make_agent, make_definition, make_task, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import Execution

EVIL = """
<script>alert(1)</script> <img src=x onerror=alert(1)>
[click](javascript:alert(1)) [data](data:text/html,x) ![pixel](https://evil.example/p.png)
<iframe src="https://evil.example"></iframe>
"""


def url(run):
    return f"/executions/{run.pk}"


def test_shows_a_finished_run(browse, alice):
    run = make_run(
        alice,
        tasks={"report": {"output": "# Bees\n\nThey are **useful**."}},
        input={"topic": "bees"},
    )
    response = browse(alice).get(url(run))
    page = response.content.decode()
    assert "<strong>useful</strong>" in page
    assert "2 of 2" in page
    assert '<span class="jt-key">topic:</span><span class="jt-str">“bees”</span>' in page
    # The result is the answer of the last task.
    assert response.context["task"].task_id == "report"
    assert "/cancel" not in page


def test_shows_a_run_under_way(browse, alice):
    run = make_run(alice, "running", tasks={"gather": {"status": "completed"}})
    response = browse(alice).get(url(run))
    page = response.content.decode()
    assert response.context["task"].task_id == "report"
    assert f"{url(run)}/cancel" in page
    assert "Refresh" in page
    assert response.context["live"]["sequence"] == run.last_sequence
    assert '"status": "running"' in page


def test_waiting_for_a_worker_is_said(browse, alice):
    run = make_run(alice, "pending")
    assert "Waiting for a worker" in browse(alice).get(url(run)).content.decode()


def test_a_failure_says_what_to_do(browse, alice):
    failed = {
        "status": "failed",
        "error": "Add an OpenAI key under Keys.",
        "error_code": "missing_key",
    }
    skipped = {"status": "skipped", "error": "Skipped, because “Gather” failed."}
    run = make_run(alice, "failed", tasks={"gather": failed, "report": skipped})
    response = browse(alice).get(url(run))
    page = response.content.decode()
    assert response.context["task"].task_id == "gather"
    assert "Add an OpenAI key under Keys." in page
    assert 'href="/keys"' in page
    assert "1 task failed, 1 was skipped" in page


def test_a_bug_of_ours_leads_administrators_to_its_error(browse, alice, adam):
    broken = {"gather": {"status": "failed", "error_code": "internal_error"}}
    run = make_run(alice, "failed", tasks=broken)
    address = f"/manage/errors?status=any&amp;q={run.pk}"
    assert address in browse(adam).get(url(run)).content.decode()
    assert address not in browse(alice).get(url(run)).content.decode()


def test_a_task_can_be_linked_to(browse, alice):
    run = make_run(alice)
    client = browse(alice)
    assert client.get(url(run), {"task": "gather"}).context["task"].task_id == "gather"
    assert client.get(url(run), {"task": "ghost"}).context["task"].task_id == "report"


def test_the_view_is_chosen_by_the_address_and_kept(browse, alice):
    client = browse(alice)
    run = make_run(alice)
    assert client.get(url(run)).context["view"] == ""
    assert client.get(url(run), {"view": "evil"}).context["view"] == ""
    chosen = client.get(url(run), {"view": "timeline", "task": "gather"})
    assert 'data-view="timeline" aria-labelledby' in chosen.content.decode()
    assert client.get(url(run)).context["view"] == "timeline"
    client.cookies["run_view"] = "evil"
    assert client.get(url(run)).context["view"] == ""


def test_every_view_shows_every_task(browse, alice):
    skipped = {"status": "skipped", "error": "Skipped, because “Gather” failed."}
    tasks = {"gather": {"status": "failed"}, "report": skipped}
    page = browse(alice).get(url(make_run(alice, "failed", tasks=tasks))).content.decode()
    for part in page.split('<div class="view ')[1:]:
        assert "Gather" in part
        assert "Failed" in part
        assert "Skipped" in part


def test_the_timeline_shows_calls_and_waits(browse, alice):
    run = make_run(alice, tasks={"gather": {"attempts": 2}})
    start = run.started_at
    make_attempt(
        run,
        "gather",
        1,
        at=start,
        error="It took too long.",
        failed_at=start + timedelta(seconds=2),
        retry_in=1.5,
    )
    make_attempt(run, "gather", 2, at=start + timedelta(seconds=4))
    response = browse(alice).get(url(run))
    gather, report = response.context["timeline"].spans
    shown = [(piece.kind, piece.start, piece.end) for piece in gather.pieces]
    assert shown == [("failed", 0, 2), ("wait", 2, 4), ("call", 4, 5)]
    assert [(piece.left, piece.width) for piece in gather.pieces] == [
        ("0.00", "20.00"),
        ("20.00", "20.00"),
        ("40.00", "10.00"),
    ]
    assert [piece.kind for piece in report.pieces] == ["call"]
    assert "waited 1 time to try again" in response.content.decode()


def test_a_call_that_led_to_a_fallback_is_shown_as_failed(browse, alice):
    run = make_run(alice, tasks={"gather": {"attempts": 2}})
    make_attempt(run, "gather", 1, at=run.started_at)
    make_attempt(run, "gather", 2, at=run.started_at + timedelta(seconds=1))
    gather, _ = browse(alice).get(url(run)).context["timeline"].spans
    assert [piece.kind for piece in gather.pieces] == ["failed", "call"]


def test_the_timeline_alone(browse, alice, fragment):
    run = make_run(alice)
    answer = browse(alice).get(url(run), {"part": "timeline", "task": "report"}, **fragment)
    page = answer.content.decode()
    assert page.count("<li ") == 2
    assert "<html" not in page
    assert 'href="?task=report" aria-current="true"' in page


def test_what_is_of_unknown_price_is_said(browse, alice):
    agent = make_agent(provider="custom", model="mine")
    workflow = make_workflow(alice, definition=make_definition(agents=[agent]))
    run = make_run(alice, workflow=workflow)
    for task in ("gather", "report"):
        make_attempt(run, task, settled="0", provider="custom", model="mine")
    response = browse(alice).get(url(run))
    assert response.context["unpriced"] == {"gather", "report"}
    assert "cost unknown" in response.content.decode()
    assert "<dt>Cost</dt><dd>Unknown" in response.content.decode()


def test_what_is_free_is_not_unknown(browse, alice):
    run = make_run(alice)
    make_attempt(run, "gather", settled="0")
    response = browse(alice).get(url(run))
    assert response.context["unpriced"] == set()
    assert "nknown" not in response.content.decode()


def test_a_test_of_one_task(browse, alice):
    workflow = make_workflow(alice)
    run = Execution.start_test(
        workflow, make_definition(), "report", input={}, outputs={"gather": "Given."}, user=alice
    )
    response = browse(alice).get(url(run))
    page = response.content.decode()
    assert '<span class="chip plain">Test</span>' in page
    assert "As typed in the editor" in page
    assert page.count("Given as a sample") == 1
    assert "Run again" not in page
    assert response.context["task"].task_id == "report"
    sample = browse(alice).get(url(run), {"task": "gather"}).content.decode()
    assert "This answer was given as a sample" in sample
    assert "Given." in sample


def test_the_failed_tasks_can_be_jumped_to(browse, alice):
    tasks = [make_task(f"task_{number}") for number in range(8)]
    workflow = make_workflow(alice, definition=make_definition(*tasks))
    failed = {task["id"]: {"status": "failed", "error": "No."} for task in tasks}
    run = make_run(alice, "failed", workflow=workflow, tasks=failed)
    page = browse(alice).get(url(run)).content.decode()
    assert 'href="?task=task_0#task" data-open="task_0"' in page
    assert page.count("data-open=") == 5
    assert "and 3 more in the list" in page


def test_it_can_be_run_again_with_the_same_input(browse, alice):
    run = make_run(alice, input={"topic": "bees"})
    again = f"/workflows/{run.workflow_id}/run?from={run.pk}"
    client = browse(alice)
    assert again in client.get(url(run)).content.decode()
    assert "bees" in client.get(again).content.decode()


@pytest.mark.parametrize("query", ["from=x", "from=01a204c7-1884-740c-b469-7e99f3e75672"])
def test_an_unknown_run_gives_no_input(browse, alice, query):
    run = make_run(alice, input={"topic": "bees"})
    assert (
        "bees"
        not in browse(alice).get(f"/workflows/{run.workflow_id}/run?{query}").content.decode()
    )


def test_another_s_run_gives_no_input(browse, alice, bob):
    run = make_run(alice, input={"topic": "bees"})
    own = make_workflow(bob)
    page = browse(bob).get(f"/workflows/{own.pk}/run?from={run.pk}").content.decode()
    assert "bees" not in page


def test_htmx_gets_what_stands_above_the_graph(browse, alice, fragment):
    page = browse(alice).get(url(make_run(alice)), **fragment).content.decode()
    assert "<html" not in page
    assert 'id="dag"' not in page
    assert "data-live-progress" in page


def test_an_old_document_is_shown_as_it_was(browse, alice):
    workflow = make_workflow(alice)
    run = make_run(alice, workflow=workflow)
    workflow.revise(make_definition(make_task("other")), by=alice)
    page = browse(alice).get(url(run)).content.decode()
    assert "Version 1" in page
    assert 'data-id="other"' not in page


def test_output_is_never_markup(browse, alice):
    evil = {"output": EVIL, "error": EVIL, "input": EVIL, "task_name": EVIL[:200]}
    run = make_run(alice, tasks={"gather": evil, "report": evil}, input={"x": EVIL})
    page = browse(alice).get(url(run)).content.decode()
    for trap in ("<script>alert", "<img", "<iframe", 'href="javascript', 'href="data:'):
        assert trap not in page
    assert "[image: pixel]" in page


def test_data_for_scripts_cannot_break_out(browse, alice):
    run = make_run(alice, "running", input={"x": "</script><script>alert(1)</script>"})
    assert "</script><script>alert" not in browse(alice).get(url(run)).content.decode()


@pytest.mark.parametrize("shared", [True, False])
def test_another_s_is_not_found(browse, alice, bob, vera, shared):
    run = make_run(alice, workflow=make_workflow(alice, is_shared=shared))
    assert browse(bob).get(url(run)).status_code == 404
    assert browse(vera).get(url(run)).status_code == 404


def test_an_admin_sees_all(browse, alice, adam):
    assert browse(adam).get(url(make_run(alice))).status_code == 200


def test_who_became_a_viewer_reads_and_does_not_cancel(browse, alice):
    run = make_run(alice, "running")
    alice.role = "viewer"
    alice.save()
    page = browse(alice).get(url(run)).content.decode()
    assert "/cancel" not in page
    assert "/run" not in page


def test_strangers_sign_in_first(browse, alice):
    assert browse().get(url(make_run(alice)))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(url(make_run(alice))).status_code == 405


def many_tasks(alice, count):
    tasks = [make_task(f"task_{number}") for number in range(count)]
    run = make_run(alice, workflow=make_workflow(alice, definition=make_definition(*tasks)))
    for task in tasks:
        make_attempt(run, task["id"], 1, error="No.", retry_in=1)
        make_attempt(run, task["id"], 2)
    return run


@pytest.mark.parametrize("count", [2, 40])
def test_queries_do_not_grow_with_tasks(browse, alice, fragment, django_assert_num_queries, count):
    run = many_tasks(alice, count)
    client = browse(alice)
    # Who asks (2), the run, its tasks, their calls and failures, then the open task and its own.
    with django_assert_num_queries(9):
        client.get(url(run))
    with django_assert_num_queries(6):
        client.get(url(run), **fragment)
    with django_assert_num_queries(6):
        client.get(url(run), {"part": "timeline"}, **fragment)
