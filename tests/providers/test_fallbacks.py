"""An agent's other models, through the engine and the real SDKs."""

from decimal import Decimal

import pytest

from tests.engine.support import check_truth, results, work
from tests.factories import make_agent, make_definition, make_execution, make_key, make_task
from tests.factories import make_workflow as make_stored_workflow
from workflows import providers
from workflows.engine import retry
from workflows.models import SpendEntry
from workflows.providers import addresses
from workflows.providers.catalogue import cost

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = {"provider": "openai", "model": "gpt-4.1-mini"}
SECOND = "anthropic:claude-haiku-4-5"


@pytest.fixture(autouse=True)
def _addresses(llmock, monkeypatch):
    monkeypatch.setattr(retry, "BASE_SECONDS", 0.01)
    for provider in ("openai", "anthropic"):
        monkeypatch.setitem(addresses.BASE_URLS, provider, llmock.base_url(provider))


@pytest.fixture
def run(alice):
    """`run(…)` runs one task of an agent with a fallback, and gives its result."""

    def start(*fallbacks, complete=providers.complete, **fields):
        agents = [make_agent(**FIRST, fallbacks=list(fallbacks or [SECOND]), max_tokens=100)]
        task = make_task("one", max_retries=1)
        workflow = make_stored_workflow(alice, definition=make_definition(task, agents=agents))
        execution = make_execution(workflow, **fields)
        work(complete)
        check_truth(execution)
        return results(execution)["one"]

    return start


def fail_first(llmock, status, **options):
    llmock.fail(status, match={"provider": "openai"}, times=None, **options)


def test_the_fallback_answers_at_its_own_price(llmock, alice, run):
    make_key(alice)
    make_key(alice, provider="anthropic", secret="sk-ant-0123456789")
    fail_first(llmock, 500)

    one = run()

    assert (one.status, one.error, one.attempts) == ("completed", "", 3)
    assert one.model == "claude-haiku-4-5"
    paths = [request["path"] for request in llmock.requests()]
    assert paths == ["/v1/chat/completions"] * 2 + ["/anthropic/v1/messages"]
    tokens = (one.input_tokens, one.cached_tokens, one.output_tokens)
    assert one.cost == cost("anthropic", "claude-haiku-4-5", *tokens) > 0
    entries = SpendEntry.objects.order_by("attempt")
    assert [(entry.provider, entry.model) for entry in entries] == [
        ("openai", "gpt-4.1-mini"),
        ("openai", "gpt-4.1-mini"),
        ("anthropic", "claude-haiku-4-5"),
    ]
    assert [entry.settled for entry in entries] == [0, 0, one.cost]


def test_each_provider_gets_its_own_key(llmock, alice, run):
    make_key(alice, secret="sk-first-0123456789")
    make_key(alice, provider="anthropic", secret="sk-second-012345678")
    fail_first(llmock, 500)
    asked = []

    async def complete(request, on_delta):
        asked.append((request.provider, request.credential.secret))
        return await providers.complete(request, on_delta)

    run(complete=complete)

    assert asked == [("openai", "sk-first-0123456789")] * 2 + [("anthropic", "sk-second-012345678")]


def test_a_fallback_without_a_key_is_passed_over(llmock, alice, run):
    make_key(alice)
    fail_first(llmock, 500)

    one = run()

    assert (one.status, one.attempts, one.error_code) == ("failed", 2, "server_error")
    assert one.error == (
        "OpenAI had an internal error (500). The fallback anthropic:claude-haiku-4-5 was not "
        "tried: Add an Anthropic key under Keys."
    )
    assert all(request["path"].startswith("/v1") for request in llmock.requests())


def test_the_next_fallback_is_tried_then(llmock, alice, run):
    make_key(alice)
    llmock.fail(500, match={"model": "gpt-4.1-mini"}, times=None)

    one = run(SECOND, "openai:gpt-5-mini")

    assert (one.status, one.model, one.attempts) == ("completed", "gpt-5-mini", 3)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "bad_request"), (401, "authentication"), (404, "not_found")]
)
def test_what_the_owner_has_to_mend_is_not_covered_up(llmock, alice, run, status, code):
    """A wrong key or model fails at once: a fallback would hide it, at another price."""
    make_key(alice)
    make_key(alice, provider="anthropic", secret="sk-ant-0123456789")
    fail_first(llmock, status)

    one = run()

    assert (one.status, one.error_code, one.attempts) == ("failed", code, 1)
    assert len(llmock.requests()) == 1


def test_without_a_key_for_the_first_nothing_is_asked(llmock, alice, run):
    make_key(alice, provider="anthropic", secret="sk-ant-0123456789")
    one = run()
    assert (one.error_code, one.attempts) == ("missing_key", 0)
    assert llmock.requests() == []


def test_a_fallback_whose_key_is_wrong_says_so(llmock, alice, run):
    make_key(alice)
    make_key(alice, provider="anthropic", secret="sk-ant-0123456789")
    fail_first(llmock, 500)
    llmock.fail(401, match={"provider": "anthropic"})

    one = run()

    assert (one.status, one.attempts) == ("failed", 3)
    assert one.error == "Anthropic refused the key. Check it under Keys."


def test_a_fallback_has_to_fit_under_the_cap(llmock, alice, run):
    make_key(alice)
    make_key(alice, provider="custom", base_url=llmock.base_url("custom"))
    fail_first(llmock, 500)

    one = run("custom:llama-9", cost_cap=Decimal("0.5"))

    assert (one.status, one.error_code) == ("failed", "budget_refused")
    assert "The price of custom:llama-9 is not known" in one.error


def test_a_model_of_unknown_price_costs_nothing_that_is_known(llmock, alice, run):
    """Without a cap it runs; its entry in the ledger reserves and settles nothing."""
    make_key(alice)
    make_key(alice, provider="custom", base_url=llmock.base_url("custom"))
    llmock.fail(500, match={"model": "gpt-4.1-mini"}, times=2)

    one = run("custom:llama-9")

    assert (one.status, one.model, one.cost) == ("completed", "llama-9", 0)
