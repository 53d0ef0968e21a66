"""Requests worth a look: the slowest of a route in a minute, and those that failed."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Cast, LPad
from django.utils import timezone

from hummbl.models import new_id

KEPT_FOR: Final = timedelta(days=7)
MOST_PATH: Final = 500
MOST_ROUTE: Final = 200


class RequestSampleQuerySet(models.QuerySet["RequestSample"]):
    """Which of them."""

    def between(self, start: datetime, end: datetime) -> "RequestSampleQuerySet":
        """Those answered in that time; `end` is not included."""
        return self.filter(at__gte=start, at__lt=end)

    def failed(self) -> "RequestSampleQuerySet":
        """Those that were answered with a 5xx."""
        return self.filter(status__gte=500)

    def with_sortable_seconds(self) -> "RequestSampleQuerySet":
        """With `by_seconds`, whole microseconds as a text that sorts like the number."""
        microseconds = Cast(F("seconds") * 1_000_000, models.BigIntegerField())
        text = LPad(Cast(microseconds, models.CharField()), 16, Value("0"))
        return self.annotate(by_seconds=text)

    def expired(self) -> "RequestSampleQuerySet":
        """Those that are kept no longer."""
        return self.filter(at__lt=timezone.now() - KEPT_FOR)


class RequestSample(models.Model):
    """A request as it was answered. `seconds` is how long that took, `queries` how many it made.

    `path` is without the query and without what links in mails carry. The user may be gone by now.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(help_text="When it was answered.")
    route = models.CharField(max_length=MOST_ROUTE)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=MOST_PATH)
    status = models.PositiveSmallIntegerField()
    seconds = models.FloatField()
    queries = models.PositiveIntegerField()
    request_id = models.CharField(max_length=64, blank=True)
    user_id = models.UUIDField(null=True)

    objects = RequestSampleQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["at"], name="request_sample_at"),
            models.Index(fields=["route", "at"], name="request_sample_route"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"
