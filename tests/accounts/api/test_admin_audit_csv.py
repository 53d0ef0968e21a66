"""GET /api/admin/audit.csv."""

import asyncio
import csv
import io

import pytest
from django.core.handlers.asgi import ASGIRequest

from accounts.audit import export
from accounts.audit.log import AuditFilter
from accounts.models import Action
from tests.accounts.entries import make_entry, recorded

URL = "/api/admin/audit.csv"
EVIL = '=HYPERLINK("https://evil.example","Click")'


def rows(answer):
    assert answer.status_code == 200
    text = answer.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_all_of_it_newest_first(api, adam, alice):
    make_entry(Action.KEY_CREATED, actor=alice, object_label="Müller · 值", ago=5, ip="::1")
    answer = api(adam).get(URL)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-log-')
    assert answer["X-Content-Type-Options"] == "nosniff"
    exported, entry = rows(answer)
    assert exported["action"] == "audit.exported"
    assert entry["actor"] == "alice@example.com"
    assert entry["actor_id"] == str(alice.pk)
    assert (entry["action"], entry["action_label"]) == ("key.created", "Added a provider key")
    assert (entry["object"], entry["ip"], entry["data"]) == ("Müller · 值", "::1", "")


def test_begins_with_a_byte_order_mark(api, adam):
    """Else Excel takes it for another encoding."""
    assert api(adam).get(URL).getvalue().startswith(b"\xef\xbb\xbf")


def test_formulas_are_text(api, adam, alice):
    """security.md 25: CSV cells that begin a formula are escaped."""
    make_entry(actor_label=EVIL, object_label="@SUM(A1)", data={"name": "+1"})
    found = rows(api(adam).get(URL, {"object": "@sum"}))
    assert [(row["actor"], row["object"]) for row in found] == [(f"'{EVIL}", "'@SUM(A1)")]


def test_the_filters_of_the_list_and_a_note_in_the_log(api, adam, alice, bob):
    make_entry(actor=alice)
    make_entry(Action.SIGNED_OUT, actor=alice)
    make_entry(actor=bob)
    query = {"actor": "alice@", "action": "user.signed_in", "start": "2020-01-01T00:00:00Z"}
    assert len(rows(api(adam).get(URL, query))) == 1
    wanted = {
        "actor": "alice@",
        "actions": ["user.signed_in"],
        "start": "2020-01-01T00:00:00+00:00",
    }
    assert recorded(action="audit.exported") == [
        ("audit.exported", "adam@example.com", "", {"filters": wanted})
    ]


@pytest.mark.parametrize("query", [{"action": "x"}, {"user": "x"}], ids=["action", "name"])
def test_what_makes_no_sense_is_refused(api, adam, query):
    assert api(adam).get(URL, query).status_code == 400
    assert recorded(action="audit.exported") == []


def test_is_read_in_batches(api, adam, alice, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(export, "BATCH", 3)
    entries = [make_entry(actor=alice, ago=number // 2) for number in range(8)]
    client = api(adam)
    answer = client.get(URL, {"actor": str(alice.pk)})
    with django_assert_num_queries(3):  # nothing is read before it is sent
        found = rows(answer)
    assert {row["id"] for row in found} == {str(entry.pk) for entry in entries}
    assert [row["at"] for row in found] == sorted((row["at"] for row in found), reverse=True)


@pytest.mark.django_db(transaction=True)
def test_under_asgi_a_piece_at_a_time(adam, alice, monkeypatch):
    """Django would gather what is not asynchronous whole, before it sends anything."""
    monkeypatch.setattr(export, "BATCH", 2)
    for _ in range(5):
        make_entry(actor=alice)
    scope = {"type": "http", "method": "GET", "path": URL, "headers": [], "query_string": b""}
    request = ASGIRequest(scope, io.BytesIO())
    answer = export.export(request, AuditFilter(actor=str(alice.pk)), by=adam)
    assert answer.is_async

    async def read():
        return [piece async for piece in answer]

    pieces = asyncio.run(read())
    assert [piece.count(b"\r\n") for piece in pieces] == [1, 2, 2, 1]


def test_strangers(api, db):
    assert api().get(URL).status_code == 401


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles(api, request, who):
    answer = api(request.getfixturevalue(who)).get(URL)
    assert answer.status_code == 403
    assert answer.json()["code"] == "admin_only"


def test_other_methods(api, adam):
    assert api(adam).post(URL, {}).status_code == 405
