"""/manage/users"""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Session
from tests.factories import make_user

URL = "/manage/users"


@pytest.fixture
def admin(client, adam):
    """Adam's browser."""
    client.force_login(adam)
    return client


def shown(response):
    assert response.status_code == 200
    return [user for user, _ in response.context["rows"]]


def test_everybody_newest_first(admin, adam, alice, vera):
    Session.open(alice, ip=None, user_agent="")
    response = admin.get(URL)
    assert shown(response) == [vera, alice, adam]
    assert [count for _, count in response.context["rows"]] == [0, 1, 1]
    page = response.content.decode()
    assert f'href="/manage/users/{alice.pk}"' in page
    assert page.count('<span class="chip plain">You</span>') == 1


def test_filters(admin, adam, alice, bob, vera):
    bob.is_active = False
    bob.save()
    assert shown(admin.get(URL, {"search": "ALICE"})) == [alice]
    assert shown(admin.get(URL, {"search": "bob@"})) == [bob]
    assert shown(admin.get(URL, {"role": "viewer"})) == [vera]
    assert shown(admin.get(URL, {"is_active": "false"})) == [bob]
    assert shown(admin.get(URL, {"is_active": "true", "role": "user"})) == [alice]


@pytest.mark.parametrize(
    "query",
    [{"role": "x"}, {"is_active": "x"}, {"search": "\0"}, {"cursor": "x"}],
    ids=["role", "is_active", "nul", "cursor"],
)
def test_what_makes_no_sense_is_left_out(admin, adam, alice, query):
    assert shown(admin.get(URL, query)) == [alice, adam]


def test_goes_on_by_cursor(admin, adam):
    made = [make_user(f"{number}@example.com") for number in range(25)][::-1]
    response = admin.get(URL)
    assert shown(response) == made
    assert shown(admin.get(URL, {"cursor": response.context["slice"].next})) == [adam]


def test_htmx_gets_the_table_alone(admin):
    response = admin.get(URL, {"search": "adam", "role": ""}, HTTP_HX_REQUEST="true")
    assert "<html" not in response.content.decode()
    assert response["HX-Push-Url"] == f"{URL}?search=adam"


def test_nobody_matches(admin):
    assert "Nobody matches" in admin.get(URL, {"search": "x y z"}).content.decode()


def test_names_are_escaped(admin):
    make_user("eve@example.com", name="<script>alert(1)</script>")
    assert "<script>alert" not in admin.get(URL).content.decode()


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(client, request, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get(URL).status_code == 403


def test_strangers_sign_in_first(client, db):
    assert client.get(URL)["Location"] == f"/signin?next={URL}"


def test_other_methods_are_refused(admin):
    assert admin.post(URL).status_code == 405


def test_looking_needs_no_recent_sign_in(admin, adam):
    adam.sessions.update(authenticated_at=timezone.now() - timedelta(hours=1))
    assert admin.get(URL).status_code == 200


def test_queries_do_not_grow_with_rows(admin, django_assert_num_queries):
    with django_assert_num_queries(4):  # the session, the user; the rows, their sessions
        admin.get(URL)
    for number in range(6):
        Session.open(make_user(f"{number}@example.com"), ip=None, user_agent="")
    with django_assert_num_queries(4):
        admin.get(URL)
