"""Resolving, ignoring and reopening, and what happens to each when the error happens again."""

import pytest

from accounts.models import AuditEntry
from hummbl.errors import Conflict
from observability import errors, metrics
from tests.observability.errors.support import make_error

pytestmark = pytest.mark.django_db


def again(group):
    make_error(kind=group.title.partition(":")[0])
    group.refresh_from_db()
    return group


def test_what_was_resolved_comes_back(adam):
    group = make_error()
    group.resolve(by=adam)
    assert (group.status, group.regressed) == ("resolved", False)
    again(group)
    assert (group.status, group.regressed, group.resolved_at) == ("open", True, None)
    assert group.count == 2


def test_what_was_resolved_for_the_next_release_waits_for_it(adam, settings):
    settings.RELEASE = "1.0"
    group = make_error()
    group.resolve(by=adam, in_next_release=True)
    assert group.resolved_in == "1.0"
    assert again(group).status == "resolved"
    settings.RELEASE = "1.1"
    again(group)
    assert (group.status, group.regressed, group.resolved_in) == ("open", True, "")
    assert (group.first_release, group.last_release, group.count) == ("1.0", "1.1", 3)


def test_an_error_from_before_it_was_resolved_does_not_reopen_it(adam):
    group = make_error()
    raised = type("Broken", (Exception,), {"__module__": "builtins"})
    errors.capture(raised("broken"), source="request")
    group.resolve(by=adam)
    metrics.flush()
    group.refresh_from_db()
    assert (group.status, group.count) == ("resolved", 2)


def test_what_is_ignored_is_counted_and_stays_so(adam):
    group = make_error()
    group.ignore(by=adam)
    again(group)
    assert (group.status, group.count) == ("ignored", 2)


def test_reopening_forgets_that_it_was_resolved(adam):
    group = make_error()
    group.resolve(by=adam, in_next_release=True)
    group.reopen(by=adam)
    group.refresh_from_db()
    assert (group.status, group.resolved_at, group.resolved_in) == ("open", None, "")
    assert group.regressed is False


@pytest.mark.parametrize("change", ["resolve", "ignore", "reopen"])
def test_a_state_is_entered_once(adam, change):
    group = make_error()
    if change == "reopen":
        group.ignore(by=adam)
    getattr(group, change)(by=adam)
    with pytest.raises(Conflict):
        getattr(group, change)(by=adam)


def test_each_change_is_in_the_audit_log(adam):
    group = make_error()
    group.resolve(by=adam, in_next_release=True)
    group.reopen(by=adam)
    group.ignore(by=adam)
    entries = AuditEntry.objects.filter(object_id=group.pk).order_by("at", "id")
    assert [entry.action for entry in entries] == [
        "error.resolved",
        "error.reopened",
        "error.ignored",
    ]
    assert {entry.actor_id for entry in entries} == {adam.pk}
    assert entries[0].data == {"after": group.last_release}
