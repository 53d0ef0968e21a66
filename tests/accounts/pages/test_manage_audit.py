"""/manage/audit"""

import uuid

import pytest

from accounts.models import Action
from tests.accounts.entries import forget, make_entry
from tests.factories import make_user, make_workflow
from tests.workflows.pages.runs import make_run

URL = "/manage/audit"


def shown(response):
    assert response.status_code == 200
    return [row.entry for row in response.context["rows"]]


def test_newest_first_in_words(browse, adam, alice):
    run = make_run(alice)
    forget()
    failed = make_entry(Action.SIGN_IN_FAILED, object_label="eve@example.com", ip="::1", ago=2)
    started = make_entry(Action.EXECUTION_STARTED, actor=alice, obj=run, object_label="Report")
    response = browse(adam).get(URL)
    assert shown(response) == [started, failed]
    body = response.content.decode()
    assert "Started an execution" in body
    assert f'href="/executions/{run.pk}">Report</a>' in body
    assert f'href="{URL}?actor=alice%40example.com"' in body
    assert "eve@example.com" in body
    assert "::1" in body


def test_links_lead_to_what_is_still_there(browse, adam, alice):
    kept, gone = make_workflow(alice, name="Kept"), make_workflow(alice, name="Gone")
    address = f"/workflows/{gone.pk}"
    gone.delete(by=alice)
    body = browse(adam).get(URL).content.decode()
    assert f'href="/workflows/{kept.pk}"' in body
    assert f'href="{address}"' not in body
    assert "Gone" in body


def test_details_in_words(browse, adam, alice):
    make_entry(
        Action.WORKFLOW_CHANGED,
        actor=alice,
        data={"fields": ["name", "status"], "version": 3, "is_last": True, "none": []},
    )
    response = browse(adam).get(URL)
    (row,) = response.context["rows"]
    details = [("Fields", "name, status"), ("Is last", "Yes"), ("None", "–"), ("Version", "3")]
    assert row.details == details


def test_filters(browse, adam, alice, bob):
    workflow = make_workflow(alice, name="Llamas")
    forget()
    wanted = make_entry(Action.WORKFLOW_CHANGED, actor=alice, obj=workflow, ago=60 * 24 * 3)
    other = make_entry(actor=bob)
    client = browse(adam)
    until = wanted.at.date().isoformat()
    for query in (
        {"actor": "alice@"},
        {"actor": str(alice.pk)},
        {"action": "workflow.changed"},
        {"action": "workflow.*"},
        {"object": "llama"},
        {"object": str(workflow.pk)},
        {"until": until},
        {"since": until, "until": until},
    ):
        response = client.get(URL, query)
        assert shown(response) == [wanted], query
        assert response.context["filtered"]
    assert shown(client.get(URL, {"since": other.at.date().isoformat()})) == [other]
    assert shown(client.get(URL, {"action": "key.*"})) == []


@pytest.mark.parametrize(
    "query",
    [
        *({"action": "x"}, {"action": "x.*"}, {"actor": "\0"}, {"object": "\0"}, {"since": "x"}),
        *({"until": "9999-12-31"}, {"cursor": "x"}),
    ],
    ids=["action", "group", "actor", "object", "since", "last-day", "cursor"],
)
def test_what_makes_no_sense_is_left_out(browse, adam, alice, query):
    entry = make_entry(actor=alice)
    assert shown(browse(adam).get(URL, query)) == [entry]


def test_the_file_has_the_same_filters(browse, adam):
    body = browse(adam).get(URL, {"actor": "a&b", "action": "key.*"}).content.decode()
    assert 'href="/manage/audit.csv?actor=a%26b&amp;action=key.%2A"' in body
    assert 'href="/manage/audit.csv"' in browse(adam).get(URL).content.decode()


def test_htmx_gets_the_table_alone(browse, adam, alice, fragment):
    make_entry(actor=alice)
    response = browse(adam).get(URL, {"actor": "alice", "object": ""}, **fragment)
    body = response.content.decode()
    assert "<html" not in body
    assert 'href="/manage/audit.csv?actor=alice"' in body
    assert response["HX-Push-Url"] == f"{URL}?actor=alice"


def test_pages(browse, adam, alice):
    for number in range(30):
        make_entry(actor=alice, ago=number)
    client = browse(adam)
    first = client.get(URL)
    assert len(shown(first)) == 25
    cursor = first.context["slice"].next
    assert len(shown(client.get(URL, {"cursor": cursor}))) == 5


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, who):
    response = browse(request.getfixturevalue(who)).get(URL)
    assert response.status_code == 403
    assert "Only administrators see this page." in response.content.decode()


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nothing_changes_an_entry(browse, adam, method):
    assert getattr(browse(adam), method)(URL).status_code == 405
    assert getattr(browse(adam), method)(f"{URL}/{uuid.uuid4()}").status_code == 404


def test_empty_states(browse, adam):
    client = browse(adam)
    assert "Nothing has happened yet" in client.get(URL).content.decode()
    assert "Nothing matches" in client.get(URL, {"object": "x"}).content.decode()


def test_names_are_escaped(browse, adam):
    make_entry(object_label="<script>alert(1)</script>", data={"<b>": "<img src=x>"})
    body = browse(adam).get(URL).content.decode()
    assert "<script>alert" not in body
    assert "<img" not in body
    assert "<b>" not in body


def test_queries_do_not_grow_with_rows(browse, adam, django_assert_num_queries):
    def add(name):
        user = make_user(f"{name}@example.com")
        run = make_run(user)
        for obj in (user, run, run.workflow):
            make_entry(actor=user, obj=obj)

    client = browse(adam)
    add("one")
    with django_assert_num_queries(6):  # the session, the user; the entries; three kinds of links
        client.get(URL)
    add("two")
    add("three")
    with django_assert_num_queries(6):
        client.get(URL)
