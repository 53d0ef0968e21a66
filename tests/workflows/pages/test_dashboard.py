from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from hummbl import cache
from tests.factories import make_agent, make_definition, make_key, make_task, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.figures.charts import round_up
from workflows.models import Execution, TaskResult, Worker, Workflow

URL = "/dashboard"
QUERIES = 15


@pytest.fixture(autouse=True)
def worker(db):
    """A worker that is alive: without one, that is what needs a person."""
    return Worker.objects.create(name="one", version="1", seen_at=timezone.now())


def figures(client, **query):
    return client.get(URL, query).context["figures"]


def needs(client, **query):
    return [(need.title, need.url) for need in client.get(URL, query).context["needs"]]


def definition(provider="openai", **agent):
    return make_definition(
        make_task("only"),
        agents=[make_agent(provider=provider, model="gpt-5-mini", **agent)],
    )


def begun(run, **ago):
    Execution.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(**ago))


# --- Figures ------------------------------------------------------------------------------------


def test_shows_runs_rates_and_spend(browse, alice):
    workflow = make_workflow(alice, name="Market brief")
    good = make_run(alice, workflow=workflow)
    for _ in range(2):
        make_run(alice, workflow=workflow)
    make_run(alice, "failed", workflow=workflow)
    make_run(alice, "running", workflow=workflow)
    make_run(alice, "cancelled", workflow=workflow)
    make_attempt(good, "gather", settled="1.25")
    make_attempt(good, "report", settled=None)
    response = browse(alice).get(URL)
    page = response.content.decode()
    found = response.context["figures"]
    assert found.week.rate == pytest.approx(0.75)
    assert found.under_way == 1
    # What is not settled counts as what was reserved for it.
    assert found.spend_month == Decimal("1.27")
    assert "75%" in page
    assert "3 of 4 runs" in page
    assert "$1.27" in page
    assert "Market brief" in page


def test_tokens_of_this_month(browse, alice):
    make_run(alice)
    make_run(alice, "running")
    old = make_run(alice)
    Execution.objects.update(input_tokens=1000, output_tokens=10)
    begun(old, days=32)
    found = figures(browse(alice))
    assert (found.input_tokens, found.output_tokens) == (2000, 20)


def test_spend_of_other_months_and_people_is_left_out(browse, alice, bob):
    run = make_run(alice)
    make_attempt(run, "gather", at=timezone.now() - timedelta(days=40))
    make_attempt(make_run(bob), "gather", settled="9")
    found = figures(browse(alice))
    assert found.spend_month == 0
    assert found.spend_days == 0
    assert len(found.spend) == 30


def test_spend_stands_at_its_day(browse, alice):
    run = make_run(alice)
    now = timezone.now()
    for number, days in enumerate((0, 1, 1, 29), start=1):
        make_attempt(run, "gather", number, settled="0.5", at=now - timedelta(days=days))
    amounts = [amount for _, amount in figures(browse(alice)).spend]
    assert amounts == [Decimal("0.5"), *[Decimal(0)] * 27, Decimal(1), Decimal("0.5")]


def test_compares_with_the_week_before(browse, alice):
    make_run(alice)
    begun(make_run(alice, "failed"), days=9)
    begun(make_run(alice, "failed"), days=15)
    week = figures(browse(alice)).week
    assert week.change == pytest.approx(100)
    assert week.judged == 1


def test_tests_of_single_tasks_are_not_judged(browse, alice):
    make_run(alice)
    test = make_run(alice, "failed")
    Execution.objects.filter(pk=test.pk).update(trigger="test", definition=make_definition())
    client = browse(alice)
    assert figures(client).week.rate == 1
    assert needs(client) == []


def test_what_is_kept_is_right_after_every_change(browse, alice):
    client = browse(alice)
    assert figures(client).week.judged == 0
    first = make_run(alice)
    make_attempt(first, "gather", settled="1", at=timezone.now() - timedelta(days=2))
    assert figures(client).week.judged == 1
    moving = make_run(alice, "running")
    figures(client)
    moving.status, moving.completed_at = "failed", timezone.now()
    moving.save()
    assert figures(client).week.rate == 0.5
    make_attempt(first, "report", settled="2")
    assert figures(client).spend_days == 3
    Execution.objects.filter(pk=first.pk).delete()
    assert figures(client).week.rate == 0
    misses = cache.stats()["dashboard"]["misses"]
    figures(client)
    assert cache.stats()["dashboard"]["misses"] == misses


def test_figures_are_kept_for_each_person(browse, alice, bob):
    make_run(alice)
    assert figures(browse(alice)).week.judged == 1
    assert figures(browse(bob)).week.judged == 0


def test_an_admin_may_look_at_everyone_s(browse, alice, adam, bob):
    run = make_run(alice, "running")
    make_attempt(make_run(bob), "gather", settled="9")
    client = browse(adam)
    assert (figures(client).under_way, figures(client).spend_month) == (0, 0)
    everyone = figures(client, scope="all")
    assert (everyone.under_way, everyone.spend_month, everyone.week.judged) == (1, 9, 1)
    assert str(run.pk) in client.get(URL, {"scope": "all"}).content.decode()


def test_others_may_not(browse, alice, bob):
    make_run(alice)
    assert figures(browse(bob), scope="all").week.judged == 0
    assert "scope=all" not in browse(bob).get(URL).content.decode()


@pytest.mark.parametrize(
    ("amount", "top"),
    [("0", "1"), ("5.6", "6"), ("0.00012", "0.00015"), ("80", "80"), ("81", "100")],
)
def test_the_axis_ends_at_a_round_amount(amount, top):
    assert round_up(Decimal(amount)) == Decimal(top)


# --- What needs a person ------------------------------------------------------------------------


def test_a_workflow_that_failed_since_its_last_success(browse, alice):
    workflow = make_workflow(alice, name="Brief")
    failed = make_run(alice, "failed", workflow=workflow)
    client = browse(alice)
    assert needs(client) == [("Failed: Brief", f"/executions/{failed.pk}")]
    again = make_run(alice, "failed", workflow=workflow)
    assert needs(client) == [("Failed: Brief", f"/executions/{again.pk}")]
    make_run(alice, workflow=workflow)
    assert needs(client) == []


def test_old_failures_and_archived_workflows_need_nobody(browse, alice):
    begun(make_run(alice, "failed"), days=8)
    make_run(alice, "failed", workflow=make_workflow(alice, status="active"))
    Workflow.objects.update(status="archived")
    assert needs(browse(alice)) == []


@pytest.mark.parametrize(
    ("code", "path"), [("budget_refused", "/run"), ("missing_key", "/keys"), ("server_error", "")]
)
def test_the_action_fits_the_failure(browse, alice, code, path):
    run = make_run(alice, "failed", tasks={"gather": {"status": "failed"}})
    TaskResult.objects.filter(execution=run, status="failed").update(error_code=code)
    ((_, url),) = needs(browse(alice))
    assert url.endswith(path or f"/executions/{run.pk}")


def test_many_failing_workflows_are_summed_up(browse, alice):
    for number in range(6):
        make_run(alice, "failed", workflow=make_workflow(alice, name=f"W{number}"))
    found = needs(browse(alice))
    assert [title for title, _ in found] == [
        *(f"Failed: W{number}" for number in (5, 4, 3, 2)),
        "2 more workflows failed",
    ]
    assert found[-1][1] == "/executions?status=failed&period=7d"


def test_a_key_that_an_active_workflow_asks_for(browse, alice):
    client = browse(alice)
    workflow = make_workflow(alice, definition=definition())
    make_workflow(alice, definition=definition("anthropic"), status="paused")
    assert needs(client) == [("There is no OpenAI key", "/keys")]
    key = make_key(alice)
    assert needs(client) == []
    key.set_active(False, by=alice)
    assert needs(client) == [("The OpenAI key “main” is off", "/keys")]
    workflow.change({"status": "archived"}, by=alice)
    assert needs(client) == []


def test_a_key_that_is_asked_for_by_name(browse, alice):
    make_key(alice)
    make_workflow(alice, definition=definition(key="other"))
    assert needs(browse(alice)) == [("There is no OpenAI key named “other”", "/keys")]


def test_the_operator_s_key_counts_for_who_may_use_it(browse, alice, adam, settings):
    settings.OPENAI_API_KEY = "sk-operator"
    make_workflow(alice, definition=definition())
    make_workflow(adam, definition=definition())
    assert needs(browse(adam)) == []
    assert needs(browse(alice)) == [("There is no OpenAI key", "/keys")]


def test_a_key_that_cannot_be_read(browse, alice):
    key = make_key(alice)
    type(key).objects.update(ciphertext=b"not what was stored")
    assert needs(browse(alice)) == [
        ("The OpenAI key “main” cannot be read", f"/keys/{key.pk}/edit")
    ]


def test_no_worker(browse, alice, adam, vera, worker):
    worker.delete()
    assert needs(browse(alice)) == [("No worker is running", "")]
    assert needs(browse(adam)) == [("No worker is running", "/manage/stats")]
    assert needs(browse(vera)) == []


def test_drafts_that_never_ran(browse, alice):
    client = browse(alice)
    draft = make_workflow(alice, name="Idea", status="draft")
    assert needs(client) == [("Draft: Idea", f"/workflows/{draft.pk}/edit")]
    make_workflow(alice, status="draft")
    assert needs(client) == [("2 drafts have never run", "/workflows?status=draft&owner=me")]
    for workflow in Workflow.objects.all():
        workflow.change({"status": "active"}, by=alice)
        make_run(alice, workflow=workflow)
        workflow.change({"status": "draft"}, by=alice)
    assert needs(client) == []


def test_what_is_another_s_needs_nobody_else(browse, alice, bob):
    make_run(alice, "failed")
    make_workflow(alice, definition=definition(), is_shared=True)
    make_workflow(alice, status="draft", is_shared=True)
    assert needs(browse(bob)) == []


# --- The page -----------------------------------------------------------------------------------


def test_teaches_who_has_nothing_yet(browse, alice):
    page = browse(alice).get(URL).content.decode()
    assert "Run the sample workflow" in page
    assert "A workflow of your own" in page
    assert "/templates" in page


def test_names_are_text(browse, alice):
    workflow = make_workflow(alice, name="<script>alert(1)</script>")
    run = make_run(alice, "failed", workflow=workflow)
    make_run(alice, "running", workflow=workflow)
    Execution.objects.filter(pk=run.pk).update(error="<img src=x>")
    page = browse(alice).get(URL).content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page


def test_moves_while_something_runs(browse, alice, adam, fragment):
    make_run(alice, "running")
    page = browse(alice).get(URL, **fragment).content.decode()
    assert "<html" not in page
    assert 'hx-trigger="every' in page
    assert 'id="stats" hx-swap-oob="true"' in page
    page = browse(adam).get(URL, {"scope": "all"}, **fragment).content.decode()
    assert 'hx-get="/dashboard?scope=all"' in page


def test_is_still_when_nothing_runs(browse, alice, fragment):
    make_run(alice)
    assert "hx-trigger" not in browse(alice).get(URL, **fragment).content.decode()


def test_runs_the_sample(browse, alice):
    response = browse(alice).post(URL)
    execution = Execution.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/executions/{execution.pk}"
    assert execution.user == alice


def test_the_sample_is_made_once(browse, alice):
    browse(alice).post(URL)
    browse(alice).post(URL)
    assert Workflow.objects.count() == 1
    assert Execution.objects.count() == 2


def test_a_viewer_runs_nothing(browse, vera):
    assert browse(vera).post(URL).status_code == 403
    page = browse(vera).get(URL).content.decode()
    assert "New workflow" not in page
    assert "Run the sample" not in page


def test_strangers_sign_in_first(browse, db):
    response = browse().get(URL)
    assert response.status_code == 302
    assert response["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).put(URL).status_code == 405


@pytest.mark.parametrize("warm", [False, True])
def test_queries_do_not_grow_with_rows(browse, alice, django_assert_num_queries, warm):
    client = browse(alice)
    for rows in (1, 12):
        for _ in range(rows):
            make_run(alice, "running")
            make_run(alice, "failed")
            make_run(alice)
            make_workflow(alice, definition=definition())
            make_workflow(alice, status="draft")
        if warm:
            client.get(URL)
        with django_assert_num_queries(QUERIES if warm else QUERIES + 4):
            client.get(URL)
