"""accounts.users: there is always somebody who administers, whoever does what at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts import users
from accounts.errors import LastAdmin, UserHasHistory
from accounts.models import AuditEntry, User
from hummbl.errors import AppError, Conflict, Forbidden, NotFound
from tests.factories import make_execution, make_key, make_user, make_workflow
from tests.processes import PATIENCE
from workflows.models import SpendEntry, Workflow

ROUNDS = 5


def demote(user, *, by):
    users.change_role(user, "user", by=by)


@pytest.fixture
def ada(db):
    """Another admin."""
    return make_user("ada@example.com", role="admin")


def at_once(*calls):
    """What each of the calls raised, made at the same moment in threads of their own."""
    start = Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            call()
        except AppError as error:
            return error.error_code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "act", [demote, users.deactivate, users.delete], ids=lambda act: act.__name__
)
def test_two_admins_who_remove_each_other(act):
    """Each is asked after the other, and finds that it is an admin no longer."""
    for number in range(ROUNDS):
        one = make_user(f"one{number}@example.com", role="admin")
        two = make_user(f"two{number}@example.com", role="admin")

        codes = at_once(lambda: act(two, by=one), lambda: act(one, by=two))  # noqa: B023

        assert codes == ["admin_only", "done"]
        (left,) = User.objects.administrators()
        User.objects.all().delete()
        assert left.pk in {one.pk, two.pk}


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_step_down(adam, ada):
    codes = at_once(lambda: demote(adam, by=adam), lambda: users.deactivate(ada, by=ada))
    assert codes == ["done", "last_admin"]
    assert User.objects.administrators().count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_second_waits_for_the_first(adam, ada):
    """What the first has not committed yet, the second does not overlook."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            demote(ada, by=adam)
            second = pool.submit(at_once, lambda: users.deactivate(adam, by=adam))
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)
        assert second.result(timeout=PATIENCE) == ["last_admin"]


def test_who_is_no_admin_any_more(adam, ada, alice):
    demote(adam, by=ada)
    for act in (demote, users.activate, users.deactivate, users.delete):
        with pytest.raises(Forbidden):
            act(alice, by=adam)


def test_a_user_who_is_gone(adam, alice):
    User.objects.filter(pk=alice.pk).delete()
    for act in (demote, users.activate, users.deactivate, users.delete):
        with pytest.raises(NotFound):
            act(alice, by=adam)
    assert not AuditEntry.objects.exists()


def test_the_operator_at_the_terminal_is_held_to_the_rule_too(adam):
    for act in (demote, users.deactivate, users.delete):
        with pytest.raises(LastAdmin):
            act(adam, by=None)


def test_both_or_neither(adam, alice):
    """A change of the role is undone when the rest of the change is refused."""
    alice.is_active = False
    alice.save()
    users.change_role(alice, "admin", by=adam)
    with transaction.atomic():
        users.change(alice, by=adam, role="user", is_active=True)
    with pytest.raises(LastAdmin):
        users.change(adam, by=adam, role="admin", is_active=False)
    alice.refresh_from_db()
    assert (alice.role, alice.is_active) == ("user", True)


def test_what_goes_with_a_user(adam, alice):
    """Workflows and keys go; the audit log stays and names the person."""
    workflow, key = make_workflow(alice), make_key(alice)
    pk = alice.pk

    users.delete(alice, by=adam)

    assert not Workflow.objects.filter(pk=workflow.pk).exists()
    assert not type(key).objects.exists()
    entry = AuditEntry.objects.get(action="user.deleted")
    assert (entry.object_id, entry.object_label, entry.actor_label) == (
        pk,
        "alice@example.com",
        "adam@example.com",
    )


def test_who_has_started_runs_stays(adam, alice):
    workflow = make_workflow(alice)
    make_execution(workflow)

    with pytest.raises(UserHasHistory):
        users.delete(alice, by=adam)

    assert Workflow.objects.filter(pk=workflow.pk).exists()
    assert not AuditEntry.objects.filter(action="user.deleted").exists()


def test_whose_workflow_somebody_runs_stays(adam, alice):
    make_execution(make_workflow(alice), user=adam)
    with pytest.raises(Conflict, match="under way"):
        users.delete(alice, by=adam)
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_ledger_outlives_a_user(adam, alice):
    entry = SpendEntry.objects.create(
        user=alice,
        workflow_label="Report",
        execution_id=alice.pk,
        task_id="one",
        attempt=1,
        provider="openai",
        model="m",
        reserved=1,
        at=timezone.now(),
    )
    users.delete(alice, by=adam)
    entry.refresh_from_db()
    assert (entry.user, entry.reserved) == (None, 1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["admin", "user", "viewer", "activate", "deactivate", "delete"]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=12,
)


class AnyStory(TestCase):
    """Whatever three people do to each other, in whatever order."""

    @given(STEPS)
    @settings(max_examples=60)
    def test_somebody_administers(self, steps):
        cast = [make_user(f"{n}@example.com", role="admin" if n < 2 else "user") for n in range(3)]
        for what, actor, user in steps:
            before = set(User.objects.administrators().values_list("pk", flat=True))
            refused = False
            try:
                self.do(what, cast[actor], cast[user])
            except AppError:
                refused = True
            after = set(User.objects.administrators().values_list("pk", flat=True))
            assert after
            if refused or cast[actor].pk not in before:
                assert after == before

    def do(self, what, actor, user):
        fresh = User.objects.filter(pk=user.pk).first() or user
        if what in {"activate", "deactivate", "delete"}:
            getattr(users, what)(fresh, by=actor)
        else:
            users.change_role(fresh, what, by=actor)
