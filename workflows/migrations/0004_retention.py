"""What retention needs: how much of a history is left, sums in the ledger, vacuuming in time.

PostgreSQL vacuums a table when a fifth of it is dead. Here the rows of a task are written three
times within seconds and whole days of rows go at once: with a twentieth the room is free for new
rows before the table has to grow. Long texts are compressed by lz4 from here on, which is faster than
the default, where the server was built with it. Old values stay as they are.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from workflows.models.texts import LongTextField

BUSY = (
    "workflows_execution",
    "workflows_taskresult",
    "workflows_executionevent",
    "workflows_spendentry",
)
SETTINGS = ("autovacuum_vacuum_scale_factor", "autovacuum_analyze_scale_factor")
SHARE = "0.05"
# By table, the columns that hold what people and models write.
LONG_TEXTS = {"workflows_taskresult": ("input", "output"), "workflows_execution": ("input",)}
HAS_LZ4 = """
    SELECT 1 FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)
"""


def tune(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Settings of PostgreSQL's tables; SQLite has none."""
    if schema_editor.connection.vendor == "postgresql":
        values = ", ".join(f"{name} = {SHARE}" for name in SETTINGS)
        for table in BUSY:
            schema_editor.execute(f"ALTER TABLE {table} SET ({values})")
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(HAS_LZ4)
            if cursor.fetchone():
                _compress(schema_editor, "lz4")


def untune(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The server's own settings again."""
    if schema_editor.connection.vendor == "postgresql":
        for table in BUSY:
            schema_editor.execute(f"ALTER TABLE {table} RESET ({', '.join(SETTINGS)})")
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(HAS_LZ4)
            if cursor.fetchone():
                _compress(schema_editor, "default")


def _compress(schema_editor: BaseDatabaseSchemaEditor, method: str) -> None:
    for table, columns in LONG_TEXTS.items():
        for column in columns:
            schema_editor.execute(
                f"ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION {method}"
            )


class Migration(migrations.Migration):
    dependencies = [
        ("workflows", "0003_lists_of_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="execution",
            name="history",
            field=models.PositiveSmallIntegerField(
                choices=[
                    (0, "Whole"),
                    (1, "Without what the models wrote piece by piece"),
                    (2, "Deleted"),
                ],
                default=0,
                db_default=0,
                editable=False,
            ),
        ),
        migrations.AddField(
            model_name="spendentry",
            name="calls",
            field=models.PositiveBigIntegerField(
                db_default=1, default=1, help_text="More than one: the sum of a day."
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("completed_at__isnull", False)),
                fields=["history", "completed_at"],
                name="execution_ended",
            ),
        ),
        # The columns stay as they are, and so does every row: a text that is not packed is read too.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("taskresult", name, LongTextField(blank=True))
                for name in ("input", "output")
            ]
        ),
        migrations.RunPython(tune, untune),
    ]
