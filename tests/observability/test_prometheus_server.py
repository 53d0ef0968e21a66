"""`/metrics` of a gunicorn with several processes, as `make run` starts it."""

import os
import signal
import subprocess
import sys
import urllib.request

import pytest
from django.conf import settings
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import PATIENCE, environment, wait_for, web

pytestmark = pytest.mark.slow
TOKEN = "canary-0123456789-0123456789"
REQUESTS = 40


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.read()
    except OSError:
        return None


def read(url):
    """Every sample of `/metrics` by its name and labels."""
    request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def children(process):
    found = subprocess.run(
        ["ps", "--ppid", str(process.pid), "-o", "pid="],
        capture_output=True,
        text=True,
        check=False,
    )
    return {int(pid) for pid in found.stdout.split()}


def test_two_processes_count_together(transactional_db, tmp_path):
    extra = {"PROMETHEUS_TOKEN": TOKEN, "WEB_CONCURRENCY": "2", "TMPDIR": str(tmp_path)}
    with web(**extra) as (process, url):
        for _ in range(REQUESTS):
            assert answers(f"{url}/api/health/ready")

        labels = ("method", "GET"), ("route", "/api/health/ready"), ("status", "2xx")
        name = "hummbl_request_duration_seconds_count"
        found = wait_for(
            lambda: (seen := read(url)).get((name, *labels), 0) >= REQUESTS and seen,
            what="both have written what they counted",
        )
        assert found[name, *labels] == REQUESTS
        by_view = ("method", "GET"), ("view", "api_health_ready")
        theirs = "django_http_requests_latency_seconds_by_view_method_count"
        assert found[theirs, *by_view] == REQUESTS

        # One of them is lost, and another takes its place: what it had counted is not.
        before = wait_for(
            lambda: len(found := children(process)) == 2 and found, what="two processes"
        )
        os.kill(min(before), signal.SIGKILL)
        wait_for(lambda: len(children(process) - before) == 1, what="a new process")
        for _ in range(REQUESTS):
            wait_for(lambda: answers(f"{url}/api/health/ready"), what="an answer")
        found = wait_for(
            lambda: (seen := read(url)).get((name, *labels), 0) >= 2 * REQUESTS and seen,
            what="both have written what they counted",
        )
        assert found[name, *labels] == found[theirs, *by_view] == 2 * REQUESTS

        (folder,) = tmp_path.glob("hummbl-prometheus-*")
        assert folder.stat().st_mode & 0o077 == 0
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert not folder.exists()


IMPORTED = """
import sys
import hummbl.asgi
import hummbl.urls
names = {name.split(".")[0] for name in sys.modules}
print(sorted(names & {"prometheus_client", "django_prometheus"}))
"""


@pytest.mark.once
@pytest.mark.parametrize(
    ("token", "in_web", "imported"),
    [
        ("", False, "[]"),
        ("", True, "[]"),
        (TOKEN, False, "[]"),
        (TOKEN, True, "['django_prometheus', 'prometheus_client']"),
    ],
)
def test_nothing_is_imported_that_is_not_used(db, tmp_path, token, in_web, imported):
    extra = {"PROMETHEUS_TOKEN": token}
    if in_web:
        extra["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path)
    answer = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        cwd=settings.BASE_DIR,
        env=environment(DJANGO_SETTINGS_MODULE="hummbl.settings", **extra),
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == imported
