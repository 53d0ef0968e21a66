"""/manage/metrics/requests: the requests behind a spike."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hummbl import lists
from observability.models import RequestSample

URL = "/manage/metrics/requests"


def make_sample(seconds=0.2, *, status=200, ago=1, **fields):
    given = {"route": "/workflows/{id}", "method": "GET", "path": "/workflows/1", "queries": 7}
    return RequestSample.objects.create(
        at=timezone.now() - timedelta(minutes=ago),
        seconds=seconds,
        status=status,
        **{**given, **fields},
    )


def rows(response):
    assert response.status_code == 200
    return [row.sample for row in response.context["rows"]]


def test_the_slowest_first_with_who_it_was(browse, adam, alice):
    slow = make_sample(11.5, user_id=alice.pk, request_id="a1b2", path="/workflows/<1>")
    quick = make_sample(2.25)
    response = browse(adam).get(URL)
    assert rows(response) == [slow, quick]
    body = response.content.decode()
    for said in ("alice@example.com", "a1b2", "/workflows/&lt;1&gt;", "A stranger", "12 s"):
        assert said in body
    assert f'href="/manage/users/{alice.pk}"' in body


def test_from_a_failed_request_to_its_error(browse, adam):
    make_sample(status=500, request_id="a1b2")
    make_sample(status=404, request_id="c3d4")
    body = browse(adam).get(URL).content.decode()
    assert "/manage/errors?status=any&amp;q=a1b2" in body
    assert "q=c3d4" not in body


def test_somebody_who_is_gone(browse, adam, alice):
    make_sample(user_id=alice.pk)
    alice.delete()
    assert "Somebody who is gone" in browse(adam).get(URL).content.decode()


def test_filters(browse, adam):
    failed = make_sample(0.1, status=503, request_id="deadbeef")
    other = make_sample(0.3, route="/dashboard", path="/dashboard", ago=2)
    old = make_sample(ago=90)
    client = browse(adam)

    def found(**query):
        return rows(client.get(URL, query))

    assert found() == [other, failed]
    assert found(order="newest") == [failed, other]
    assert found(failed="on") == [failed]
    assert found(route="/dashboard") == [other]
    assert found(q="dash") == [other]
    assert found(q="deadbeef") == [failed]
    assert found(q="nothing") == []
    assert found(range="6h") == [other, old, failed]
    span = {"start": f"{old.at:%Y-%m-%dT%H:%M}", "end": f"{failed.at:%Y-%m-%dT%H:%M}"}
    assert old in found(**span)
    assert failed not in found(**span)
    assert found(order="fastest", cursor="nonsense") == [other, failed]


def test_pages(browse, adam, monkeypatch):
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    samples = [make_sample(seconds) for seconds in (20, 9.5, 0.001)]
    client = browse(adam)
    first = client.get(URL, {"range": "24h"})
    assert rows(first) == samples[:2]
    assert rows(client.get(URL, {"cursor": first.context["slice"].next})) == samples[2:]


def test_leads_to_the_runs_of_that_time(browse, adam):
    query = {"start": "2026-11-22T10:00", "end": "2026-11-22T11:00"}
    body = browse(adam).get(URL, query).content.decode()
    assert "/manage/executions?between=2026-11-22T10:00/2026-11-22T11:00" in body


def test_htmx_gets_the_table_alone(browse, adam, fragment):
    make_sample()
    body = browse(adam).get(f"{URL}?failed=on&range=6h", **fragment).content.decode()
    assert "<html" not in body
    assert "Nothing matches" in body
    assert f'href="{URL}?range=6h"' in body


def test_nothing_yet(browse, adam):
    assert "No request was noted" in browse(adam).get(URL).content.decode()


def test_queries_do_not_grow_with_rows(browse, adam, alice, bob, django_assert_num_queries):
    client = browse(adam)
    for user in (alice, bob):
        make_sample(user_id=user.pk)
        with django_assert_num_queries(4):  # the session, the user; samples, users
            client.get(URL)


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, who):
    assert browse(request.getfixturevalue(who)).get(URL).status_code == 403


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"
