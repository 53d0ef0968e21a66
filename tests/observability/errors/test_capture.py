"""`errors.capture`: what is counted, what is kept whole, and what it costs."""

import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from hummbl.logging import context
from observability import errors, metrics, names, series
from observability.errors import storing
from observability.models import ErrorGroup, ErrorHour, ErrorReport, ErrorUser
from tests.observability.errors.support import capture, caught, fail

pytestmark = pytest.mark.django_db


def test_an_error_becomes_a_group_with_a_report():
    execution, user = uuid4(), uuid4()
    with context(request_id="request-1", execution_id=str(execution)):
        capture(caught(fail, "broken pipe"), source="task", user_id=user, task_id="report")
    group = ErrorGroup.objects.get()
    assert (group.title, group.count, group.users_count) == ("RuntimeError: broken pipe", 1, 1)
    assert group.culprit == "tests.observability.errors.support.fail"
    assert (group.severity, group.source, group.status) == ("high", "task", "open")
    assert group.first_release == group.last_release != ""
    report = group.reports.get()
    assert (report.message, report.request_id) == ("broken pipe", "request-1")
    assert (report.user_id, report.execution_id) == (user, execution)
    assert report.context == {"task_id": "report"}
    assert ErrorHour.objects.get().count == 1


def test_a_report_has_frames_with_the_lines_around_and_no_variables():
    capture(caught(fail, "secret variable"))
    [raised] = ErrorReport.objects.get().stack
    frame = raised["frames"][-1]
    assert (frame["function"], frame["in_app"]) == ("fail", True)
    assert frame["file"] == "tests/observability/errors/support.py"
    lines = {each["line"]: each["text"] for each in frame["source"]}
    assert len(lines) == 5
    assert lines[frame["line"]] == "    raise RuntimeError(message)"
    assert set(frame) == {"module", "function", "file", "line", "in_app", "source"}


def test_causes_are_kept():
    def chained():
        try:
            fail("first")
        except RuntimeError as error:
            raise ValueError("second") from error

    capture(caught(chained))
    stack = ErrorReport.objects.get().stack
    assert [raised["type"] for raised in stack] == ["ValueError", "RuntimeError"]
    assert [raised["message"] for raised in stack] == ["second", "first"]


def test_one_exception_is_counted_once_however_often_it_is_told_of():
    error = caught()
    errors.capture(error, source="request")
    capture(error, source="worker")
    assert ErrorGroup.objects.get().count == 1


def test_messages_do_not_part_a_group_but_functions_and_types_do():
    def other():
        raise RuntimeError("broken")

    def another():
        raise LookupError("broken")

    for error in (caught(fail, "1"), caught(fail, "2"), caught(other), caught(another)):
        capture(error)
    assert sorted(ErrorGroup.objects.values_list("count", flat=True)) == [1, 1, 2]


def test_a_recursion_is_one_group_however_deep():
    def deep(levels):
        if levels == 0:
            raise RuntimeError("bottom")
        deep(levels - 1)

    for levels in (3, 30, 300):
        capture(caught(deep, levels))
    group = ErrorGroup.objects.get()
    assert group.count == 3
    assert all(len(report.stack[0]["frames"]) <= 40 for report in group.reports.all())


def test_without_a_stack_the_message_counts_but_for_its_numbers():
    for number in (1, 22):
        capture(ValueError(f"no row {number} of {uuid4()}"))
    capture(ValueError("no table"))
    assert sorted(ErrorGroup.objects.values_list("count", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    ("error", "source", "severity"),
    [
        (RuntimeError("x"), "request", "high"),
        (RuntimeError("x"), "task", "high"),
        (RuntimeError("x"), "worker", "high"),
        (RuntimeError("x"), "command", "medium"),
        (OperationalError("the database is away"), "command", "critical"),
        (MemoryError(), "request", "critical"),
    ],
)
def test_an_error_has_a_severity_of_its_own(error, source, severity):
    capture(error, source=source)
    assert ErrorGroup.objects.get().severity == severity


def test_a_group_is_as_bad_as_its_worst():
    capture(severity="low")
    capture(severity="critical")
    capture(severity="medium")
    assert ErrorGroup.objects.get().severity == "critical"


def test_a_storm_is_counted_exactly_and_costs_few_rows():
    users = [uuid4() for _ in range(3)]
    began = time.process_time()
    for number in range(10_000):
        try:
            fail(f"storm {number}")
        except RuntimeError as error:
            errors.capture(error, source="worker", user_id=users[number % 3])
    metrics.flush()
    spent = time.process_time() - began
    group = ErrorGroup.objects.get()
    assert (group.count, group.users_count) == (10_000, 3)
    assert sum(ErrorHour.objects.values_list("count", flat=True)) == 10_000
    # Two minutes, if one began meanwhile.
    assert 10 <= ErrorReport.objects.count() <= 20
    assert spent < 2, "some 50 µs an error, and as much again for a slow machine"


def test_a_group_keeps_its_latest_hundred_reports(monkeypatch):
    monkeypatch.setattr("observability.errors.pending.REPORTS_A_MINUTE", 1000)
    for number in range(60):
        errors.capture(caught(fail, f"early {number}"), source="worker")
    metrics.flush()
    for number in range(60):
        errors.capture(caught(fail, f"late {number}"), source="worker")
    metrics.flush()
    messages = list(ErrorReport.objects.values_list("message", flat=True))
    assert len(messages) == 100
    assert sum(message.startswith("late") for message in messages) == 60


def test_users_are_counted_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(storing, "MOST_USERS", 5)
    for _ in range(4):
        errors.capture(caught(), source="request", user_id=uuid4())
    metrics.flush()
    for _ in range(4):
        errors.capture(caught(), source="request", user_id=uuid4())
    metrics.flush()
    assert ErrorGroup.objects.get().users_count == ErrorUser.objects.count() == 5


def test_too_many_new_groups_are_one(monkeypatch):
    monkeypatch.setattr(storing, "MOST_NEW_GROUPS", 3)
    for number in range(6):
        kind = type(f"Kind{number}", (Exception,), {})
        errors.capture(kind("broken"), source="request")
    metrics.flush()
    assert ErrorGroup.objects.count() == 4
    folded = ErrorGroup.objects.get(title="Errors of too many kinds")
    assert folded.count == 3
    assert sum(ErrorGroup.objects.values_list("count", flat=True)) == 6


def test_too_many_groups_in_one_process_are_one(monkeypatch):
    monkeypatch.setattr("observability.errors.pending.MOST_GROUPS", 3)
    for number in range(6):
        errors.capture(type(f"Kind{number}", (Exception,), {})(), source="request")
    metrics.flush()
    assert ErrorGroup.objects.count() == 4
    assert sum(ErrorGroup.objects.values_list("count", flat=True)) == 6


def test_errors_wait_for_a_database_that_is_away(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(storing, "_write", lambda _: fail_to_connect())
        capture(caught(fail, "first"))
    capture(caught(fail, "second"))
    group = ErrorGroup.objects.get()
    assert group.count == 2
    assert {report.message for report in group.reports.all()} == {"first", "second"}


def fail_to_connect():
    raise OperationalError("the database is away")


def test_capturing_never_raises():
    class Broken(Exception):
        __slots__ = ()

        def __str__(self):
            raise ValueError("not even this works")

    capture(Broken())
    capture(caught(), source="request", request=object())
    assert ErrorGroup.objects.filter(title="test_capturing_never_raises.<locals>.Broken").exists()


def test_text_that_no_database_takes_is_stored():
    capture(ValueError("nul \x00 and half \ud83d a pair"), source="request", note="\udfff\x00")
    assert ErrorReport.objects.get().message == "nul � and half � a pair"


def test_threads_count_exactly():
    def storm():
        for _ in range(200):
            errors.capture(caught(), source="worker")

    threads = [threading.Thread(target=storm) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics.flush()
    assert ErrorGroup.objects.get().count == 800


def test_the_metrics_count_errors():
    errors.capture(caught(), source="task")
    errors.capture(caught(), source="task")
    metrics.flush()
    now = timezone.now()
    found = series.total(
        names.ERRORS_CAPTURED, now - timedelta(minutes=2), now + timedelta(minutes=1)
    )
    assert found.sum == 2


def test_writing_costs_few_statements(django_assert_max_num_queries):
    capture()
    errors.capture(caught(), source="request", user_id=uuid4())
    with django_assert_max_num_queries(16):
        storing.write()
    assert connection.connection is not None
