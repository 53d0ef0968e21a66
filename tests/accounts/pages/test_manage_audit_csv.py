"""/manage/audit.csv"""

import csv
import io

import pytest

from accounts.models import Action
from tests.accounts.entries import make_entry, recorded

URL = "/manage/audit.csv"


def test_what_the_page_shows_as_a_file(browse, adam, alice, bob):
    make_entry(Action.KEY_CREATED, actor=alice)
    make_entry(Action.KEY_DELETED, actor=alice)
    make_entry(Action.SIGNED_IN, actor=alice)
    make_entry(Action.KEY_CREATED, actor=bob)
    answer = browse(adam).get(URL, {"action": "key.*", "actor": "alice@", "until": "x"})
    text = answer.getvalue().decode("utf-8-sig")
    found = [row["action"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert found == ["key.deleted", "key.created"]
    assert "attachment" in answer["Content-Disposition"]
    ((_, who, _, data),) = recorded(action="audit.exported")
    assert who == "adam@example.com"
    assert data["filters"]["actor"] == "alice@"


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, who):
    assert browse(request.getfixturevalue(who)).get(URL).status_code == 403
    assert recorded(action="audit.exported") == []


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"


def test_other_methods(browse, adam):
    assert browse(adam).post(URL).status_code == 405
