"""The filters of `GET /api/executions`."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run
from workflows.models import Execution

URL = "/api/executions"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def found(api, alice):
    """`found(status="failed")` gives the ids of the rows; a list is a repeated parameter."""

    def get(**query):
        answer = api(alice).get(URL, query)
        assert answer.status_code == 200, answer.json()
        return [row["id"] for row in answer.json()["results"]]

    return get


def created(run, moment):
    Execution.objects.filter(pk=run.pk).update(created_at=moment)
    return str(run.pk)


def test_several_statuses(found, alice):
    failed, done, moving = (
        str(make_run(alice, status).pk) for status in ("failed", "completed", "running")
    )
    assert found(status=["failed", "completed"]) == [done, failed]
    assert found(status="running") == [moving]
    assert found(status=["running", "failed"]) == [moving, failed]
    assert found(status="") == [moving, done, failed]


def test_trigger(found, alice):
    by_hand, by_api = make_run(alice), make_run(alice, trigger="api")
    assert found(trigger="api") == [str(by_api.pk)]
    assert found(trigger="manual") == [str(by_hand.pk)]


def test_created_after_takes_the_moment_in_and_before_leaves_it_out(found, alice):
    early, noon, late = (
        created(make_run(alice), NOON + timedelta(hours=hours)) for hours in (-1, 0, 1)
    )
    assert found(created_after="2026-03-01T12:00:00Z") == [late, noon]
    assert found(created_before="2026-03-01T12:00:00Z") == [early]
    assert found(created_after="2026-03-01T13:00:00+02:00") == [late, noon, early]
    assert found(created_after="2026-03-01T13:00:00") == [late]
    both = {"created_after": "2026-03-01T11:30:00Z", "created_before": "2026-03-01T12:30:00Z"}
    assert found(**both) == [noon]


def test_text_in_the_name_or_the_error(found, alice):
    weekly = make_run(alice, workflow=make_workflow(alice, name="Market brief, weekly"))
    brief = make_run(alice, "failed", workflow=make_workflow(alice, name="Market brief"))
    other = make_run(alice, workflow=make_workflow(alice, name="Other"))
    Execution.objects.filter(pk=other.pk).update(error="The MARKET is closed")
    assert found(q="market") == [str(other.pk), str(brief.pk), str(weekly.pk)]
    assert found(q='"Market brief"') == [str(brief.pk)]
    assert found(q='"') == []
    assert found(q="100%_") == []


def test_filters_add_up_and_stay_in_the_addresses(api, alice):
    workflow = make_workflow(alice, name="Digest")
    for status in ("failed", "completed", "failed", "cancelled"):
        make_run(alice, status, workflow=workflow)
    make_run(alice, "failed")
    query = {"status": ["failed", "cancelled"], "q": "digest", "limit": 2}
    first = api(alice).get(URL, query).json()
    assert [row["status"] for row in first["results"]] == ["cancelled", "failed"]
    second = api(alice).get(first["next"]).json()
    assert [row["status"] for row in second["results"]] == ["failed"]
    assert second["next"] is None


def test_another_s_name_finds_nothing(found, bob):
    make_run(bob, workflow=make_workflow(bob, name="Secret"))
    assert found(q="Secret") == []


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"status": "done"}, "status"),
        ({"status": ["failed", "done"]}, "status"),
        ({"trigger": "magic"}, "trigger"),
        ({"workflow_id": "1"}, "workflow_id"),
        ({"created_after": "yesterday"}, "created_after"),
        ({"created_before": "0001-01-01T00:00:00+23:59"}, "created_before"),
        ({"q": "a\0b"}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"since": "2026-01-01"}, "since"),
    ],
)
def test_what_makes_no_sense_is_refused(api, alice, query, path):
    answer = api(alice).get(URL, query)
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == path


def test_the_schema_names_them(api, alice):
    schema = api(alice).get("/api/schema", {"format": "json"}).json()
    parameters = {each["name"]: each for each in schema["paths"][URL]["get"]["parameters"]}
    assert {
        "status",
        "workflow_id",
        "trigger",
        "created_after",
        "created_before",
        "q",
        "cursor",
        "limit",
    } == set(parameters)
    assert parameters["status"]["schema"]["type"] == "array"
    assert parameters["created_after"]["schema"]["format"] == "date-time"


def test_queries_do_not_grow(api, alice, django_assert_num_queries):
    client = api(alice)
    workflow = make_workflow(alice)
    query = {"status": ["failed", "completed"], "q": "report"}
    make_run(alice, workflow=workflow)
    with django_assert_num_queries(2):
        assert len(client.get(URL, query).json()["results"]) == 1
    for _ in range(5):
        make_run(alice, "failed", workflow=workflow)
    with django_assert_num_queries(2):
        assert len(client.get(URL, query).json()["results"]) == 6
