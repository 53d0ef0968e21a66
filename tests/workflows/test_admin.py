"""The Django admin of the workflow models."""

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_definition, make_execution, make_key, make_task, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import ApiKey, Execution, Worker, Workflow, WorkflowVersion

MODELS = [
    "workflow",
    "workflowversion",
    "execution",
    "taskresult",
    "executionevent",
    "spendentry",
    "apikey",
]
HISTORY = [name for name in MODELS if name not in {"workflow", "apikey"}]
TEN = make_definition(*(make_task(f"task_{number}") for number in range(10)))
SECRET = "sk-canary-0123456789-WXYZ"


@pytest.fixture
def admin(adam):
    client = Client()
    client.force_login(adam)
    return client


@pytest.fixture
def rows(alice):
    """A row of every model, by the model's name."""
    run = make_run(alice)
    return {
        "workflow": run.workflow,
        "workflowversion": run.version,
        "execution": run,
        "taskresult": run.tasks.first(),
        "executionevent": run.events.first(),
        "spendentry": make_attempt(run, "gather"),
        "apikey": make_key(alice, secret=SECRET),
    }


@pytest.mark.parametrize("model", MODELS)
def test_lists_searches_and_shows(admin, rows, model):
    assert admin.get(f"/admin/workflows/{model}/").status_code == 200
    assert admin.get(f"/admin/workflows/{model}/", {"q": "x"}).status_code == 200
    assert admin.get(f"/admin/workflows/{model}/{rows[model].pk}/change/").status_code == 200


def test_has_pages_for_what_is_ours_alone(admin):
    answer = admin.get("/admin/")
    assert {app["app_label"] for app in answer.context["app_list"]} == {"accounts", "workflows"}


@pytest.mark.parametrize("model", MODELS)
def test_adds_nothing(admin, model):
    assert admin.get(f"/admin/workflows/{model}/add/").status_code == 403


@pytest.mark.parametrize("model", HISTORY)
def test_history_is_read_only(admin, rows, model):
    base = f"/admin/workflows/{model}/{rows[model].pk}"
    assert admin.post(f"{base}/change/", {"status": "failed"}).status_code == 403
    assert admin.post(f"{base}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_stay_outside(request, rows, model, who):
    client = Client()
    client.force_login(request.getfixturevalue(who))
    response = client.get(f"/admin/workflows/{model}/")
    assert response.status_code in {302, 403}


def test_a_key_is_masked_everywhere(admin, rows):
    key = rows["apikey"]
    for url in ("/admin/workflows/apikey/", f"/admin/workflows/apikey/{key.pk}/change/"):
        page = admin.get(url).content.decode()
        assert "•••• WXYZ" in page
        assert SECRET not in page
        assert "ciphertext" not in page


def test_a_key_can_be_stopped_and_nothing_else(admin, rows):
    key = rows["apikey"]
    before = bytes(key.ciphertext)
    data = {"is_active": "", "name": "x", "base_url": "https://evil.example", "last_four": "0000"}
    admin.post(f"/admin/workflows/apikey/{key.pk}/change/", data)
    key.refresh_from_db()
    assert not key.is_active
    assert (key.name, key.base_url, key.last_four) == ("main", "", "WXYZ")
    assert bytes(key.ciphertext) == before


def test_a_key_can_be_deleted(admin, rows):
    admin.post(f"/admin/workflows/apikey/{rows['apikey'].pk}/delete/", {"post": "yes"})
    assert not ApiKey.objects.exists()


def _inline_form():
    return {f"versions-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


def test_a_workflow_can_be_paused_but_not_given_away(admin, alice, bob):
    workflow = make_workflow(alice)
    data = {"name": "New", "status": "paused", "owner": str(bob.pk), "description": ""}
    response = admin.post(f"/admin/workflows/workflow/{workflow.pk}/change/", data | _inline_form())
    assert response.status_code == 302
    workflow.refresh_from_db()
    assert (workflow.name, workflow.status, workflow.owner) == ("New", "paused", alice)
    assert WorkflowVersion.objects.count() == 1


def test_a_workflow_is_deleted_with_its_history(admin, rows):
    url = f"/admin/workflows/workflow/{rows['workflow'].pk}/delete/"
    assert admin.get(url).status_code == 200
    admin.post(url, {"post": "yes"})
    assert not Workflow.objects.exists()
    assert not Execution.objects.exists()


def test_a_workflow_under_way_is_not_deleted(admin, alice):
    execution = make_execution(make_workflow(alice))
    url = f"/admin/workflows/workflow/{execution.workflow_id}/delete/"
    response = admin.post(url, {"post": "yes"}, follow=True)
    assert "has an execution under way" in response.content.decode()
    assert Workflow.objects.exists()


@pytest.mark.parametrize("model", [*MODELS, "worker"])
def test_queries_do_not_grow_with_rows(admin, alice, bob, model, django_assert_num_queries):
    def more(owner, number):
        make_attempt(make_run(owner), "gather")
        make_key(owner, name=f"key {number}")
        Worker.objects.create(name=f"worker {number}", version="1", seen_at=Now())

    more(alice, 0)
    with CaptureQueriesContext(connection) as few:
        admin.get(f"/admin/workflows/{model}/")
    for number in range(1, 7):
        more((alice, bob)[number % 2], number)
    with django_assert_num_queries(len(few)):
        assert admin.get(f"/admin/workflows/{model}/").status_code == 200
    # The session, the user; the count of the page's rows, the rows; the dates of the hierarchy.
    assert len(few) <= 6


def test_a_list_counts_no_more_than_it_has_pages_for(admin, rows):
    with CaptureQueriesContext(connection) as queries:
        admin.get("/admin/workflows/execution/")
    (count,) = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert "LIMIT 10000" in count


@pytest.mark.parametrize(("model", "count"), [("workflow", 6), ("execution", 8)])
def test_queries_of_a_page_do_not_grow_with_its_lines(
    admin, alice, model, count, django_assert_num_queries
):
    few, many = make_run(alice), make_run(alice, workflow=make_workflow(alice, definition=TEN))
    for number in range(5):
        many.workflow.revise(make_definition(make_task(f"task_{number}")), by=alice)
    # What a process asks once, such as the content types, is asked before.
    for run in (few, many):
        pk = run.pk if model == "execution" else run.workflow_id
        if run is few:
            admin.get(f"/admin/workflows/{model}/{pk}/change/")
        with django_assert_num_queries(count):
            assert admin.get(f"/admin/workflows/{model}/{pk}/change/").status_code == 200


@pytest.mark.parametrize("model", [name for name in MODELS if name != "apikey"])
def test_an_id_is_found_as_people_write_it(admin, rows, alice, bob, model):
    make_attempt(make_run(bob), "gather")
    for wanted in (str(rows[model].pk), str(rows[model].pk).upper()):
        found = admin.get(f"/admin/workflows/{model}/", {"q": wanted})
        assert list(found.context["cl"].result_list) == [rows[model]]


@pytest.mark.parametrize("model", ["taskresult", "executionevent", "spendentry", "execution"])
def test_rows_are_found_by_the_id_of_their_run(admin, rows, bob, model):
    make_attempt(make_run(bob), "gather")
    found = admin.get(f"/admin/workflows/{model}/", {"q": str(rows["execution"].pk)})
    results = found.context["cl"].result_list
    assert results
    assert all(getattr(row, "execution_id", row.pk) == rows["execution"].pk for row in results)


def test_objects_link_to_each_other(admin, rows):
    run = rows["execution"]
    base = "/admin/workflows"
    body = admin.get(f"{base}/execution/").content.decode()
    for url in (
        f"{base}/execution/{run.pk}/change/",
        f"{base}/workflow/{run.workflow_id}/change/",
        f"{base}/workflowversion/{run.version_id}/change/",
        f"/admin/accounts/user/{run.user_id}/change/",
        f"{base}/taskresult/?execution={run.pk}",
        f"{base}/spendentry/?execution_id={run.pk}",
    ):
        assert f'href="{url}' in body, url
        assert admin.get(url).status_code == 200
    page = admin.get(f"{base}/execution/{run.pk}/change/").content.decode()
    assert f'href="{base}/executionevent/?execution={run.pk}"' in page
    ledger = admin.get(f"{base}/spendentry/").content.decode()
    assert f'href="{base}/execution/?id={run.pk}"' in ledger
    found = admin.get(f"{base}/execution/", {"id": run.pk}).context["cl"].result_list
    assert list(found) == [run]


@pytest.mark.parametrize(
    ("model", "page"),
    [
        ("workflow", "/workflows/{0.workflow_id}"),
        ("workflowversion", "/workflows/{0.workflow_id}/versions/1"),
        ("execution", "/executions/{0.pk}"),
        ("taskresult", "/executions/{0.pk}?task=gather"),
        ("executionevent", "/executions/{0.pk}"),
        ("apikey", "/keys"),
    ],
)
def test_view_on_site_leads_to_our_page(admin, rows, model, page):
    url = page.format(rows["execution"])
    body = admin.get(f"/admin/workflows/{model}/{rows[model].pk}/change/").content.decode()
    assert f'href="{url}" class="viewsitelink"' in body
    assert admin.get(url).status_code == 200


def cancel(admin, *runs):
    data = {"action": "cancel", "_selected_action": [str(run.pk) for run in runs]}
    return admin.post("/admin/workflows/execution/", data, follow=True)


def test_cancels_what_is_selected_and_says_so_of_each(admin, alice, bob):
    pending = make_execution(make_workflow(alice, name="Waits"))
    other = make_execution(make_workflow(bob, name="Stays"))
    done = make_run(alice, workflow=make_workflow(alice, name="Done"))

    body = cancel(admin, pending, done).content.decode()

    assert f"Waits ({str(pending.pk)[-6:]}): is being cancelled." in body
    assert "): This execution has already completed." in body
    statuses = [Execution.objects.get(pk=run.pk).status for run in (pending, other, done)]
    assert statuses == ["cancelled", "pending", "completed"]


def test_many_reports_are_cut_and_summed_up(admin, alice):
    workflow = make_workflow(alice)
    body = cancel(admin, *(make_execution(workflow) for _ in range(22))).content.decode()
    assert body.count("is being cancelled.") == 20
    assert "In all 22 of 22 executions are being cancelled." in body


def test_nothing_of_a_run_runs_in_the_admin(admin, alice):
    evil = "<script>alert(1)</script>"
    workflow = make_workflow(alice, name=evil)
    texts = {"input": evil, "output": evil, "error": evil}
    run = make_run(alice, workflow=workflow, tasks={"gather": texts}, input={"topic": evil})
    Execution.objects.filter(pk=run.pk).update(error=evil)
    for url in (
        "execution/",
        f"execution/{run.pk}/change/",
        "taskresult/",
        f"taskresult/{run.tasks.get(task_id='gather').pk}/change/",
        "workflow/",
        f"workflowversion/{run.version_id}/change/",
    ):
        body = admin.get(f"/admin/workflows/{url}").content.decode()
        assert evil not in body
