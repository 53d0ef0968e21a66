"""Calls through the real SDKs to a real server that speaks the providers' protocols."""

import asyncio
import logging
import socket
import traceback
from decimal import Decimal

import pytest

from tests.providers.conftest import CANARY, MODELS, ask
from workflows import providers
from workflows.providers import CompletionRequest, Credential, ProviderError

LABELS = {
    "openai": "OpenAI",
    "custom": "The provider at 127.0.0.1",
    "anthropic": "Anthropic",
}


def failure(*requests) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(*requests)
    return caught.value


def serve(answer: bytes):
    """A coroutine manager: a server on loopback that says the same to everybody."""

    async def handle(reader, writer):
        seen = await reader.readuntil(b"\r\n\r\n")
        handle.requests.append(seen)
        writer.write(answer)
        await writer.drain()
        writer.close()

    handle.requests = []
    return handle


def ask_server(answer: bytes, make_request, provider="openai", **changes):
    """Ask a server that always gives `answer`; returns what it was asked, or raises."""
    handle = serve(answer)

    async def run():
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            request = make_request(provider, base_url=f"http://127.0.0.1:{port}/v1", **changes)
            try:
                return await providers.complete(request)
            finally:
                await providers.close()

    try:
        return asyncio.run(run()), handle.requests
    except ProviderError as error:
        return error, handle.requests


def stream(*chunks: str) -> bytes:
    """An answer in the OpenAI protocol, made of the given JSON chunks."""
    body = "".join(f"data: {chunk}\n\n" for chunk in chunks)
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


def chunk(text: str, finish: str = "null") -> str:
    return (
        '{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":'
        f'[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{finish}}}]}}'
    )


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


# --- Refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "retryable", "sentence"),
    [
        (400, "bad_request", False, "{name} refused the request: "),
        (401, "authentication", False, "{name} refused the key. Check it under Keys."),
        (403, "permission", False, "{name} does not let this key use {model}."),
        (404, "not_found", False, "{name} has no model named {model}, or this key may not use it."),
        (408, "timeout", True, "{name} timed out"),
        (409, "server_error", True, "{name} was busy"),
        (413, "too_large", False, "Shorten the prompt."),
        (422, "bad_request", False, "{name} refused the request: "),
        (429, "rate_limited", True, "{name} asks to slow down."),
        (500, "server_error", True, "{name} had an internal error (500)."),
        (502, "server_error", True, "{name} had an internal error (502)."),
        (503, "overloaded", True, "{name} is overloaded."),
        (529, "overloaded", True, "{name} is overloaded."),
    ],
)
def test_a_refusal_is_explained(llmock, make_request, provider, status, code, retryable, sentence):
    llmock.fail(status)
    error = failure(make_request(provider))
    expected = sentence.format(name=LABELS[provider], model=MODELS[provider])
    assert expected in error.message
    assert (error.code, error.retryable) == (code, retryable)
    assert not error.maybe_billed
    assert len(llmock.requests()) == 1, "the SDK must not retry"


@pytest.mark.parametrize("seconds", [0.25, 7])
def test_retry_after_in_seconds(llmock, make_request, provider, seconds):
    llmock.fail(429, retry_after=seconds)
    assert failure(make_request(provider)).retry_after == seconds


def test_retry_after_as_a_date(make_request):
    refusal = (
        b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 2\r\n"
        b"Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n\r\n{}"
    )
    error, _ = ask_server(refusal, make_request)
    assert error.code == "rate_limited"
    assert error.retry_after > 365 * 24 * 3600


@pytest.mark.parametrize("value", [b"soon", b"-5", b"nan", b"inf"])
def test_a_nonsensical_retry_after_asks_for_nothing(make_request, value):
    head = b"HTTP/1.1 503 Unavailable\r\nConnection: close\r\nContent-Length: 2\r\n"
    error, _ = ask_server(head + b"Retry-After: " + value + b"\r\n\r\n{}", make_request)
    assert error.code == "overloaded"
    assert not error.retry_after


def test_an_empty_account_is_not_retried(llmock, make_request):
    llmock.fail(429, code="insufficient_quota")
    error = failure(make_request("openai"))
    assert error.message.startswith("Your OpenAI account has no credit left")
    assert (error.code, error.retryable) == ("rate_limited", False)


def test_a_prompt_beyond_the_context_says_so(llmock, make_request):
    llmock.fail(400, code="context_length_exceeded", message="maximum context length")
    error = failure(make_request("openai"))
    assert error.message.startswith("The prompt is longer than gpt-4.1-mini can read.")
    assert (error.code, error.retryable) == ("bad_request", False)


def test_a_withheld_answer_is_a_failure(llmock, make_request, provider):
    llmock.reply("", finish_reason="content_filter")
    error = failure(make_request(provider))
    assert (error.code, error.retryable) == ("content_filter", False)
    assert "content rules" in error.message


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


# --- Broken streams and connections -------------------------------------------------------------


def test_a_stalled_stream_times_out(llmock, make_request, provider):
    llmock.break_stream("stall")
    error = failure(make_request(provider, timeout=0.5))
    assert (error.code, error.retryable, error.maybe_billed) == ("timeout", True, True)
    assert error.message.endswith("did not finish its answer within 0.5 seconds.")


def test_a_truncated_stream_is_no_success(llmock, make_request, provider):
    llmock.break_stream("truncate", after_chunks=4)
    error = failure(make_request(provider))
    assert (error.code, error.retryable, error.maybe_billed) == ("truncated", True, True)


def test_a_stream_that_ends_before_it_begins_is_truncated(make_request):
    error, _ = ask_server(stream(), make_request)
    assert (error.code, error.retryable) == ("truncated", True)


def test_a_malformed_stream_is_retryable(llmock, make_request, provider):
    llmock.break_stream("malformed", after_chunks=4)
    error = failure(make_request(provider))
    assert (error.code, error.retryable, error.maybe_billed) == ("server_error", True, True)
    assert error.message.endswith("sent an answer that cannot be read.")


def test_a_dropped_connection_is_retryable(llmock, make_request, provider):
    llmock.break_stream("disconnect", after_chunks=3)
    error = failure(make_request(provider))
    assert (error.code, error.retryable, error.maybe_billed) == ("connection", True, True)
    assert "127.0.0.1" in error.message


@pytest.mark.parametrize(
    "chunks",
    [
        ["{}"],
        ["[]"],
        ["null"],
        ['"text"'],
        ['{"choices": 5}'],
        ['{"choices": [5]}'],
        ['{"choices": [{"delta": {"content": {"a": 1}}}]}'],
        ["[" * 100_000],
        ['{"error": {"message": "overloaded", "type": "server_error"}}'],
    ],
)
def test_an_answer_of_any_shape_is_a_provider_error(make_request, chunks):
    error, _ = ask_server(stream(*chunks), make_request)
    assert isinstance(error, ProviderError)
    assert error.retryable
    assert error.maybe_billed


def test_a_body_that_is_no_stream_at_all(make_request):
    html = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"
    error, _ = ask_server(html, make_request)
    assert isinstance(error, ProviderError)
    assert error.retryable


def test_an_unreachable_host_is_named(make_request, provider):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    error = failure(make_request(provider, base_url=f"http://127.0.0.1:{port}/v1"))
    assert error.message == "127.0.0.1 could not be reached."
    assert (error.code, error.retryable, error.maybe_billed) == ("connection", True, False)


def test_a_redirect_is_not_followed(make_request, provider):
    redirect = (
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\n"
        b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    )
    error, requests = ask_server(redirect, make_request, provider)
    assert "redirect, which is not followed" in error.message
    assert (error.code, error.retryable) == ("bad_request", False)
    assert len(requests) == 1


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
    """Security checklist line 14."""
    caplog.set_level(logging.DEBUG)
    if status is None:
        llmock.break_stream("disconnect", after_chunks=2)
    else:
        llmock.fail(status, message=f"Incorrect key {CANARY} for this request")
    error = failure(make_request(provider))
    assert CANARY not in error.message
    assert CANARY not in "".join(traceback.format_exception(error))
    assert CANARY not in caplog.text
