"""How long errors are kept."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from hummbl import retention
from observability.models import ErrorGroup, ErrorHour, ErrorReport, ErrorUser
from tests.observability.errors.support import make_error

pytestmark = pytest.mark.django_db


def age(group, days):
    at = timezone.now() - timedelta(days=days)
    group.reports.update(at=at)
    group.hours.update(hour=at)
    ErrorGroup.objects.filter(pk=group.pk).update(last_seen=at)


def test_an_error_goes_with_all_that_belongs_to_it(settings):
    settings.RETENTION_ERRORS = 90
    old, young = make_error(kind="Old", user_id=uuid4()), make_error(kind="Young", user_id=uuid4())
    age(old, 91)
    age(young, 89)
    retention.run()
    assert list(ErrorGroup.objects.all()) == [young]
    for model in (ErrorReport, ErrorHour, ErrorUser):
        assert model.objects.get().group == young


def test_an_error_that_still_happens_loses_its_old_reports(settings):
    settings.RETENTION_ERRORS = 90
    group = make_error()
    age(group, 91)
    make_error()
    retention.run()
    group.refresh_from_db()
    assert group.count == 2
    assert group.reports.count() == group.hours.count() == 1


def test_an_empty_setting_keeps_them(settings):
    settings.RETENTION_ERRORS = None
    age(make_error(), 9000)
    retention.run()
    assert ErrorReport.objects.count() == 1
