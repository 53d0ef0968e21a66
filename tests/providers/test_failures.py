"""Every failure that can be injected, for each protocol, through the real SDKs.

The table says what a call makes of a fault; `test_faults` holds each line for each protocol. What
the mock server cannot do is done by hand below it.
"""

import socket
from dataclasses import dataclass

import pytest

from tests.providers.conftest import MODELS, ask
from tests.providers.wire import STREAMS, ask_server, chunk, failure, response, stream
from workflows.providers import ProviderError, calls

NAMES = {
    "openai": "OpenAI",
    "custom": "The provider at 127.0.0.1",
    "anthropic": "Anthropic",
}
ACCOUNTS = {"openai": "OpenAI", "custom": "127.0.0.1", "anthropic": "Anthropic"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and what is raised. `{name}` in the sentence is the provider."""

    script: dict
    code: str
    sentence: str
    retryable: bool = False
    retry_after: float | None = None
    maybe_billed: bool = False
    timeout: float = 20.0


def refused(status, code, sentence, **expected) -> Fault:
    """An HTTP error before any answer: never billed."""
    script = {key: expected.pop(key) for key in ("retry_after_", "message") if key in expected}
    if "retry_after_" in script:
        script["retry_after"] = script.pop("retry_after_")
    return Fault({"type": "fail", "status": status, **script}, code, sentence, **expected)


def passing(status, code, sentence, **expected) -> Fault:
    """An HTTP error that may pass; the mock asks for a second of patience unless told otherwise."""
    return refused(status, code, sentence, retryable=True, **expected)


def broken(kind, after, code, sentence, **options) -> Fault:
    """A stream that breaks after so many events: retryable, and perhaps billed."""
    timeout = options.pop("timeout", 20.0)
    script = {"type": "stream_fault", "kind": kind, "after_chunks": after, **options}
    return Fault(script, code, sentence, retryable=True, maybe_billed=True, timeout=timeout)


CUT = "ended before it was complete."
UNREADABLE = "{name} sent an answer that cannot be read."
DROPPED = "The connection to 127.0.0.1 broke before the answer was complete."
LATE = "{name} did not finish its answer within 0.4 seconds."
MODEL_REFUSED = "{name} has no model named {model}, or this key may not use it."

FAULTS = {
    "400": refused(400, "bad_request", "{name} refused the request: Bad request."),
    "400 with a reason": refused(
        400, "bad_request", "{name} refused the request: max_tokens", message="max_tokens is wrong"
    ),
    "401": refused(401, "authentication", "{name} refused the key. Check it under Keys."),
    "402": refused(402, "quota", "Your {account} account has no credit left"),
    "403": refused(403, "permission", "{name} does not let this key use {model}."),
    "404": refused(404, "not_found", MODEL_REFUSED),
    "408": passing(408, "timeout", "{name} timed out while it read the request."),
    "409": passing(409, "server_error", "{name} was busy with a conflicting request."),
    "413": refused(413, "too_large", "accepts. Shorten the prompt."),
    "422": refused(422, "bad_request", "{name} refused the request: Unprocessable entity."),
    "429": passing(429, "rate_limited", "{name} asks to slow down.", retry_after=1),
    "429 for 7 s": passing(429, "rate_limited", "", retry_after_=7, retry_after=7),
    "429 for 0.25 s": passing(429, "rate_limited", "", retry_after_=0.25, retry_after=0.25),
    "500": passing(500, "server_error", "{name} had an internal error (500)."),
    "500 for 3 s": passing(500, "server_error", "", retry_after_=3, retry_after=3),
    "501": passing(501, "server_error", "{name} had an internal error (501)."),
    "502": passing(502, "server_error", "{name} had an internal error (502)."),
    "503": passing(503, "overloaded", "{name} is overloaded.", retry_after=1),
    "504": passing(504, "server_error", "{name} had an internal error (504).", retry_after=1),
    "529": passing(529, "overloaded", "{name} is overloaded.", retry_after=1),
    "silence before the answer": Fault(
        {"type": "delay", "seconds": 1}, "timeout", LATE, True, None, True, timeout=0.4
    ),
    "a slow first token": Fault(
        {"type": "slow_first_token", "seconds": 5}, "timeout", LATE, True, None, True, timeout=0.4
    ),
    "stalled at once": broken("stall", 0, "timeout", LATE, timeout=0.4),
    "stalled": broken("stall", 4, "timeout", LATE, timeout=0.4),
    "truncated at once": broken("truncate", 0, "truncated", CUT),
    "truncated after the start": broken("truncate", 1, "truncated", CUT),
    "truncated": broken("truncate", 4, "truncated", CUT),
    "malformed at once": broken("malformed", 0, "server_error", UNREADABLE),
    "malformed after the start": broken("malformed", 1, "server_error", UNREADABLE),
    "malformed where a ping is": broken("malformed", 2, "server_error", UNREADABLE),
    "malformed": broken("malformed", 4, "server_error", UNREADABLE),
    "dropped at once": broken("disconnect", 0, "connection", DROPPED),
    "dropped after the start": broken("disconnect", 1, "connection", DROPPED),
    "dropped": broken("disconnect", 4, "connection", DROPPED),
    "content filter": Fault(
        {"type": "reply", "text": "", "finish_reason": "content_filter"},
        "content_filter",
        "{name} withheld the answer because of its content rules.",
        maybe_billed=True,
    ),
    "a tool instead of an answer": Fault(
        {"type": "reply", "tool_calls": [{"name": "search", "arguments": {}}]},
        "server_error",
        "{name} asked for a tool instead of giving an answer",
        retryable=True,
        maybe_billed=True,
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults(llmock, make_request, provider, fault):
    llmock.script(fault.script)

    error = failure(make_request(provider, timeout=fault.timeout))

    names = {
        "{name}": NAMES[provider],
        "{model}": MODELS[provider],
        "{account}": ACCOUNTS[provider],
    }
    sentence = fault.sentence
    for name, value in names.items():
        sentence = sentence.replace(name, value)
    assert sentence in error.message
    assert (error.code, error.retryable) == (fault.code, fault.retryable)
    assert (error.retry_after, error.maybe_billed) == (fault.retry_after, fault.maybe_billed)
    made = len(llmock.requests())
    # On a busy machine the time may be over before the request is out.
    assert made == 1 or (made == 0 and fault.sentence == LATE), "the SDK must not retry"


def test_no_stream_that_was_cut_is_a_success(llmock, make_request, provider):
    """Wherever it is cut, but between the usage and `[DONE]`, where nothing is missing any more."""
    cuts = range(9 if provider == "anthropic" else 6)
    for after in cuts:
        llmock.reply("One two three.")
        llmock.break_stream("truncate", after_chunks=after)
        assert failure(make_request(provider)).code == "truncated", after
    llmock.reply("One two three.")
    llmock.break_stream("truncate", after_chunks=len(cuts))
    assert ask(make_request(provider)).text == "One two three."


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529])
def test_an_error_without_a_readable_body(make_request, provider, status):
    """What a proxy in between says, and not the provider."""
    error, _ = ask_server(response("<html>", f"{status} No"), make_request, provider)
    assert isinstance(error, ProviderError)
    assert error.retryable is (status in {408, 409, 429} or status >= 500)
    assert not error.maybe_billed


# --- Accounts and contexts: each protocol has words of its own ------------------------------------


@pytest.mark.parametrize(
    ("provider", "script"),
    [
        ("openai", {"status": 429, "code": "insufficient_quota"}),
        ("custom", {"status": 429, "code": "insufficient_quota"}),
        ("anthropic", {"status": 402, "code": "billing_error"}),
        ("anthropic", {"status": 400, "message": "Your credit balance is too low to access"}),
    ],
)
def test_an_empty_account_is_not_retried(llmock, make_request, provider, script):
    llmock.script({"type": "fail", **script})
    error = failure(make_request(provider))
    assert error.message.startswith(f"Your {ACCOUNTS[provider]} account has no credit left")
    assert (error.code, error.retryable) == ("quota", False)


@pytest.mark.parametrize(
    ("provider", "script"),
    [
        ("openai", {"code": "context_length_exceeded", "message": "maximum context length"}),
        ("custom", {"code": "context_length_exceeded", "message": "maximum context length"}),
        ("anthropic", {"message": "prompt is too long: 300000 tokens > 200000 maximum"}),
    ],
)
def test_a_prompt_beyond_the_context_says_so(llmock, make_request, provider, script):
    llmock.script({"type": "fail", "status": 400, **script})
    error = failure(make_request(provider))
    assert error.message.startswith(f"The prompt is longer than {MODELS[provider]} can read.")
    assert (error.code, error.retryable) == ("bad_request", False)


# --- When to come back ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["429 Too Many", "503 Unavailable", "500 Error"])
def test_retry_after_as_a_date(make_request, provider, status):
    date = "Fri, 31 Dec 2100 23:59:59 GMT"
    error, _ = ask_server(response(status=status, Retry_After=date), make_request, provider)
    assert error.retry_after > 365 * 24 * 3600


def test_retry_after_as_a_fraction(make_request, provider):
    answer = response(status="429 Too Many", Retry_After="1.5")
    error, _ = ask_server(answer, make_request, provider)
    assert error.retry_after == 1.5


@pytest.mark.parametrize("value", ["soon", "-5", "nan", "inf", "Fri, 31 Dec 1999 23:59:59 GMT"])
def test_a_nonsensical_retry_after_asks_for_nothing(make_request, provider, value):
    answer = response(status="503 Unavailable", Retry_After=value)
    error, _ = ask_server(answer, make_request, provider)
    assert error.code == "overloaded"
    assert not error.retry_after


# --- Streams and connections that break otherwise -------------------------------------------------


def test_a_silence_within_an_answer_is_not_sat_through(llmock, make_request, provider, monkeypatch):
    """Long before the time-out of the task: the connection is dead."""
    monkeypatch.setattr(calls, "IDLE_SECONDS", 0.3)
    llmock.break_stream("stall", after_chunks=4, stall_seconds=15)
    error = failure(make_request(provider, timeout=60.0))
    assert error.message == "127.0.0.1 did not answer in time."
    assert (error.code, error.retryable, error.maybe_billed) == ("timeout", True, True)
    assert llmock.verdict()["findings"] == []


def test_the_first_token_may_take_its_time(llmock, make_request, provider, monkeypatch):
    monkeypatch.setattr(calls, "IDLE_SECONDS", 1)  # a busy machine pauses too
    llmock.script({"type": "slow_first_token", "seconds": 1.5}, {"type": "delay", "seconds": 1.5})
    assert ask(make_request(provider)).finish_reason == "stop"


def test_a_model_that_thinks_may_be_silent(llmock, make_request, monkeypatch):
    monkeypatch.setattr(calls, "IDLE_SECONDS", 0.2)
    llmock.break_stream("stall", after_chunks=1, stall_seconds=0.6)
    assert ask(make_request("openai", model="gpt-5-mini")).finish_reason == "stop"


def test_a_stream_that_ends_before_it_begins_is_truncated(make_request, provider):
    error, _ = ask_server(stream(), make_request, provider)
    assert (error.code, error.retryable, error.maybe_billed) == ("truncated", True, True)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"\x16\x03\x01\x02\x00\x01"]
)
def test_a_connection_that_breaks_before_the_answer(make_request, provider, answer):
    error, _ = ask_server(answer, make_request, provider)
    assert error.message == "The connection to 127.0.0.1 broke before the answer was complete."
    assert (error.code, error.retryable, error.maybe_billed) == ("connection", True, True)


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
        ['{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'],
        ['{"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta"}}'],
    ],
)
def test_an_answer_of_any_shape_is_a_provider_error(make_request, provider, chunks):
    error, _ = ask_server(stream(*chunks, "[DONE]"), make_request, provider)
    assert isinstance(error, ProviderError)
    assert error.retryable
    assert error.maybe_billed


@pytest.mark.parametrize(
    ("kind", "code"),
    [("overloaded_error", "overloaded"), ("api_error", "server_error")],
)
def test_an_error_within_a_stream_of_anthropic(make_request, kind, code):
    event = f'{{"type":"error","error":{{"type":"{kind}","message":"No"}}}}'
    whole = STREAMS["anthropic"]("One ")
    start = whole[: whole.index(b"event: content_block_stop")]
    answer = start + f"event: error\ndata: {event}\n\n".encode()
    error, _ = ask_server(answer, make_request, "anthropic")
    assert (error.code, error.retryable, error.maybe_billed) == (code, True, True)


@pytest.mark.parametrize("body", ["<html>", "", "data: [DONE]\n\n"])
def test_a_body_that_is_no_stream_at_all(make_request, provider, body):
    error, _ = ask_server(response(body), make_request, provider)
    assert isinstance(error, ProviderError)
    assert error.retryable


def test_an_unreachable_host_is_named(make_request, provider):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    error = failure(make_request(provider, base_url=f"http://127.0.0.1:{port}/v1"))
    assert error.message == "127.0.0.1 could not be reached."
    assert (error.code, error.retryable, error.maybe_billed) == ("connection", True, False)


def test_a_redirect_is_not_followed(make_request, provider):
    redirect = response("", "307 Temporary Redirect", Location="http://127.0.0.1:9/")
    error, requests = ask_server(redirect, make_request, provider)
    assert "redirect, which is not followed" in error.message
    assert (error.code, error.retryable) == ("bad_request", False)
    assert len(requests) == 1


# --- What is no failure ---------------------------------------------------------------------------


def test_an_empty_answer_is_an_answer(llmock, make_request, provider):
    """A model may have nothing to say; that is for who reads it to judge."""
    llmock.reply("")
    completion = ask(make_request(provider))
    assert (completion.text, completion.finish_reason) == ("", "stop")


def test_a_server_that_closes_without_a_word_has_told_the_usage(make_request):
    """Some servers of the OpenAI protocol send no `[DONE]`."""
    whole = STREAMS["custom"]("Hi")
    completion, _ = ask_server(whole.replace(b"data: [DONE]\n\n", b""), make_request, "custom")
    assert completion.text == "Hi"


def test_without_an_end_of_any_kind_it_is_cut(make_request):
    error, _ = ask_server(stream(chunk("Hi", '"stop"')), make_request, "custom")
    assert error.code == "truncated"
