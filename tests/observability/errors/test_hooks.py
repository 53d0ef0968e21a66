"""What nobody catches, and what is logged with its traceback, wherever it happens."""

import logging
import subprocess
import sys
import threading

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client
from django.urls import path

from hummbl.logging import context, formatter
from observability import metrics
from observability.errors import hooks
from observability.models import ErrorGroup, ErrorReport
from tests.processes import environment

logger = logging.getLogger("tests.errors")


def broken_page(request, number):
    raise RuntimeError(f"page {number} is broken")


def suspicious_page(request):
    raise SuspiciousOperation("nonsense")


urlpatterns = [path("break/<int:number>", broken_page), path("odd", suspicious_page)]


@pytest.fixture(autouse=True)
def _logs():
    logging.disable(logging.NOTSET)


def break_page(number=1, **headers):
    client = Client(raise_request_exception=False, headers=headers)
    return client.get(f"/break/{number}?password=hidden")


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_a_page_that_breaks():
    assert break_page(7, **{"X-Request-ID": "request-seven"}).status_code == 500
    break_page(8)
    metrics.flush()
    group = ErrorGroup.objects.get()
    assert (group.title, group.count) == ("RuntimeError: page 7 is broken", 2)
    assert (group.source, group.severity) == ("request", "high")
    report = group.reports.last()
    assert report.request_id == "request-seven"
    assert report.context == {"method": "GET", "path": "/break/7", "route": "/break/<int:number>"}
    assert [frame["function"] for frame in report.stack[0]["frames"] if frame["in_app"]] == [
        "broken_page"
    ]


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_what_a_client_did_wrong_is_no_error():
    client = Client(raise_request_exception=False)
    assert client.get("/odd").status_code == 400
    assert client.get("/nowhere").status_code == 404
    metrics.flush()
    assert not ErrorGroup.objects.exists()


@pytest.mark.django_db
def test_a_logged_exception_is_captured_once():
    try:
        raise LookupError("no such thing")
    except LookupError:
        logger.exception("It broke")
        logger.exception("And is logged again, further out")
    logger.error("A line without an exception")
    logger.warning("A warning with one", exc_info=LookupError("harmless"))
    metrics.flush()
    group = ErrorGroup.objects.get()
    assert (group.title, group.count) == ("LookupError: no such thing", 1)
    assert group.reports.get().context["logger"] == "tests.errors"


@pytest.mark.django_db
def test_a_task_that_breaks():
    execution = "0190a0a0-0000-7000-8000-000000000001"
    user = "0190a0a0-0000-7000-8000-000000000002"
    with context(execution_id=execution, user_id=user):
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            logger.exception("Task %s broke", "report", extra={"task_id": "report"})
    metrics.flush()
    report = ErrorReport.objects.get()
    assert (report.group.source, report.group.severity) == ("task", "high")
    assert (str(report.execution_id), str(report.user_id)) == (execution, user)
    assert report.group.users_count == 1
    assert report.context["task_id"] == "report"


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_breaks(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    hooks._hook_threads()
    thread = threading.Thread(target=lambda: 1 / 0, name="worker-bee")
    thread.start()
    thread.join()
    metrics.flush()
    assert ErrorReport.objects.get().context == {"thread": "worker-bee"}


BREAKING_COMMAND = """
import sys
from django.core.management import BaseCommand, execute_from_command_line
from hummbl.management.commands import schema
def handle(self, *args, **options):
    raise RuntimeError("a command broke")
schema.Command.handle = handle
sys.argv[0] = "manage.py"
execute_from_command_line(sys.argv)
"""


def test_a_command_that_breaks(transactional_db, settings):
    ended = subprocess.run(
        [sys.executable, "-c", BREAKING_COMMAND, "schema", "status"],
        cwd=settings.BASE_DIR,
        env=environment(DJANGO_SETTINGS_MODULE="hummbl.settings"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "RuntimeError: a command broke" in ended.stderr
    group = ErrorGroup.objects.get()
    assert (group.source, group.severity, group.count) == ("command", "medium", 1)
    assert group.reports.get().context == {"command": "schema"}


@pytest.mark.django_db
def test_a_loop_that_fails_and_logs_is_counted_exactly():
    formatted = formatter("json")
    lines = []
    for number in range(500):
        try:
            raise RuntimeError(f"storm {number}")
        except RuntimeError:
            record = logger.makeRecord(
                logger.name, logging.ERROR, __file__, 1, "failed", (), sys.exc_info()
            )
            lines.append(formatted.format(record))
            hooks.hear(record)
    metrics.flush()
    assert ErrorGroup.objects.get().count == 500
    # Two minutes, if one began meanwhile: of reports and of whole tracebacks.
    assert 10 <= ErrorReport.objects.count() <= 20
    assert 10 <= sum("Traceback" in line for line in lines) <= 20
    assert all(f"RuntimeError: storm {number}" in line for number, line in enumerate(lines))
