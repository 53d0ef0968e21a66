"""security.md 16: nothing secret leaves for Sentry."""

import json
import logging
import subprocess
import sys
from typing import ClassVar

import pytest
import sentry_sdk
from django.conf import settings
from django.urls import path
from sentry_sdk.transport import Transport

from hummbl import sentry

CANARY = "sk-canary0123456789"
LOCALS_CANARY = "local-canary"

logger = logging.getLogger("tests.sentry")


class Collector(Transport):
    """A transport that keeps what it is given."""

    sent: ClassVar[list[str]] = []

    def capture_envelope(self, envelope):
        self.sent.append(envelope.serialize().decode())


def broken_page(request):
    raise RuntimeError("broken")


urlpatterns = [path("break", broken_page)]


@pytest.fixture
def sent():
    """What would have gone to Sentry, as text."""
    Collector.sent.clear()
    sentry.init(
        "https://public@sentry.example.org/1",
        environment="test",
        release="1",
        transport=Collector,
    )
    with sentry_sdk.isolation_scope():
        yield Collector.sent
    sentry_sdk.get_client().close()
    sentry_sdk.init()


def fail(hidden):
    raise RuntimeError(f"The provider refused {CANARY}")


def test_a_canary_is_in_no_event(sent):
    sentry_sdk.add_breadcrumb(
        category="http", data={"url": f"https://u:{CANARY}@h/?key={CANARY}", "api_key": CANARY}
    )
    sentry_sdk.set_tag("called", f"Bearer {CANARY}")
    sentry_sdk.set_extra(
        "headers", {"Authorization": "plain-canary", "deep": [{"token": "canary"}]}
    )
    sentry_sdk.set_context(
        "request", {"cookies": "sessionid=canary", "list": [["Cookie", "canary"]]}
    )
    logger.warning("trying %s", CANARY)
    try:
        fail(LOCALS_CANARY)
    except RuntimeError:
        logger.exception("failed with %s", CANARY, extra={"password": "canary"})
    sentry_sdk.flush()
    text = "".join(sent)
    assert "RuntimeError" in text
    # Stack frames quote source lines, and this file's hold the canary's parts.
    for secret in (CANARY, LOCALS_CANARY, "plain-canary", '"token":"canary"', '"canary"]'):
        assert secret not in without_source(text)


def without_source(text):
    """The envelope without the quoted lines of this file."""

    def strip(value):
        if isinstance(value, dict):
            hidden = {"pre_context", "context_line", "post_context"}
            return {k: strip(v) for k, v in value.items() if k not in hidden}
        return [strip(item) for item in value] if isinstance(value, list) else value

    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return json.dumps(strip(lines), separators=(",", ":"))


def test_an_event_has_no_user_and_no_body(sent, db, client, settings):
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False
    client.cookies["sessionid"] = "canary-session"
    client.post(
        "/break?token=canary-query",
        {"note": "canary-body"},
        headers={"Authorization": "Bearer canary-header-0123456789"},
    )
    sentry_sdk.flush()
    text = without_source("".join(sent))
    assert "broken" in text
    assert "canary" not in text


def test_the_options_that_leak_are_off(sent):
    options = sentry_sdk.get_client().options
    assert options["auto_enabling_integrations"] is False
    assert options["include_local_variables"] is False
    assert options["data_collection"]["user_info"] is False
    assert options["data_collection"]["cookies"]["mode"] == "off"
    assert options["data_collection"]["gen_ai"] == {"inputs": False, "outputs": False}
    assert options["max_request_body_size"] == "never"


def test_without_a_dsn_the_sdk_is_not_even_imported():
    code = (
        "import sys; from hummbl import sentry; sentry.init('', environment='e', release='r'); "
        "sys.exit('sentry_sdk' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=settings.BASE_DIR)


def test_with_a_dsn_no_provider_sdk_is_imported():
    code = (
        "import sys; from hummbl import sentry; "
        "sentry.init('https://p@sentry.example.org/1', environment='e', release='r'); "
        "sys.exit(bool({'openai', 'anthropic', 'pydantic_ai'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=settings.BASE_DIR)
