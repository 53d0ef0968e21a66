"""The table of rate counters on PostgreSQL. SQLite has a file of its own for them."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def create(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Unlogged: a counter lost in a crash costs nothing, and none of them reaches the disk's log.
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE UNLOGGED TABLE hummbl_rate_counter "
            "(key text PRIMARY KEY, count bigint NOT NULL, expires double precision NOT NULL)"
        )


def drop(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TABLE hummbl_rate_counter")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunPython(create, drop)]
