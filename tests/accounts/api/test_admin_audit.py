"""GET /api/admin/audit."""

import uuid
from datetime import UTC, datetime

import pytest

from accounts.models import Action
from tests.accounts.entries import forget, make_entry
from tests.factories import make_workflow

URL = "/api/admin/audit"


def ids(answer):
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


def test_newest_first(api, adam, alice):
    old = make_entry(actor=alice, ago=5)
    new = make_entry(actor=adam)
    assert ids(api(adam).get(URL)) == [str(new.pk), str(old.pk)]


def test_the_keys(api, adam, alice):
    """security.md 4: no new field leaks by accident."""
    workflow = make_workflow(alice)
    forget()
    entry = make_entry(
        Action.WORKFLOW_CHANGED, actor=alice, obj=workflow, data={"fields": ["name"]}, ip="::1"
    )
    (row,) = api(adam).get(URL).json()["results"]
    assert row == {
        "id": str(entry.pk),
        "at": row["at"],
        "actor": {"id": str(alice.pk), "label": "alice@example.com"},
        "action": "workflow.changed",
        "action_label": "Changed a workflow",
        "object": {"type": "workflow", "id": str(workflow.pk), "label": "Report"},
        "data": {"fields": ["name"]},
        "ip": "::1",
    }
    assert datetime.fromisoformat(row["at"]) == entry.at


def test_nobody_and_nothing(api, adam):
    make_entry(Action.SIGN_IN_FAILED)
    make_entry(Action.SIGN_IN_FAILED, object_label="eve@example.com", actor_label="command line")
    named, bare = api(adam).get(URL).json()["results"]
    assert (bare["actor"], bare["object"]) == (None, None)
    assert named["actor"] == {"id": None, "label": "command line"}
    assert named["object"] == {"type": "", "id": None, "label": "eve@example.com"}


def test_filters_alone_and_together(api, adam, alice, bob):
    workflow = make_workflow(alice, name="Llamas of Peru")
    forget()
    wanted = make_entry(
        Action.WORKFLOW_CHANGED,
        actor=alice,
        obj=workflow,
        ip="203.0.113.9",
        at=datetime(2026, 1, 2, 12, tzinfo=UTC),
    )
    make_entry(Action.SIGNED_IN, actor=bob, obj=bob, ip="198.51.100.7")
    client = api(adam)
    filters = (
        {"actor": "ALICE@"},
        {"actor": str(alice.pk)},
        {"action": "workflow.changed"},
        {"object": "llamas"},
        {"object": str(workflow.pk)},
        {"end": "2026-01-02T13:00:00+00:30"},
        {"start": "2026-01-02", "end": "2026-01-03T00:00:00Z"},
        {"search": "llamas"},
        {"search": "alice"},
        {"search": "203.0.113.9"},
    )
    together = {}
    for one in filters:
        together |= one
        assert ids(client.get(URL, one)) == [str(wanted.pk)], one
        assert ids(client.get(URL, together)) == [str(wanted.pk)], together
    assert ids(client.get(URL, {**together, "actor": "bob@"})) == []
    assert len(ids(client.get(f"{URL}?action=workflow.changed&action=user.signed_in"))) == 2
    assert ids(client.get(URL, {"end": "2026-01-02T13:00:00+01:00"})) == []


def test_a_person_is_found_by_the_address_of_today_and_of_back_then(api, adam, alice):
    make_entry(actor=alice)
    gone = make_entry(actor_id=uuid.uuid4(), actor_label="gone@example.com")
    alice.email = "alicia@example.net"
    alice.save()
    client = api(adam)
    assert len(ids(client.get(URL, {"actor": "alicia@"}))) == 1
    assert ids(client.get(URL, {"actor": "gone@"})) == [str(gone.pk)]
    assert len(ids(client.get(URL, {"actor": "alice@example.com"}))) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"action": "workflow.eaten"}, "invalid_choice"),
        ({"action": "workflow"}, "invalid_choice"),
        ({"start": "yesterday"}, "invalid_moment"),
        ({"end": "0001-01-01T00:00:00+23:59"}, "invalid_moment"),
        ({"actor": "\0"}, "invalid"),
        ({"object": "\0"}, "invalid"),
        ({"search": "x" * 201}, "invalid"),
        ({"user": "x"}, "unknown_filter"),
        ({"limit": "101"}, "invalid_limit"),
        ({"cursor": "x"}, "invalid_cursor"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_what_makes_no_sense_is_refused(api, adam, query, code):
    """security.md 24."""
    answer = api(adam).get(URL, query)
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["code"] == code


def test_an_unknown_action_is_told_the_known_ones(api, adam):
    message = api(adam).get(URL, {"action": "workflow.eaten"}).json()["error"]
    assert all(action in message for action in Action.values)


def test_pages(api, adam, alice):
    entries = [make_entry(actor=alice, ago=number // 2) for number in range(7)]
    expected = sorted(entries, key=lambda entry: (entry.at, entry.pk), reverse=True)
    client, found = api(adam), []
    url = f"{URL}?limit=3&actor={alice.pk}"
    while url:
        answer = client.get(url)
        found += ids(answer)
        url = answer.json()["next"]
    assert found == [str(entry.pk) for entry in expected]


def test_strangers(api, db):
    assert api().get(URL).status_code == 401


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles(api, request, who):
    answer = api(request.getfixturevalue(who)).get(URL)
    assert answer.status_code == 403
    assert answer.json()["code"] == "admin_only"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_changes_an_entry(api, adam, method):
    assert getattr(api(adam), method)(URL, {}).status_code == 405
    assert getattr(api(adam), method)(f"{URL}/{uuid.uuid4()}", {}).status_code == 404


def test_query_count_is_constant(api, adam, alice, bob, django_assert_num_queries):
    client = api(adam)
    make_entry(actor=alice)
    with django_assert_num_queries(2):  # the session, the entries
        client.get(URL)
    for actor in (alice, bob) * 3:
        make_entry(actor=actor, obj=actor)
    with django_assert_num_queries(2):
        assert len(ids(client.get(URL))) == 7
    with django_assert_num_queries(3):  # and the people of that address
        client.get(URL, {"actor": "alice"})
