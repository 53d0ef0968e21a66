"""Which models there are and what they cost.

Prices come from the genai-prices package as installed; it is never asked to update itself over
the network. ``OVERRIDES`` wins over it. All prices are USD per million tokens.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

NEEDS_KEY = frozenset({"openai", "anthropic", "custom"})
LOCAL_MODEL = "smollm2-135m"
LOCAL_CONTEXT = 2048

# Tokens that a prompt grows by on its way: roles, separators, the beginning of the answer.
_OVERHEAD_TOKENS = 100
_MILLION = Decimal(1_000_000)
_ZERO = Decimal(0)
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model to choose from. ``context`` is in tokens, prices are USD per million tokens."""

    provider: str
    model: str
    context: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of a model in USD per million tokens, for calls of more than ``start`` input tokens.

    Crossing a tier's start applies its prices to all tokens of the call.
    """

    input: Decimal
    cached: Decimal
    cache_write: Decimal
    output: Decimal
    start: int = -1


# The models that the form offers, best first. Any other name of a provider works as well.
_OFFERED = {
    "anthropic": ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5"),
    "openai": ("gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol", "gpt-5-mini", "gpt-4.1-mini"),
}

# Prices that genai-prices lacks or has wrong, by provider and model.
OVERRIDES: dict[tuple[str, str], tuple[Rates, ...]] = {}


def models() -> list[CatalogueModel]:
    """The models to choose from."""
    offered = [
        _describe(provider, model) for provider, names in _OFFERED.items() for model in names
    ]
    return [
        CatalogueModel(
            "local",
            LOCAL_MODEL,
            LOCAL_CONTEXT,
            _ZERO,
            _ZERO,
            "Runs on this machine, free of charge. A toy in quality, a real model in kind.",
        ),
        *offered,
        CatalogueModel(
            "custom",
            "",
            note="Any model name of an OpenAI-compatible service; the key carries its address.",
        ),
    ]


def estimate(provider: str, model: str, prompt_bytes: int, max_tokens: int) -> Decimal | None:
    """An upper bound in USD of what a call can cost; None when the price is not known.

    A token is at least one byte, so that the bytes of the prompt bound its tokens. The bound holds
    as far as the provider honours ``max_tokens``.
    """
    if provider == "local":
        return _ZERO
    tokens = prompt_bytes + _OVERHEAD_TOKENS
    rates = _rates_for(provider, model, tokens)
    if rates is None:
        return None
    prompt_price = max(rates.input, rates.cache_write)
    return (tokens * prompt_price + max_tokens * rates.output) / _MILLION


def cost(
    provider: str,
    model: str,
    input_tokens: int,
    cached_tokens: int,
    output_tokens: int,
    cache_write_tokens: int = 0,
) -> Decimal | None:
    """What a call cost in USD; None when the price is not known.

    ``input_tokens`` are all of the prompt, the cached and the newly cached ones included.
    """
    if provider == "local":
        return _ZERO
    rates = _rates_for(provider, model, input_tokens)
    if rates is None:
        return None
    fresh = max(0, input_tokens - cached_tokens - cache_write_tokens)
    millionths = (
        fresh * rates.input
        + cached_tokens * rates.cached
        + cache_write_tokens * rates.cache_write
        + output_tokens * rates.output
    )
    return millionths / _MILLION


def _rates_for(provider: str, model: str, input_tokens: int) -> Rates | None:
    # Prices change at midnight: a worker that runs for weeks has to notice.
    for rates in _all_rates(provider, model, int(time.time()) // _DAY):
        if input_tokens > rates.start:
            return rates
    return None


@lru_cache(maxsize=1024)
def _all_rates(provider: str, model: str, day: int) -> tuple[Rates, ...]:
    """The prices by tier, the highest tier first; empty when they are not known."""
    if (provider, model) in OVERRIDES:
        return OVERRIDES[provider, model]
    info = _lookup(provider, model)
    if info is None:
        return ()
    prices = info.get_prices(datetime.fromtimestamp(day * _DAY, UTC))
    if prices.input_mtok is None or prices.output_mtok is None:
        return ()
    starts = {tier.start for tier in getattr(prices.input_mtok, "tiers", ())}
    return tuple(_rates(prices, start) for start in sorted(starts | {-1}, reverse=True))


def _rates(prices: Any, start: int) -> Rates:
    input_price = _at(prices.input_mtok, start)
    return Rates(
        input=input_price,
        cached=_at(prices.cache_read_mtok, start, input_price),
        cache_write=_at(prices.cache_write_mtok, start, input_price),
        output=_at(prices.output_mtok, start),
        start=start,
    )


def _at(price: Any, start: int, default: Decimal = _ZERO) -> Decimal:
    """The price in the tier that begins at ``start``."""
    if price is None:
        return default
    value = getattr(price, "base", price)
    for tier in getattr(price, "tiers", ()):
        if tier.start <= start:
            value = tier.price
    return Decimal(value)


def _lookup(provider: str, model: str) -> Any:
    """What genai-prices knows of a model; None for `custom`, which can be any service."""
    if provider not in _OFFERED:
        return None
    from genai_prices import data_snapshot

    try:
        return data_snapshot.get_snapshot().find_provider_model(model, None, provider, None)[1]
    except LookupError:
        return None


def _describe(provider: str, model: str) -> CatalogueModel:
    info = _lookup(provider, model)
    rates = _all_rates(provider, model, int(time.time()) // _DAY)
    if not rates:
        return CatalogueModel(provider, model, note="The price is not known.")
    base = rates[-1]
    tiers = "Costs more for long prompts." if len(rates) > 1 else ""
    return CatalogueModel(
        provider,
        model,
        info.context_window if info else None,
        base.input,
        base.output,
        tiers,
    )
