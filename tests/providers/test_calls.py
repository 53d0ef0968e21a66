"""Calls through the real SDKs to a real server that speaks the providers' protocols."""

import asyncio
import logging
import traceback
from decimal import Decimal

import pytest

from tests.providers.conftest import CANARY, MODELS, ask
from tests.providers.wire import ask_server, chunk, failure, stream
from workflows import providers
from workflows.providers import CompletionRequest, Credential

# --- Success ------------------------------------------------------------------------------------


def test_an_answer_arrives_in_pieces_and_whole(llmock, make_request, provider):
    llmock.reply("Hello to all of you.")
    pieces = []
    completion = ask(make_request(provider), on_delta=pieces.append)
    assert completion.text == "".join(pieces) == "Hello to all of you."
    assert len(pieces) > 1
    assert completion.finish_reason == "stop"
    assert completion.model == MODELS[provider]
    assert completion.input_tokens > 0
    assert completion.output_tokens > 0
    assert completion.latency > 0


def test_the_question_is_passed_on(llmock, make_request):
    ask(make_request())
    [request] = llmock.requests()
    assert request["path"] == "/v1/chat/completions"
    body = request["body"]
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say hello."},
    ]
    assert (body["model"], body["temperature"]) == ("gpt-4.1-mini", 0.3)
    assert body["stream"] is True
    assert body["max_completion_tokens"] == 50


def test_without_instructions_there_is_no_system_message(llmock, make_request):
    ask(make_request(instructions=""))
    [request] = llmock.requests()
    assert [message["role"] for message in request["body"]["messages"]] == ["user"]


def test_the_cost_comes_from_the_tokens(make_request):
    completion = ask(make_request("openai", model="gpt-4.1-mini"))
    cost = completion.input_tokens * Decimal("0.4") + completion.output_tokens * Decimal("1.6")
    assert completion.cost == cost / 1_000_000


def test_the_cost_of_a_custom_model_is_unknown(make_request):
    assert ask(make_request("custom")).cost is None


def test_custom_servers_get_the_older_name_of_the_limit(llmock, make_request):
    ask(make_request("custom"))
    [request] = llmock.requests()
    assert request["body"]["max_tokens"] == 50
    assert "max_completion_tokens" not in request["body"]


@pytest.mark.parametrize("name", ["openai", "custom"])
@pytest.mark.parametrize("model", ["gpt-5", "gpt-5-mini", "o3", "o4-mini", "gpt-6-luna"])
def test_thinking_models_get_no_temperature(llmock, make_request, name, model):
    ask(make_request(name, model=model))
    [request] = llmock.requests()
    assert "temperature" not in request["body"]
    assert request["body"]["max_completion_tokens"] == 50


def test_a_claude_that_refuses_a_temperature_gets_none(llmock, make_request):
    ask(make_request("anthropic", model="claude-opus-5-5"))
    [request] = llmock.requests()
    assert "temperature" not in request["body"]


def test_an_answer_cut_at_the_limit_is_a_success_that_says_so(llmock, make_request, provider):
    llmock.reply("Once upon", finish_reason="length")
    completion = ask(make_request(provider))
    assert (completion.text, completion.finish_reason) == ("Once upon", "length")


def test_what_databases_cannot_store_is_removed(make_request):
    answer = stream(
        chunk("a\\u0000b"),
        chunk("\\ud83d\\ude00 é"),
        chunk("\\ud83d"),
        chunk("", '"stop"'),
        "[DONE]",
    )
    completion, _ = ask_server(answer, make_request)
    assert completion.text == "ab😀 é\N{REPLACEMENT CHARACTER}"


def test_a_server_that_reports_no_usage_has_no_known_cost(make_request):
    completion, _ = ask_server(stream(chunk("Hi", '"stop"'), "[DONE]"), make_request)
    assert (completion.text, completion.cost) == ("Hi", None)


def test_many_calls_at_once(llmock, make_request):
    async def run():
        try:
            return await asyncio.gather(*(providers.complete(make_request()) for _ in range(150)))
        finally:
            await providers.close()

    assert len(asyncio.run(run())) == 150


# --- Keys and addresses -------------------------------------------------------------------------


@pytest.mark.parametrize("credential", [None, Credential("")])
def test_without_a_key_nothing_is_called(llmock, make_request, provider, credential):
    error = failure(make_request(provider, credential=credential))
    assert error.code == "authentication"
    assert "under Keys" in error.message
    assert llmock.requests() == []


def test_a_custom_key_needs_an_address(make_request):
    error = failure(make_request("custom", credential=Credential(CANARY)))
    assert (error.code, error.retryable) == ("bad_request", False)
    assert "base URL" in error.message


@pytest.mark.parametrize("url", ["https://10.0.0.1/v1", "http://169.254.169.254/v1"])
def test_the_guard_stands_before_every_provider(make_request, provider, url):
    error = failure(make_request(provider, base_url=url))
    assert (error.code, error.retryable) == ("outbound_refused", False)
    assert "ALLOWED_PRIVATE_HOSTS" in error.message


def test_a_cancelled_call_is_cancelled_and_leaves_the_rest_alone(llmock, make_request):
    async def run():
        arrived = asyncio.Event()

        async def never_answer(reader, writer):
            arrived.set()
            await reader.read()
            writer.close()

        async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            request = make_request(base_url=f"http://127.0.0.1:{port}/v1")
            stalled = asyncio.create_task(providers.complete(request))
            await arrived.wait()
            stalled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stalled
        completion = await providers.complete(make_request())
        await providers.close()
        return completion

    assert asyncio.run(run()).finish_reason == "stop"


# --- Secrets and surroundings -------------------------------------------------------------------


def test_the_environment_has_no_say(llmock, make_request, monkeypatch):
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "ambient-value")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Ambient: ambient-value")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9/")
    _, [head] = ask_server(stream(chunk("Hi", '"stop"'), "[DONE]"), make_request)
    assert b"ambient-value" not in head
    assert f"Bearer {CANARY}".encode() in head


def test_anthropic_ignores_the_environment_too(make_request, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "ambient-value")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Ambient: ambient-value")
    _, [head] = ask_server(
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", make_request, "anthropic"
    )
    assert b"ambient-value" not in head
    assert CANARY.encode() in head


def test_the_key_is_in_no_repr():
    request = CompletionRequest("openai", "m", "p", "", 0.1, 1, 1.0, Credential(CANARY))
    assert CANARY not in repr(request)
    assert CANARY not in str(request.credential)


@pytest.mark.parametrize("status", [None, 400, 401, 500])
def test_the_key_is_in_no_log_and_no_traceback(llmock, make_request, provider, caplog, status):
    """security.md 14."""
    caplog.set_level(logging.DEBUG)
    if status is None:
        llmock.break_stream("disconnect", after_chunks=2)
    else:
        llmock.fail(status, message=f"Incorrect key {CANARY} for this request")
    error = failure(make_request(provider))
    assert CANARY not in error.message
    assert CANARY not in "".join(traceback.format_exception(error))
    assert CANARY not in caplog.text
