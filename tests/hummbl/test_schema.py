"""`manage.py schema status` and `schema verify`."""

from importlib import import_module

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from hummbl import drift, schema

pytestmark = pytest.mark.django_db(transaction=True)
audit_trigger = import_module("accounts.migrations.0004_audit_log_is_append_only")

# What somebody does by hand, what undoes it, and what is said of it.
BY_HAND = {
    "a column": (
        "ALTER TABLE workflows_workflow ADD COLUMN mine integer",
        "ALTER TABLE workflows_workflow DROP COLUMN mine",
        "workflows_workflow: no model has the column mine",
    ),
    "no column": (
        "ALTER TABLE workflows_worker RENAME COLUMN version TO release",
        "ALTER TABLE workflows_worker RENAME COLUMN release TO version",
        "workflows_worker: the column version is missing",
    ),
    "a table": ("CREATE TABLE mine (id integer)", "DROP TABLE mine", "mine: no model has this"),
    "no table": (
        "ALTER TABLE workflows_spendentry RENAME TO spent",
        "ALTER TABLE spent RENAME TO workflows_spendentry",
        "workflows_spendentry: the table is missing",
    ),
    "an index": (
        "CREATE INDEX mine ON workflows_worker (version, name)",
        "DROP INDEX mine",
        "workflows_worker: no model has mine, an index",
    ),
    "no index": (
        "DROP INDEX execution_by_creation",
        "CREATE INDEX execution_by_creation ON workflows_execution (created_at DESC, id DESC)",
        "workflows_execution: execution_by_creation is missing",
    ),
    "an index on other columns": (
        (
            "DROP INDEX execution_by_creation; "
            "CREATE INDEX execution_by_creation ON workflows_execution (created_at DESC)"
        ),
        (
            "DROP INDEX execution_by_creation; "
            "CREATE INDEX execution_by_creation ON workflows_execution (created_at DESC, id DESC)"
        ),
        "execution_by_creation is on created_at, and should be on created_at, id",
    ),
}
ON_SQLITE = {
    "no trigger": (
        "DROP TRIGGER accounts_auditentry_append_only",
        audit_trigger.SQLITE[0],
        "accounts_auditentry: the trigger accounts_auditentry_append_only is missing",
    ),
    "a trigger": (
        "CREATE TRIGGER mine BEFORE DELETE ON workflows_worker BEGIN SELECT 1; END",
        "DROP TRIGGER mine",
        "workflows_worker: no model has the trigger mine",
    ),
}
ON_POSTGRES = {
    "no trigger of the audit log": (
        "DROP TRIGGER accounts_auditentry_append_only ON accounts_auditentry",
        audit_trigger.POSTGRESQL[1],
        "accounts_auditentry: the trigger accounts_auditentry_append_only is missing",
    ),
    "a trigger that is switched off": (
        "ALTER TABLE accounts_auditentry DISABLE TRIGGER accounts_auditentry_append_only",
        "ALTER TABLE accounts_auditentry ENABLE TRIGGER accounts_auditentry_append_only",
        "accounts_auditentry: the trigger accounts_auditentry_append_only is missing or switched",
    ),
    "a trigger of one's own": (
        (
            "CREATE TRIGGER mine BEFORE UPDATE ON workflows_worker FOR EACH ROW "
            "EXECUTE FUNCTION accounts_auditentry_refuse()"
        ),
        "DROP TRIGGER mine ON workflows_worker",
        "workflows_worker: no model has the trigger mine",
    ),
    "another type": (
        "ALTER TABLE workflows_worker ALTER COLUMN version TYPE varchar(40)",
        "ALTER TABLE workflows_worker ALTER COLUMN version TYPE varchar(20)",
        "workflows_worker: the column version is varchar(40), and should be varchar(20)",
    ),
    "NULL": (
        "ALTER TABLE workflows_worker ALTER COLUMN version DROP NOT NULL",
        "ALTER TABLE workflows_worker ALTER COLUMN version SET NOT NULL",
        "workflows_worker: the column version may be NULL",
    ),
    "no constraint": (
        "ALTER TABLE workflows_executionevent DROP CONSTRAINT event_sequence_positive",
        (
            "ALTER TABLE workflows_executionevent ADD CONSTRAINT event_sequence_positive "
            "CHECK (sequence >= 1)"
        ),
        "workflows_executionevent: event_sequence_positive is missing",
    ),
    "no foreign key": (
        (
            "ALTER TABLE workflows_apikey RENAME CONSTRAINT {fk} TO was_here; "
            "ALTER TABLE workflows_apikey DROP CONSTRAINT was_here"
        ),
        (
            "ALTER TABLE workflows_apikey ADD CONSTRAINT {fk} FOREIGN KEY (user_id) "
            "REFERENCES accounts_user (id) DEFERRABLE INITIALLY DEFERRED"
        ),
        "workflows_apikey: the column user_id does not refer to accounts_user",
    ),
}


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        if "{fk}" in sql:
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = 'workflows_apikey'::regclass "
                "AND contype = 'f'"
            )
            names = [name for (name,) in cursor.fetchall()]
            sql = sql.format(fk=names[0] if names else "workflows_apikey_user_id_fk")
        # A trigger of SQLite is one statement with others in it.
        for statement in [sql] if "TRIGGER" in sql else sql.split("; "):
            cursor.execute(statement)


def test_a_fresh_database_is_as_the_models_say(capsys):
    assert list(drift.find()) == []
    call_command("schema", "verify")
    assert "Every table is as the models say." in capsys.readouterr().out


@pytest.mark.parametrize("what", [*BY_HAND, *ON_SQLITE, *ON_POSTGRES])
def test_what_somebody_did_by_hand_is_found(what, is_postgres, capsys):
    if what in (ON_SQLITE if is_postgres else ON_POSTGRES):
        pytest.skip("The other database says it otherwise, or cannot do it.")
    do, undo, said = (BY_HAND | ON_SQLITE | ON_POSTGRES)[what]
    run(do)
    try:
        with pytest.raises(CommandError, match="differ from the models in"):
            call_command("schema", "verify")
    finally:
        run(undo)
    assert said in capsys.readouterr().err
    assert list(drift.find()) == []


def test_status_lists_what_is_applied_and_pending(capsys):
    recorder = MigrationRecorder(connection)
    name = max(name for app, name in schema.known_migrations() if app == "workflows")
    recorder.record_unapplied("workflows", name)
    recorder.record_applied("workflows", "9999_of_tomorrow")
    try:
        call_command("schema", "status")
        with pytest.raises(CommandError, match="Migrations are pending"):
            call_command("schema", "verify")
    finally:
        recorder.record_unapplied("workflows", "9999_of_tomorrow")
        recorder.record_applied("workflows", name)
    said = capsys.readouterr().out
    assert "applied  accounts.0001_users_and_sessions\n" in said
    assert "applied  workflows.9999_of_tomorrow  (of a newer release)\n" in said
    assert f"pending  workflows.{name}\n" in said
    assert "Schema version: workflows.9999_of_tomorrow. " in said
    assert "1 pending." in said
