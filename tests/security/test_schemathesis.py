"""Schemathesis against the live schema: whatever is sent, no 5xx, and answers are as described.

Bounded and repeatable here. `SCHEMATHESIS_EXAMPLES=500 pytest tests/security/test_schemathesis.py`
looks longer, and elsewhere each time.
"""

import os
import re
from collections import Counter

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import ignored_auth
from schemathesis.transport.wsgi import WSGI_TRANSPORT
from werkzeug.test import Client

from hummbl import cache

pytestmark = [pytest.mark.once, pytest.mark.slow]
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "0"))
QUICK = 4
ROLES = ("anonymous", "owner", "admin")
# An answer that does not end.
LEFT_OUT_PATHS = {"/api/executions/{id}/stream"}
# That every operation wants its credentials, the matrix of routes proves.
LEFT_OUT_CHECKS = [ignored_auth]
# No request is wrong: the first says of a wrong document that it is wrong, in a 200, and any text
# may be the name of a template.
NEVER_WRONG = {"/api/workflows/validate", "/api/templates/{slug}"}


@pytest.fixture
def application(world):
    """The application, which leaves the test its connection as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_every_answer_is_as_the_schema_says(world, application):
    """API8, API10: no 5xx, no undocumented status, type or body, for nobody, a user and an admin.

    Wrong requests are refused, too: what contradicts the schema never gets a 2xx.
    """
    config = SchemathesisConfig.from_path(django_settings.BASE_DIR / "scan/schemathesis.toml")
    schema = schemathesis.openapi.from_wsgi("/api/schema", application, config=config)
    client, counts, failures = Client(application), Counter(), []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in LEFT_OUT_PATHS:
            continue
        takes_something = operation.body or operation.query or operation.path_parameters
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            wrong = mode is GenerationMode.NEGATIVE
            if not wrong or (takes_something and operation.path not in NEVER_WRONG):
                try:
                    _try(world, client, operation, mode, counts)
                except FailureGroup as error:
                    failures.append(f"{operation.label}, {mode.value}: {error}")
    print(f"\n{counts.total()} cases: {dict(sorted(counts.items()))}")
    assert not failures, "\n\n".join(failures)


def _try(world, client, operation, mode, counts):
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES or QUICK,
        derandomize=not EXAMPLES,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case):
        if mode is GenerationMode.POSITIVE:
            # Made-up ids would meet a 404 and nothing else.
            case.path_parameters = {**(case.path_parameters or {}), **_ids(world, operation.path)}
        for role in ROLES:
            token = world.tokens.get(role)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            with transaction.atomic():
                # Not `case.call`, which asks in a thread: the world is in a transaction here.
                response = client.open(**WSGI_TRANSPORT.serialize_case(case, headers=headers))
                transaction.set_rollback(True)
            cache.clear()
            counts[response.status_code] += 1
            case.validate_response(response, excluded_checks=LEFT_OUT_CHECKS)

    ask()


def _ids(world, path):
    """Parameters of the path that name something that there is."""
    kind = re.match(r"/api/(?:admin/|auth/)?(\w+)s/\{id\}", path)
    found = {"id": str(world.ids[kind[1]])} if kind else {}
    if "{number}" in path:
        found["number"] = 1
    if "{other}" in path:
        found["other"] = 2
    return found
