"""Which release ran first when: the markers of deployments."""

from datetime import datetime

from django.db import models
from django.utils import timezone


class ReleaseQuerySet(models.QuerySet["Release"]):
    """Which of them."""

    def between(self, start: datetime, end: datetime) -> "ReleaseQuerySet":
        """Those first seen in that time, the oldest first; `end` is not included."""
        return self.filter(first_seen__gte=start, first_seen__lt=end).order_by("first_seen")


class Release(models.Model):
    """A release, by the name in `settings.RELEASE`, and when the first process of it wrote."""

    name = models.CharField(max_length=100, primary_key=True)
    first_seen = models.DateTimeField(default=timezone.now)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-first_seen"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def note(cls, name: str) -> None:
        """Have the release in the table; the first to note it says when."""
        name = name[:100]
        if not cls.objects.filter(name=name).exists():
            Release.objects.bulk_create([Release(name=name)], ignore_conflicts=True)
