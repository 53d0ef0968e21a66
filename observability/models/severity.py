"""How soon somebody should look at an alert or an error."""

from django.db import models


class Severity(models.TextChoices):
    """The first is the worst."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"
