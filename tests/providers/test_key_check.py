"""What a test of a key says, for each protocol and each thing that can be wrong."""

import logging
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.providers.conftest import CANARY
from tests.providers.wire import response, serving
from workflows.providers import Credential, addresses, key_check
from workflows.providers.key_check import check_key

PROJECT = Path(__file__).resolve().parents[2]
NAMES = {
    "openai": "OpenAI",
    "custom": "The server at 127.0.0.1",
    "anthropic": "Anthropic",
}
LIST = '{"data": [{"id": "a"}, {"id": "b"}]}'


@pytest.fixture
def check(llmock):
    """`check(provider)` tests the canary key at the mock, or at another address."""

    def run(provider, base_url=""):
        return check_key(provider, Credential(CANARY, base_url or llmock.base_url(provider)))

    return run


def test_a_key_that_works(llmock, check, provider):
    found = check(provider)

    assert (found.ok, found.code) == (True, "ok")
    count = 5 if provider == "anthropic" else 7
    assert found.message == f"The key works. {NAMES[provider]} shows it {count} models."
    [request] = llmock.requests()
    path = "/anthropic/v1/models" if provider == "anthropic" else "/v1/models"
    assert (request["method"], request["path"]) == ("GET", path)


def test_the_providers_own_address_is_asked(llmock, provider, monkeypatch):
    monkeypatch.setitem(addresses.BASE_URLS, provider, llmock.base_url(provider))
    assert check_key(provider, Credential(CANARY)).ok


def test_the_key_goes_where_the_protocol_has_it(provider):
    with serving(response(LIST)) as (url, heads):
        found = check_key(provider, Credential(CANARY, url))
    assert found.message.endswith("shows it 2 models.")
    expected = f"x-api-key: {CANARY}" if provider == "anthropic" else f"Bearer {CANARY}"
    assert expected.encode() in heads[0]
    assert (b"anthropic-version: 2023-06-01" in heads[0]) is (provider == "anthropic")


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (400, "bad_request", "refuses the question for its models (400)."),
        (401, "authentication", "refuses the key: it is wrong, incomplete or revoked."),
        (402, "quota", "says that the account has no credit left"),
        (403, "permission", "knows the key but does not let it list models."),
        (408, "unavailable", "has a problem of its own (408)."),
        (500, "unavailable", "has a problem of its own (500)."),
        (503, "unavailable", "has a problem of its own (503)."),
        (529, "unavailable", "has a problem of its own (529)."),
    ],
)
def test_refusals(llmock, check, provider, status, code, sentence):
    llmock.fail(status)

    found = check(provider)

    assert (found.ok, found.code) == (False, code)
    assert f"{NAMES[provider]} {sentence}" in found.message


def test_too_many_requests(llmock, check, provider):
    llmock.fail(429, retry_after=7)
    found = check(provider)
    assert (found.ok, found.code) == (False, "rate_limited")
    assert found.message.endswith("so the key was not tested. Try again in 7 seconds.")


@pytest.mark.parametrize("wait", ["soon", "", "-1", "99999999999"])
def test_a_nonsensical_wait_is_not_repeated(provider, wait):
    with serving(response(status="429 No", Retry_After=wait)) as (url, _):
        found = check_key(provider, Credential(CANARY, url))
    assert found.message.endswith("Try again in a minute.")


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_error"])
def test_an_empty_account(llmock, check, provider, code):
    llmock.fail(429, code=code)
    assert check(provider).code == "quota"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_a_list(llmock, check, provider, status):
    llmock.fail(status)
    found = check(provider)
    if provider == "custom":
        assert (found.ok, found.code) == (True, "unverified")
        assert "lists no models; whether the key is right shows with the first call" in (
            found.message
        )
    else:
        assert not found.ok


@pytest.mark.parametrize(
    "body", ["<html>", "", "{}", '{"data": 5}', "null", '"x"', "[" * 100_000, "\xff"]
)
def test_another_protocol(provider, body):
    with serving(response(body)) as (url, _):
        found = check_key(provider, Credential(CANARY, url))
    assert (found.ok, found.code) == (False, "not_protocol")
    assert "something else than a list of models" in found.message


def test_a_bare_list_is_a_list(provider):
    with serving(response('[{"id": "a"}]')) as (url, _):
        assert check_key(provider, Credential(CANARY, url)).message.endswith("shows it 1 model.")


def test_no_http_at_all(provider):
    with serving(b"SSH-2.0-OpenSSH_9.2\r\n") as (url, _):
        found = check_key(provider, Credential(CANARY, url))
    assert (found.ok, found.code) == (False, "not_protocol")


def test_no_tls_where_it_should_be(provider):
    with serving(response(LIST)) as (url, _):
        found = check_key(provider, Credential(CANARY, url.replace("http:", "https:")))
    assert (found.ok, found.code) == (False, "tls")


def test_a_redirect_is_not_followed(provider):
    answer = response("", "302 Found", Location="http://127.0.0.1:9/")
    with serving(answer) as (url, heads):
        found = check_key(provider, Credential(CANARY, url))
    assert (found.ok, found.code) == (False, "redirect")
    assert len(heads) == 1


def test_nobody_answers(provider):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    found = check_key(provider, Credential(CANARY, f"http://127.0.0.1:{port}/v1"))
    assert (found.ok, found.code) == (False, "unreachable")
    assert found.message.startswith("127.0.0.1 cannot be reached.")


def test_a_name_that_nobody_has(check, provider):
    found = check(provider, "https://no-such-host.invalid/v1")
    assert (found.ok, found.code) == (False, "unreachable")


def test_silence_is_not_waited_out(llmock, check, provider, monkeypatch):
    monkeypatch.setattr(key_check, "TIMEOUT", 0.3)
    llmock.delay(1)
    found = check(provider)
    assert (found.ok, found.code) == (False, "timeout")
    assert found.message.startswith("127.0.0.1 did not answer within 0.3 seconds.")


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/v1", "http://169.254.169.254/v1", "https://[::1]/v1"]
)
def test_the_guard_stands_before_it(check, provider, url):
    found = check(provider, url)
    assert (found.ok, found.code) == (False, "outbound_refused")
    assert "ALLOWED_PRIVATE_HOSTS" in found.message


def test_a_name_that_leads_inside_is_refused(check, provider, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    assert check(provider, "https://localhost:9/v1").code == "outbound_refused"


def test_a_list_without_end_is_cut(provider, monkeypatch):
    monkeypatch.setattr(key_check, "MAX_BYTES", 1000)
    with serving(response('{"data": [' + " " * 2000 + "]}")) as (url, _):
        found = check_key(provider, Credential(CANARY, url))
    assert (found.ok, found.code) == (False, "outbound_refused")


@pytest.mark.parametrize("status", ["200 OK", "401 No", "429 No", "500 No"])
def test_the_key_is_in_no_sentence_and_no_log(provider, status, caplog):
    """Also where a server repeats it. security.md 14."""
    caplog.set_level(logging.DEBUG)
    body = f'{{"error": {{"message": "wrong key {CANARY}", "code": "{CANARY}"}}}}'
    with serving(response(body, status)) as (url, _):
        found = check_key(provider, Credential(CANARY, url))
    assert CANARY not in found.message + found.code
    assert CANARY not in caplog.text


def test_the_web_process_loads_no_sdk_for_it():
    check = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'hummbl.settings';"
        "import django; django.setup();"
        "from workflows.providers import Credential, key_check;"
        "key_check.check_key('custom', Credential('sk-12345678', 'http://127.0.0.1:9/v1'));"
        "print([m for m in ('openai', 'anthropic', 'pydantic_ai') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
