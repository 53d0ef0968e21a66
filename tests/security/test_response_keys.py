"""The keys of every answer of the API, pinned. security.md 4

`response_keys.json` has them. A new field is added there on purpose, by
`UPDATE_RESPONSE_KEYS=1 pytest tests/security/test_response_keys.py`, and shows in the diff.
"""

import json
import os
from pathlib import Path

import pytest
from django.http import StreamingHttpResponse

from tests.security.routes import rules

pytestmark = pytest.mark.once
SNAPSHOT = Path(__file__).with_name("response_keys.json")
# Below these, keys are data: names of models, statuses, what a user typed.
OPEN = {"input_schema", "example_input", "input", "details", "data", "by_status", "workflows"}


def keys_of(value, path=""):
    """Every key in an answer, as `results[].owner.id`."""
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item, f"{path}[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            name = f"{path}.{key}" if path else key
            yield name
            if key not in OPEN:
                yield from keys_of(inner, name)


def answers(world):
    """The keys of what the owner, or else an admin, gets from each operation."""
    for rule in rules("api"):
        role = "owner" if rule.statuses["owner"].startswith("2") else "admin"
        response = world.ask(rule, role)
        kind = response.get("Content-Type", "").partition(";")[0]
        name = f"{rule.method} {rule.path}"
        if isinstance(response, StreamingHttpResponse) or kind != "application/json":
            yield name, kind or "nothing"
        elif rule.path != "/api/workflows/schema":
            yield name, sorted(set(keys_of(response.json())))


def test_no_field_leaks_by_accident(world):
    """security.md 4: an answer has the keys that it had, no more and no fewer."""
    found = dict(answers(world))
    if os.environ.get("UPDATE_RESPONSE_KEYS"):
        SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n")
    pinned = json.loads(SNAPSHOT.read_text())
    changes = []
    for name in sorted(found.keys() | pinned.keys()):
        new, old = found.get(name, "no such route"), pinned.get(name, "not pinned")
        if new != old:
            more = sorted(set(new) - set(old)) if isinstance(new, list) else new
            fewer = sorted(set(old) - set(new)) if isinstance(old, list) else old
            changes.append(f"{name}: new {more}, gone {fewer}")
    assert not changes, "\n".join(["", *changes, __doc__.partition("\n\n")[2]])


def test_no_answer_has_a_key_for_a_secret(world):
    """security.md 4, 14: but for the answers that give one to who asked for it."""
    secret = {"password", "digest", "ciphertext", "secret", "key", "is_staff", "jti"}
    for name, keys in json.loads(SNAPSHOT.read_text()).items():
        leaves = {key.rpartition(".")[2] for key in keys} if isinstance(keys, list) else set()
        # An agent of a document names the key that pays, which is no secret.
        shown = {"key"} if any(key.endswith("agents[].key") for key in keys) else set()
        # What signs for a webhook is shown to who made the channel, once.
        shown |= {"secret"} if name == "POST /api/channels" else set()
        assert not leaves & secret - shown, name
        tokens = {"POST /api/auth/login", "POST /api/auth/register", "POST /api/auth/tokens"}
        assert "token" not in leaves or name in tokens, name
