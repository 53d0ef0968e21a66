"""GET and PATCH /api/auth/me."""

import pytest

URL = "/api/auth/me"


def test_who_is_signed_in(api, alice):
    """Security checklist line 4: these keys and no others."""
    answer = api(alice).get(URL)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(alice.pk),
        "email": "alice@example.com",
        "name": "Alice Example",
        "role": "user",
        "is_active": True,
        "created_at": alice.created_at.isoformat().replace("+00:00", "Z"),
        "last_login_at": None,
    }


def test_a_new_name(api, alice):
    answer = api(alice).patch(URL, {"name": "  Alice Ex  "})

    assert answer.status_code == 200
    assert answer.json()["name"] == "Alice Ex"
    alice.refresh_from_db()
    assert alice.name == "Alice Ex"


def test_a_viewer_may_change_the_own_name(api, vera):
    assert api(vera).patch(URL, {"name": "V"}).status_code == 200


def test_nothing_to_change(api, alice):
    assert api(alice).patch(URL, {}).json()["name"] == "Alice Example"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("role", "admin", "read_only"),
        ("is_active", True, "read_only"),
        ("email", "eve@example.com", "read_only"),
        ("id", "0", "read_only"),
        ("is_staff", True, "unknown_field"),
        ("is_superuser", True, "unknown_field"),
        ("password", "x", "unknown_field"),
    ],
)
def test_everything_else_is_refused(api, alice, field, value, code):
    """Security checklist line 3."""
    answer = api(alice).patch(URL, {"name": "changed", field: value})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == field
    assert answer.json()["details"]["errors"][0]["code"] == code
    alice.refresh_from_db()
    assert (alice.name, alice.role) == ("Alice Example", "user")


@pytest.mark.parametrize("name", [None, 7, True, [], "x" * 151])
def test_bad_names(api, alice, name):
    assert api(alice).patch(URL, {"name": name}).status_code == 400


def test_anonymous(api, db):
    assert api().get(URL).status_code == 401
    assert api().patch(URL, {"name": "x"}).status_code == 401


@pytest.mark.parametrize("method", ["put", "post", "delete"])
def test_other_methods(api, alice, method):
    assert getattr(api(alice), method)(URL).status_code == 405
