"""The release that runs is noted with the first metrics of a process."""

from datetime import UTC, datetime, timedelta

import pytest

from observability import metrics, releases
from observability.models import Release

pytestmark = pytest.mark.django_db


def test_each_release_is_noted_once(settings):
    for release in ("1.0", "1.0", "1.1"):
        settings.RELEASE = release
        releases.reset()  # as in another process
        metrics.flush()
    now = datetime.now(UTC)
    assert [str(found) for found in Release.objects.between(now - timedelta(hours=1), now)] == [
        "1.0",
        "1.1",
    ]


def test_the_first_process_says_when(settings):
    settings.RELEASE = "1.0"
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    Release.objects.create(name="1.0", first_seen=long_ago)
    metrics.flush()
    assert Release.objects.get().first_seen == long_ago


def test_it_costs_no_query_later(settings, django_assert_num_queries):
    metrics.flush()
    with django_assert_num_queries(0):
        metrics.flush()
