"""Looks into the cache as metrics."""

from datetime import UTC, datetime, timedelta

import pytest

from hummbl import cache
from observability import metrics, series

pytestmark = pytest.mark.django_db


def test_hits_and_misses_count_by_kind():
    for key in ("a", "a", "a", "b"):
        cache.get_or_set("greeting", key, 60, lambda: "hello")
    metrics.flush()
    now = datetime.now(UTC)
    around = (now - timedelta(minutes=5), now + timedelta(minutes=5))
    hits, misses = (series.by(name, *around, ["kind"]) for name in ("cache.hits", "cache.misses"))
    assert {key: found.sum for key, found in hits.items()} == {("greeting",): 2}
    assert {key: found.sum for key, found in misses.items()} == {("greeting",): 2}
