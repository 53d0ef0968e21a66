"""When what had expired was last deleted, for the storage page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hummbl", "0001_rate_counter"),
    ]

    operations = [
        migrations.CreateModel(
            name="CleanUp",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("seconds", models.FloatField()),
                ("deleted", models.JSONField(help_text="Rows by the name of the rule.")),
            ],
        ),
    ]
