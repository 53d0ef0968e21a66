import pytest

from tests.factories import make_definition, make_task, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run

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
    assert "&quot;topic&quot;: &quot;bees&quot;" in page
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


def test_a_task_can_be_linked_to(browse, alice):
    run = make_run(alice)
    client = browse(alice)
    assert client.get(url(run), {"task": "gather"}).context["task"].task_id == "gather"
    assert client.get(url(run), {"task": "ghost"}).context["task"].task_id == "report"


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


@pytest.mark.parametrize("count", [2, 40])
def test_queries_do_not_grow_with_tasks(browse, alice, django_assert_num_queries, count):
    tasks = [make_task(f"task_{number}") for number in range(count)]
    run = make_run(alice, workflow=make_workflow(alice, definition=make_definition(*tasks)))
    for task in tasks:
        make_attempt(run, task["id"])
    client = browse(alice)
    with django_assert_num_queries(7):
        client.get(url(run))
