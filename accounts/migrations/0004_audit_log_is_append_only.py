"""A trigger refuses every change of an audit entry; and the indexes that its list is read by.

On SQLite a later migration that alters this table has to make the trigger again: Django copies
the table there, and drops the old one with its triggers.
"""

import django.utils.timezone
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

MESSAGE = "The audit log is only added to."

POSTGRESQL = (
    f"""
    CREATE FUNCTION accounts_auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER accounts_auditentry_append_only BEFORE UPDATE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_auditentry_refuse()
    """,
)
SQLITE = (
    f"""
    CREATE TRIGGER accounts_auditentry_append_only BEFORE UPDATE ON accounts_auditentry
    BEGIN
        SELECT RAISE(ABORT, '{MESSAGE}');
    END
    """,
)


def add_trigger(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Refuse updates. Deletion stays possible: entries leave by age."""
    is_postgres = schema_editor.connection.vendor == "postgresql"
    for statement in POSTGRESQL if is_postgres else SQLITE:
        schema_editor.execute(statement)


def remove_trigger(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Allow updates again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER accounts_auditentry_append_only ON accounts_auditentry")
        schema_editor.execute("DROP FUNCTION accounts_auditentry_refuse()")
    else:
        schema_editor.execute("DROP TRIGGER accounts_auditentry_append_only")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_tokens_and_audit_log"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditentry",
            options={"ordering": ["-at", "-id"], "verbose_name_plural": "audit entries"},
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(help_text="One of `Action`.", max_length=40),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor_id",
            field=models.UUIDField(help_text="None: nobody signed in.", null=True),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="object_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["-at", "-id"], name="audit_by_time"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["actor_id", "-at", "-id"], name="audit_by_actor"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["action", "-at", "-id"], name="audit_by_action"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["object_id", "-at", "-id"], name="audit_by_object"),
        ),
        migrations.RunPython(add_trigger, remove_trigger),
    ]
