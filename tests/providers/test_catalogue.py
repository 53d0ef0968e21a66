from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.providers import catalogue
from workflows.providers.catalogue import Rates, cost, estimate, models

CALL = ("openai", "gpt-4.1-mini")


def test_every_offered_model_has_a_price_and_a_context():
    for model in models():
        if model.provider == "custom":
            assert model.input_price is model.output_price is None
            assert model.note
        else:
            assert model.context > 0
            assert model.output_price >= model.input_price >= 0


def test_each_provider_is_in_the_list():
    assert {model.provider for model in models()} == {"local", *catalogue.NEEDS_KEY}


def test_cost_of_a_known_model():
    assert cost(*CALL, 1_000_000, 0, 0) == Decimal("0.4")
    assert cost(*CALL, 0, 0, 1_000_000) == Decimal("1.6")
    assert cost(*CALL, 1_000_000, 1_000_000, 0) == Decimal("0.1")


def test_dated_names_cost_what_the_model_costs():
    assert cost("openai", "gpt-4.1-mini-2025-04-14", 1000, 0, 10) == cost(*CALL, 1000, 0, 10)


@pytest.mark.parametrize(
    "call", [("custom", "gpt-4.1-mini"), ("openai", "no-such-model"), ("x", "y")]
)
def test_an_unknown_price_is_none_and_not_nothing(call):
    assert cost(*call, 1, 1, 1) is None
    assert estimate(*call, 1, 1) is None


def test_the_local_model_is_free():
    assert cost("local", "smollm2-135m", 10, 0, 10) == estimate("local", "x", 10, 10) == 0


@pytest.mark.parametrize("size", [0, 1, 1000, 300_000, 1_000_000])
@pytest.mark.parametrize("model", ["gpt-4.1-mini", "gpt-5.4", "gpt-6-luna"])
def test_the_estimate_is_an_upper_bound(model, size):
    """A token is at least a byte, so no prompt of that size has more tokens."""
    bound = estimate("openai", model, size, 500)
    assert bound >= cost("openai", model, size, 0, 500)
    assert bound >= cost("openai", model, size, 0, 500, cache_write_tokens=size)


def test_long_prompts_cost_the_higher_tier(monkeypatch):
    tiers = (Rates(*map(Decimal, (2, 2, 2, 2)), start=1000), Rates(*map(Decimal, (1, 1, 1, 1))))
    monkeypatch.setitem(catalogue.OVERRIDES, ("openai", "tiered"), tiers)
    catalogue._all_rates.cache_clear()
    assert cost("openai", "tiered", 1000, 0, 0) == Decimal("0.001")
    assert cost("openai", "tiered", 1001, 0, 0) == Decimal("0.002002")


def test_prices_agree_with_the_package_they_come_from():
    from genai_prices import Usage, calc_price

    for model, tokens in [("gpt-5-mini", 1000), ("gpt-5.4", 1000), ("gpt-5.4", 300_000)]:
        usage = Usage(input_tokens=tokens, cache_read_tokens=100, output_tokens=50)
        expected = calc_price(usage, model, provider_id="openai").total_price
        assert cost("openai", model, tokens, 100, 50) == expected


def known_models() -> list[tuple[str, str]]:
    """Every model of both providers that has a price for text."""
    from genai_prices import data_snapshot

    return [
        (provider.id, model.id)
        for provider in data_snapshot.get_snapshot().providers
        if provider.id in {"openai", "anthropic"}
        for model in provider.models
        if estimate(provider.id, model.id, 1, 1) is not None
    ]


KNOWN = known_models()


def test_there_are_models_to_try():
    assert len(KNOWN) > 80


@pytest.mark.parametrize("tokens", [0, 1, 199_000, 200_001, 272_001, 1_000_000])
def test_no_split_of_the_prompt_costs_more_than_its_estimate(tokens):
    """All fresh, all read from the cache, all written to it, for each model that has a price."""
    for call in KNOWN:
        bound = estimate(*call, tokens, 700)
        for cached, written in [(0, 0), (tokens, 0), (0, tokens)]:
            assert cost(*call, tokens, cached, 700, written) <= bound, call


@given(
    call=st.sampled_from(KNOWN),
    fresh=st.integers(0, 600_000),
    cached=st.integers(0, 600_000),
    written=st.integers(0, 600_000),
    output=st.integers(0, 100_000),
    spare=st.integers(0, 3_000_000),
)
def test_a_call_costs_at_most_its_estimate(call, fresh, cached, written, output, spare):
    """When its tokens are at most the bytes of its prompt, and its answer as long as allowed."""
    tokens = fresh + cached + written
    bound = estimate(*call, tokens + spare, output)
    assert bound >= cost(*call, tokens, cached, output, written) >= 0


def test_every_newer_model_of_the_list_is_in_the_price_list():
    for model in models():
        if model.provider in {"openai", "anthropic"}:
            assert (model.provider, model.model) in KNOWN
            assert model.note != "The price is not known."
