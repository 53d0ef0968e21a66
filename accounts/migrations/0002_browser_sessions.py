"""Browsers' sign-ins become rows of the table that the programs' are in."""

from typing import Any

from django.db import migrations, models


def forget_browsers(apps: Any, schema_editor: Any) -> None:
    """On the way back: the old code takes every row for a bearer session."""
    sessions = apps.get_model("accounts", "Session").objects.using(schema_editor.connection.alias)
    sessions.filter(kind="browser").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_users_and_sessions"),
    ]

    operations = [
        migrations.AddField(
            model_name="session",
            name="kind",
            field=models.CharField(
                choices=[("browser", "Browser"), ("api", "API")], default="api", max_length=10
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="last_used_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["browser", "api"])), name="session_kind_valid"
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget_browsers),
    ]
