"""Prompt caching: marked only where it pays, counted, and priced."""

import pytest

from tests.providers.conftest import ask
from tests.providers.wire import anthropic_stream, ask_server
from workflows.providers import caching
from workflows.providers.caching import marking
from workflows.providers.catalogue import cost, estimate

LONG = "Answer in the house style. " * 200


@pytest.fixture(autouse=True)
def _nothing_known():
    caching.forget()


@pytest.fixture
def sent(llmock, make_request):
    """`sent(provider, …)` makes a call and returns the body that it sent."""

    def send(provider, **changes):
        ask(make_request(provider, **{"instructions": LONG, **changes}))
        return llmock.requests()[-1]["body"]

    return send


def is_marked(body) -> bool:
    return "cache_control" in str(body["system"])


def test_anthropic_is_told_when_the_instructions_go_out_again(sent):
    body = sent("anthropic", asked_again=True)
    assert body["system"] == [
        {"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": "5m"}}
    ]
    assert "cache_control" not in str(body["messages"])


def test_nothing_is_marked_for_a_single_call(sent):
    assert not is_marked(sent("anthropic"))


def test_short_instructions_are_never_marked(sent):
    for _ in range(2):
        assert not is_marked(sent("anthropic", instructions="Be brief.", asked_again=True))


def test_what_comes_again_after_all_is_marked_from_then_on(sent):
    """Many runs of a workflow, one after the other."""
    assert [is_marked(sent("anthropic")) for _ in range(2)] == [False, True]


def test_a_mark_that_is_ignored_is_not_repeated(sent):
    """The mock caches nothing, as a model does whose smallest prefix is longer."""
    marks = [is_marked(sent("anthropic", asked_again=True)) for _ in range(3)]
    assert marks == [True, False, False]


def test_a_prefix_belongs_to_a_model(sent):
    assert is_marked(sent("anthropic", asked_again=True))
    assert is_marked(sent("anthropic", asked_again=True, model="claude-opus-5-5"))


def test_calls_side_by_side_write_once(make_request):
    request = make_request("anthropic", instructions=LONG, asked_again=True)
    with marking(request, request.credential) as first:
        with marking(request, request.credential) as second:
            second.answered(0)
        first.answered(1200)
    with (
        marking(request, request.credential) as third,
        marking(request, request.credential) as fourth,
    ):
        marks = [mark.is_set for mark in (first, second, third, fourth)]
    assert marks == [True, False, True, True]


def test_a_call_that_fails_lets_the_next_one_write(make_request):
    request = make_request("anthropic", instructions=LONG, asked_again=True)
    with pytest.raises(TimeoutError), marking(request, request.credential):
        raise TimeoutError
    with marking(request, request.credential) as mark:
        assert mark.is_set


def test_an_entry_that_has_expired_is_written_again(make_request, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(caching.time, "monotonic", lambda: now)
    request = make_request("anthropic", instructions=LONG)
    with marking(request, request.credential) as mark:
        mark.answered(0)
    with marking(request, request.credential) as mark:
        assert mark.is_set
        mark.answered(1200)
    now += 300
    with marking(request, request.credential) as mark:
        assert not mark.is_set


@pytest.mark.parametrize("model", ["gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol"])
def test_openai_writes_only_what_is_marked(sent, model):
    """The newer models would write every prompt, and charge for it."""
    plain = sent("openai", model=model)
    assert plain["prompt_cache_options"] == {"mode": "explicit"}
    assert "prompt_cache_breakpoint" not in str(plain["messages"])
    caching.forget()
    marked = sent("openai", model=model, asked_again=True)
    assert "prompt_cache_breakpoint" in str(marked["messages"][0])
    assert "prompt_cache_breakpoint" not in str(marked["messages"][1])
    assert marked["prompt_cache_key"] == plain["prompt_cache_key"]


def test_older_models_of_openai_cache_by_themselves(sent):
    body = sent("openai", model="gpt-4.1-mini", asked_again=True)
    assert len(body["prompt_cache_key"]) == 32
    assert "prompt_cache_options" not in body
    assert "prompt_cache_breakpoint" not in str(body)


@pytest.mark.parametrize("model", ["llama-9", "gpt-6-luna"])
def test_other_servers_are_told_nothing(sent, model):
    assert "prompt_cache" not in str(sent("custom", model=model, asked_again=True))


def test_the_key_cannot_be_read_from_the_name(make_request):
    request = make_request("openai", instructions=LONG)
    with marking(request, request.credential) as mark:
        assert mark.name
        assert request.credential.secret not in mark.name


def test_cached_tokens_are_counted_and_priced(make_request):
    """What is new, what was read from the cache and what was written to it, at three prices."""
    usage = '"input_tokens":100,"cache_read_input_tokens":3000,"cache_creation_input_tokens":500'
    completion, _ = ask_server(
        anthropic_stream("Hi", usage=usage), make_request, "anthropic", model="claude-haiku-4-5"
    )
    assert (completion.input_tokens, completion.cached_tokens) == (3600, 3000)
    assert completion.output_tokens == 9
    # $1, $0.10, $1.25 and $5 a million.
    assert completion.cost * 1_000_000 == 100 + 300 + 625 + 45
    assert completion.cost == cost("anthropic", "claude-haiku-4-5", 3600, 3000, 9, 500)
    assert completion.cost <= estimate("anthropic", "claude-haiku-4-5", 3600, 9)
