"""A database that is away for a while, or full: samples and errors wait, and then are exact."""

import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from observability import metrics, series
from observability.models import ErrorGroup, MetricSeries
from tests import cluster
from tests.observability.errors.support import capture
from tests.processes import PATIENCE, environment

EACH = 100
# Says a line after each round, and begins the next one when it is told to.
PROGRAM = f"""
import sys
import django
django.setup()
from observability import errors, metrics
for line in sys.stdin:
    for number in range({EACH}):
        metrics.record("wait", 1, route=f"/{{number % 5}}")
        errors.capture(RuntimeError(str(number)), source="worker")
    metrics.flush()
    print("done", flush=True)
"""


@pytest.mark.slow
def test_a_server_that_restarts(db, is_postgres):
    """Also one that loses its power in the midst of it."""
    if not is_postgres:
        pytest.skip("SQLite has no server.")
    if reason := cluster.available():
        pytest.skip(reason)
    with cluster.cluster() as server:
        env = environment(DJANGO_SETTINGS_MODULE="hummbl.settings")
        env["DATABASE_URL"] = server.url
        run = {"cwd": settings.BASE_DIR, "env": env, "text": True}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, **run)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, "-c", PROGRAM], **run, **pipes)

        def go():
            process.stdin.write("go\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"

        try:
            go()
            server.stop("immediate")
            go()
            server.start()
            go()
            server.restart()
            go()
        finally:
            process.stdin.close()
            process.stdout.close()
            assert process.wait(PATIENCE) == 0
        with psycopg.connect(server.url) as outside:
            counted = outside.execute(
                "SELECT sum(b.count), sum(b.sum) FROM observability_metricbucket b JOIN "
                "observability_metricseries s ON s.id = b.series_id WHERE s.name = 'wait' "
                "AND b.resolution = 60"
            ).fetchone()
            errors = outside.execute("SELECT sum(count) FROM observability_errorhour").fetchone()
        assert counted == (4 * EACH, 4 * EACH)
        assert errors == (4 * EACH,)


def test_a_disk_that_is_full(transactional_db, is_postgres, caplog):
    if is_postgres:
        pytest.skip("about the file of SQLite")
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        before = cursor.execute("PRAGMA max_page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    with caplog.at_level(logging.WARNING, logger="observability.metrics"):
        for _ in range(3):
            for number in range(400):
                metrics.record("wait", 1, route=f"/{number}" * 20)
            capture(RuntimeError("x" * 2000))
    assert "wait for the database" in caplog.text
    assert not MetricSeries.objects.filter(name="wait").exists()
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA max_page_count = {before}")
    metrics.flush()
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert series.total("wait", now - hour, now + hour).count == 1200
    assert ErrorGroup.objects.get(title__startswith="RuntimeError: x").count == 3
