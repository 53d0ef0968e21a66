"""Indexes for what lists ask most: the runs under way, and everyone's runs by their creation."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows", "0002_test_runs_of_one_task"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("completed_at__isnull", True)),
                fields=["user", "-created_at"],
                name="execution_under_way",
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(fields=["-created_at", "-id"], name="execution_by_creation"),
        ),
    ]
