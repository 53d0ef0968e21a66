"""Room in PostgreSQL's pages for the updates of a run.

The row of a task is written three times within seconds, and no column that an index holds changes.
Where the page has room for the new row, no index is touched and the old row's place is free again
at once: half of what an update costs the server, and less for autovacuum to do.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# How full a page is filled by inserts, in percent.
FILLFACTORS = {
    "workflows_execution": 50,
    "workflows_taskresult": 50,
    "workflows_spendentry": 80,
}


def leave_room(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For rows to come; those that are there stay where they are. SQLite has no such setting."""
    if schema_editor.connection.vendor == "postgresql":
        for table, percent in FILLFACTORS.items():
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def fill_pages(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The server's own setting again."""
    if schema_editor.connection.vendor == "postgresql":
        for table in FILLFACTORS:
            schema_editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [
        ("workflows", "0004_retention"),
    ]

    operations = [migrations.RunPython(leave_room, fill_pages)]
