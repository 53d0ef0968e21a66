"""/manage/errors and what is below it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry
from observability.models import ErrorGroup
from tests.factories import make_execution, make_workflow
from tests.observability.errors.support import capture, caught, fail, make_error

URL = "/manage/errors"


@pytest.fixture
def admin(adam):
    """A browser with the administrator in it."""
    client = Client()
    client.force_login(adam)
    return client


def shown(answer):
    assert answer.status_code == 200
    return [group.title.partition(":")[0] for group, _ in answer.context["rows"]]


def test_what_is_open(admin, adam):
    make_error(kind="First")
    make_error(kind="Second").resolve(by=adam)
    make_error(kind="Third").ignore(by=adam)
    assert shown(admin.get(URL)) == ["First"]
    assert shown(admin.get(URL, {"status": "resolved"})) == ["Second"]
    assert shown(admin.get(URL, {"status": "any"})) == ["Third", "Second", "First"]
    assert shown(admin.get(URL, {"status": "any", "q": "thir"})) == ["Third"]
    assert shown(admin.get(URL, {"status": "odd", "sort": "odd"})) == ["First"]


def test_what_happened_in_the_hours_of_a_spike(admin):
    group = make_error(kind="Then")
    make_error(kind="Now")
    then = timezone.now() - timedelta(hours=30)
    group.hours.update(hour=then.replace(minute=0, second=0, microsecond=0))
    half = f"{then:%Y-%m-%dT%H}:30/{then:%Y-%m-%dT%H}:40"
    answer = admin.get(URL, {"between": half})
    assert shown(answer) == ["Then"]
    assert f'name="between" value="{half}" checked' in answer.content.decode()
    for odd in ("yesterday", "2026-01-01/", "/"):
        assert shown(admin.get(URL, {"between": odd})) == ["Now", "Then"]


def test_found_by_the_run_it_broke(admin, alice):
    run = make_execution(make_workflow(alice))
    make_error(kind="Ours", source="task", execution_id=run.pk)
    make_error(kind="Other")
    assert shown(admin.get(URL, {"q": str(run.pk)})) == ["Ours"]
    assert shown(admin.get(URL, {"q": str(uuid4())})) == []


def test_the_table_alone_for_htmx(admin):
    make_error()
    answer = admin.get(URL, headers={"HX-Request": "true"})
    assert b"<html" not in answer.content
    assert b"Broken: broken" in answer.content


def test_empty_states(admin, adam):
    assert "Nothing has broken yet" in admin.get(URL).content.decode()
    make_error().resolve(by=adam)
    assert "No open errors" in admin.get(URL).content.decode()
    assert "No error matches" in admin.get(URL, {"q": "nothing"}).content.decode()


def test_queries_do_not_grow(admin, django_assert_max_num_queries):
    for number in range(6):
        make_error(kind=f"Kind{number}")
    with django_assert_max_num_queries(8):
        admin.get(URL)


def test_a_group_with_all_its_links(admin, adam, alice):
    run = make_execution(make_workflow(alice))
    capture(
        caught(fail, "<b>broken</b>"),
        source="task",
        user_id=alice.pk,
        execution_id=run.pk,
        request_id="request-7",
    )
    page = admin.get(f"{URL}/{ErrorGroup.objects.get().pk}").content.decode()
    assert "RuntimeError: &lt;b&gt;broken&lt;/b&gt;" in page
    assert f'href="/executions/{run.pk}"' in page
    assert f'href="/manage/users/{alice.pk}"' in page
    assert "?q=request-7" in page
    assert "tests/observability/errors/support.py:" in page
    assert "Why is this one group?" in page


def test_what_is_gone_is_named_without_a_link(admin):
    capture(source="task", user_id=uuid4(), execution_id=uuid4())
    page = admin.get(f"{URL}/{ErrorGroup.objects.get().pk}").content.decode()
    assert "Somebody who is gone" in page
    assert "(gone)" in page


def test_an_older_report(admin):
    group = make_error("number 1")
    first = group.reports.get()
    make_error("number 2")
    address = f"{URL}/{group.pk}"
    assert admin.get(address).context["shown"].report.message == "number 2"
    assert admin.get(address, {"report": first.pk}).context["shown"].report == first
    assert admin.get(address, {"report": "nonsense"}).status_code == 200


def test_a_group_without_a_report_left(admin):
    group = make_error()
    group.reports.all().delete()
    assert "No report is left" in admin.get(f"{URL}/{group.pk}").content.decode()


def test_resolving_ignoring_and_reopening(admin, adam):
    group = make_error()
    address = f"{URL}/{group.pk}"
    for action, data, status in (
        ("resolve", {}, "resolved"),
        ("reopen", {}, "open"),
        ("resolve", {"next": "true"}, "resolved"),
        ("ignore", {}, "ignored"),
        ("ignore", {}, "ignored"),
    ):
        assert admin.post(f"{address}/{action}", data).headers["Location"] == address
        group.refresh_from_db()
        assert group.status == status
    assert AuditEntry.objects.filter(object_id=group.pk, actor_id=adam.pk).count() == 4
    assert admin.get(f"{address}/resolve").status_code == 405


@pytest.mark.parametrize("path", ["", "/{id}", "/{id}/resolve", "/{id}/ignore", "/{id}/reopen"])
def test_who_may(alice, vera, path):
    address = URL + path.format(id=make_error().pk)
    client = Client()

    def ask():
        changes = path.count("/") == 2
        return client.post(address) if changes else client.get(address)

    assert ask().headers["Location"].startswith("/signin")
    for user in (alice, vera):
        client.force_login(user)
        assert ask().status_code == 403
    assert ErrorGroup.objects.get().status == "open"
