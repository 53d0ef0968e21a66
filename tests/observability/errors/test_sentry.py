"""Sentry gets each error once: the SDK's own, and ours for what it does not see."""

import logging

import pytest

from observability import errors, metrics
from tests.hummbl.test_sentry import sent  # noqa: F401 - a fixture
from tests.observability.errors.support import caught, fail

pytestmark = pytest.mark.django_db
CANARY = "canary7f31c5a90b2e4d68"

logger = logging.getLogger("tests.errors")


def events(sent):  # noqa: F811
    """Flush everything; the events as text."""
    import sentry_sdk

    metrics.flush()
    sentry_sdk.flush()
    return [text for text in sent if '"type":"event"' in text]


def test_what_the_browser_reports_is_forwarded(sent):  # noqa: F811
    errors.capture_browser(f"TypeError: refused sk-{CANARY}", "go@https://h/static/js/x.js:1:2")
    [event] = events(sent)
    assert '"TypeError"' in event
    assert '"platform":"javascript"' in event
    assert CANARY not in event


def test_what_is_captured_by_hand_is_forwarded(sent):  # noqa: F811
    errors.capture(caught(fail, "by hand"), source="worker", severity="critical")
    [event] = events(sent)
    assert "by hand" in event
    assert '"level":"fatal"' in event


def test_what_is_logged_is_the_sdks(sent):  # noqa: F811
    logging.disable(logging.NOTSET)
    try:
        fail("logged")
    except RuntimeError:
        logger.exception("It broke")
    assert len(events(sent)) == 1


def test_a_storm_is_forwarded_as_little_as_it_is_stored(sent):  # noqa: F811
    for number in range(100):
        errors.capture(caught(fail, f"storm {number}"), source="worker")
    assert 10 <= len(events(sent)) <= 20
