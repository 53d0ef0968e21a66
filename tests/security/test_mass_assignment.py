"""What only the server decides, posted to every route that writes. security.md 3"""

import pytest

from accounts.models import Session, User
from tests.security.routes import SAFE, rules
from workflows.models import ApiKey, Execution, Workflow

pytestmark = pytest.mark.once
STOLEN = "00000000-0000-4000-8000-000000000000"
FORBIDDEN = {
    "role": "admin",
    "is_staff": True,
    "is_superuser": True,
    "is_active": False,
    "id": STOLEN,
    "pk": STOLEN,
    "email_verified_at": "2026-01-01T00:00:00Z",
    "password_hash": "x",
    "last_four": "0000",
    "ciphertext": "x",
    "cost": "0",
    "digest": "x",
    "created_at": "2001-01-01T00:00:00Z",
    "email_verified": True,
    "lease_owner": "me",
}
# Where one of these is what the operation is for.
MEANT = {
    "/api/admin/users/{user}": {"role", "is_active"},
    "/manage/users/{user}/role": {"role"},
    "/api/keys/{key}": {"is_active"},
}
# Made anew by what some operations are for: a hash, a key of a session, a moment.
NEW_EACH_TIME = {"password", "digest", "email_verified_at"}
FIELDS = {
    User: ("id", "email", "role", "is_active", "password", "email_verified_at", "created_at"),
    Workflow: ("id", "owner_id", "created_at"),
    Execution: ("id", "user_id", "status", "cost", "lease_owner"),
    ApiKey: ("id", "user_id", "last_four", "ciphertext", "is_active", "created_at"),
    Session: ("id", "user_id", "digest", "kind"),
}


def rows(model):
    return {
        row["id"]: {k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()}
        for row in model.objects.values(*FIELDS[model])
    }


def owner_fields(world):
    """Someone else, by every name that a field for the owner could have."""
    admin = str(world.people["admin"].pk)
    return dict.fromkeys(("owner", "owner_id", "user", "user_id", "actor", "created_by"), admin)


@pytest.mark.parametrize("kind", ["pages", "api"])
def test_what_only_the_server_sets_is_refused_or_ignored(world, kind, monkeypatch):
    """security.md 3: role, is_staff, owner, user, status, id and their like, everywhere."""
    before = {model: rows(model) for model in FIELDS}
    seen = {}

    def look():
        seen.update({model: rows(model) for model in FIELDS})

    extra = {**FORBIDDEN, **owner_fields(world), "status": "completed"}
    taken = []
    for rule in rules(kind):
        if rule.method in SAFE:
            continue
        role = "admin" if rule.path.startswith(("/manage/", "/api/admin/")) else "owner"
        body = world.body(rule, role)
        added = {k: v for k, v in extra.items() if k not in body}
        for name in MEANT.get(rule.path, ()):
            added.pop(name, None)
        response = world.ask(rule, role, body={**added, **body}, then=look)
        assert response.status_code < 500, rule
        plain = {}
        world.ask(
            rule,
            role,
            body=body,
            then=lambda plain=plain: plain.update({model: rows(model) for model in FIELDS}),
        )
        for model in FIELDS:
            for pk, row in seen[model].items():
                wanted = plain[model].get(pk) or before[model].get(pk)
                if wanted is None:
                    bad = _stolen(row, world)
                elif response.status_code >= 400:
                    bad = {k for k in row if row[k] != before[model].get(pk, row)[k]}
                else:
                    bad = {k for k in row if row[k] != wanted[k] and k not in NEW_EACH_TIME}
                if bad:
                    taken.append(f"{rule.method} {rule.path}: {model.__name__} {sorted(bad)}")
    assert not taken, "\n".join(taken)


def _stolen(row, world):
    """Which values of a new row are those that were posted."""
    admin = world.people["admin"].pk
    wrong = {name for name in ("owner_id", "user_id") if row.get(name) == admin}
    wrong |= {"id"} if str(row["id"]) == STOLEN else set()
    wrong |= {name for name in ("role",) if row.get(name) == "admin"}
    wrong |= {"status"} if row.get("status") == "completed" else set()
    wrong |= {"email_verified_at"} if row.get("email_verified_at") else set()
    return wrong
