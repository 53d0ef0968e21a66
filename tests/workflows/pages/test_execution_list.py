from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run
from workflows.models import Execution

URL = "/executions"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows(response):
    return response.context["slice"].rows


def created(run, moment):
    Execution.objects.filter(pk=run.pk).update(created_at=moment)
    return run


def test_shows_ones_own_newest_first(browse, alice, bob):
    first, second = make_run(alice), make_run(alice)
    make_run(bob)
    assert rows(browse(alice).get(URL)) == [second, first]


def test_an_admin_sees_all_and_who_it_was(browse, alice, adam):
    run = make_run(alice)
    response = browse(adam).get(URL)
    assert rows(response) == [run]
    assert "Alice Example" in response.content.decode()


def test_a_failed_run_says_why(browse, alice):
    run = make_run(alice, "failed")
    Execution.objects.filter(pk=run.pk).update(error="The <moon> is closed")
    assert "The &lt;moon&gt; is closed" in browse(alice).get(URL).content.decode()


def test_filters(browse, alice):
    failed, done, moving = (
        make_run(alice, status) for status in ("failed", "completed", "running")
    )
    client = browse(alice)

    def found(**query):
        return rows(client.get(URL, query))

    assert found(status="failed") == [failed]
    assert found(status=["failed", "running"]) == [moving, failed]
    assert found(workflow=str(done.workflow_id)) == [done]
    assert found(workflow=str(done.workflow_id), status="failed") == []
    assert found(trigger="manual") == [moving, done, failed]
    assert found(trigger="api") == []


def test_text_finds_workflows_and_errors(browse, alice):
    brief = make_run(alice, workflow=make_workflow(alice, name="Market brief"))
    weekly = make_run(alice, workflow=make_workflow(alice, name="Market brief, weekly"))
    other = make_run(alice, "failed", workflow=make_workflow(alice, name="Other"))
    Execution.objects.filter(pk=other.pk).update(error="No market today")
    client = browse(alice)
    assert rows(client.get(URL, {"q": "MARKET"})) == [other, weekly, brief]
    assert rows(client.get(URL, {"q": '"Market brief"'})) == [brief]


def test_a_name_is_suggested_as_the_whole_name(browse, alice):
    make_workflow(alice, name="Market brief")
    assert '<option value="&quot;Market brief&quot;">' in browse(alice).get(URL).content.decode()


def test_days_are_those_of_utc_and_both_are_in(browse, alice):
    before, first, last, after = (
        created(make_run(alice), NOON + timedelta(hours=hours)) for hours in (-13, -11, 35, 37)
    )
    client = browse(alice)

    def found(**query):
        return rows(client.get(URL, {"period": "dates", **query}))

    assert found(since="2026-03-01", until="2026-03-02") == [last, first]
    assert found(since="2026-03-02") == [after, last]
    assert found(until="2026-02-28") == [before]
    assert found(until="9999-12-31") == [after, last, first, before]
    assert rows(client.get(URL, {"since": "2026-03-02"})) == [after, last, first, before]


@pytest.mark.parametrize(("period", "hours"), [("24h", 24), ("7d", 168), ("30d", 720)])
def test_periods(browse, alice, period, hours):
    run = make_run(alice)
    client = browse(alice)
    created(run, run.created_at - timedelta(hours=hours - 1))
    assert rows(client.get(URL, {"period": period})) == [run]
    created(run, run.created_at - timedelta(hours=hours + 1))
    assert rows(client.get(URL, {"period": period})) == []


@pytest.mark.parametrize(
    "query",
    [
        {"status": "nonsense"},
        {"workflow": "x"},
        {"trigger": "magic"},
        {"period": "ever"},
        {"period": "dates", "since": "2026-13-01"},
        {"q": "\0"},
        {"q": "x" * 5000},
        {"cursor": "x"},
        {"cursor": "\0"},
        {"cursor": "bnwyMDI2LTAxLTAxfG5vcGU"},
    ],
)
def test_what_makes_no_sense_is_left_out(browse, alice, query):
    run = make_run(alice)
    response = browse(alice).get(URL, query)
    assert rows(response) == [run]
    assert response.context["filtered"] is False


def test_another_s_workflow_is_no_filter(browse, alice, bob):
    run = make_run(alice)
    private = make_workflow(bob, name="Private")
    response = browse(alice).get(URL, {"workflow": private.pk})
    assert rows(response) == [run]
    assert "Private" not in response.content.decode()


def test_pages_there_and_back(browse, alice):
    workflow = make_workflow(alice)
    runs = [make_run(alice, workflow=workflow) for _ in range(53)][::-1]
    client = browse(alice)

    def page(cursor):
        return client.get(URL, {"cursor": cursor, "status": "completed"}).context["slice"]

    first = page("")
    second = page(first.next)
    third = page(second.next)
    assert [first.rows, second.rows, third.rows] == [runs[:25], runs[25:50], runs[50:]]
    assert (first.previous, third.next) == (None, None)
    assert page(third.previous).rows == second.rows
    # A run that came meanwhile is on the first page again, and the page is whole.
    new = make_run(alice, workflow=workflow)
    back = page(second.previous)
    assert back.rows == runs[:25]
    assert page(back.previous).rows == [new, *runs[:24]]


def test_pages_keep_the_filter(browse, alice):
    workflow = make_workflow(alice)
    for _ in range(26):
        make_run(alice, "failed", workflow=workflow)
    page = browse(alice).get(URL, {"status": "failed"}).content.decode()
    assert "?status=failed&amp;cursor=" in page


def test_htmx_gets_the_table_and_the_address(browse, alice, fragment):
    make_run(alice)
    query = {"q": "", "status": "completed", "period": ""}
    response = browse(alice).get(URL, query, **fragment)
    assert "<html" not in response.content.decode()
    assert response["HX-Push-Url"] == "/executions?status=completed"
    assert "HX-Request" in response["Vary"]


def test_the_same_address_is_not_pushed_twice(browse, alice, fragment):
    here = {"HTTP_HX_CURRENT_URL": "http://testserver/executions?q=a"}
    assert "HX-Push-Url" not in browse(alice).get(URL, {"q": "a"}, **fragment, **here)


def test_going_back_gets_the_whole_page(browse, alice):
    back = {"HTTP_HX_HISTORY_RESTORE_REQUEST": "true"}
    assert "<html" in browse(alice).get(URL, {"q": "a"}, **back).content.decode()


def test_empty_states(browse, alice, vera):
    client = browse(alice)
    assert "Run the sample workflow" in client.get(URL).content.decode()
    assert "No run matches" in client.get(URL, {"status": "failed"}).content.decode()
    assert "Run the sample workflow" not in browse(vera).get(URL).content.decode()


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(URL).status_code == 405


def test_queries_do_not_grow_with_rows(browse, alice, django_assert_num_queries):
    client = browse(alice)
    make_run(alice)
    with django_assert_num_queries(4):
        client.get(URL)
    for _ in range(60):
        make_run(alice)
    with django_assert_num_queries(4):
        client.get(URL)


def test_runs_under_way_between_two_moments(browse, alice):
    """Whenever they were started: a chart shows them where they ended."""
    runs = {}
    for name, start, end in [
        ("before", -9, -1),
        ("ended", -9, 3),
        ("long", -8, 9),
        ("after", 5, 9),
    ]:
        runs[name] = created(make_run(alice), NOON + timedelta(minutes=start))
        ends_at = NOON + timedelta(minutes=end)
        Execution.objects.filter(pk=runs[name].pk).update(completed_at=ends_at)
    runs["waits"] = created(make_run(alice, "pending"), NOON - timedelta(minutes=7))
    client = browse(alice)

    def found(between):
        shown = {run.pk for run in rows(client.get(URL, {"between": between}))}
        return {name for name, run in runs.items() if run.pk in shown}

    assert found("2026-03-01T12:00/2026-03-01T12:05") == {"ended", "long", "waits"}
    assert found("2026-03-01T13:03+01:00/") == {"ended", "long", "waits", "after"}
    assert found("2026-03-01T12:03:01/2026-03-01T12:04") == {"long", "waits"}
    assert found("then") == found("/") == found("/2026-03-01T12:00Z") == set(runs)
    assert found("0001-01-01T00:00/0001-01-02T00:00") == set(runs), "which is not a time of ours"
    page = client.get(URL, {"between": "2026-03-01T12:00/2026-03-01T12:05"}).content.decode()
    assert "2026, 12:00 to 12:05 UTC" in page
    assert 'name="between" value="2026-03-01T12:00/2026-03-01T12:05" checked' in page
