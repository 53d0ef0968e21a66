"""The audit log is only added to: by the models, and by the database whoever asks it."""

from importlib import import_module

import pytest
from django.contrib import admin
from django.db import DatabaseError, connection, models, transaction

from accounts.models import Action, AuditEntry
from tests.accounts.entries import make_entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry():
    return make_entry(object_label="as it was")


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.save(update_fields=["object_label"]),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.update(object_label="x"),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
        lambda entry: AuditEntry.objects.all().delete(),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["object_label"]),
        lambda entry: AuditEntry.objects.update_or_create(
            pk=entry.pk, defaults={"object_label": "x"}
        ),
    ],
    ids=[
        *("save", "save-fields", "delete", "update", "filter-delete", "delete-all"),
        *("bulk-update", "update-or-create"),
    ],
)
def test_the_models_refuse(entry, change):
    entry.object_label = "x"
    with pytest.raises(TypeError, match="only added to"), transaction.atomic():
        change(entry)
    assert AuditEntry.objects.get().object_label == "as it was"


def upsert(entry):
    entry.object_label = "x"
    AuditEntry.objects.bulk_create(
        [entry],
        update_conflicts=True,
        update_fields=["object_label"],
        unique_fields=["id"],
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: connection.cursor().execute(
            "UPDATE accounts_auditentry SET object_label = 'x'"
        ),
        lambda entry: models.QuerySet(AuditEntry).filter(pk=entry.pk).update(object_label="x"),
        upsert,
    ],
    ids=["sql", "another-manager", "upsert"],
)
def test_the_database_refuses(entry, change):
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
        change(entry)
    assert AuditEntry.objects.get().object_label == "as it was"


def test_the_trigger_comes_and_goes_with_its_migration(entry):
    migration = import_module("accounts.migrations.0004_audit_log_is_append_only")
    editor = connection.schema_editor()
    migration.remove_trigger(None, editor)
    models.QuerySet(AuditEntry).update(object_label="x")
    migration.add_trigger(None, editor)
    with pytest.raises(DatabaseError), transaction.atomic():
        models.QuerySet(AuditEntry).update(object_label="y")


def test_the_django_admin_does_not_know_it():
    assert AuditEntry not in admin.site._registry


def test_old_entries_leave_by_age_alone(settings):
    settings.RETENTION_AUDIT = 7
    kept = make_entry(ago=60 * 24 * 6)
    for days in (8, 9, 10):
        make_entry(Action.SIGNED_OUT, ago=60 * 24 * days)
    assert AuditEntry.objects.forget_expired(2) == 2
    assert AuditEntry.objects.forget_expired(2) == 1
    assert list(AuditEntry.objects.all()) == [kept]


@pytest.mark.django_db(transaction=True)
def test_a_test_database_can_be_emptied():
    """What TransactionTestCase does after each test, this one included."""
    make_entry()
