"""What one process of all does every so often."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hummbl", "0002_last_clean_up"),
    ]

    operations = [
        migrations.CreateModel(
            name="Duty",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("slot", models.BigIntegerField(default=0)),
            ],
        ),
    ]
