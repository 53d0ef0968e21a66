"""Anthropic through its own package."""

from typing import Any

import httpx2
from anthropic import AsyncAnthropic
from anthropic._streaming import SSEDecoder
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings
from pydantic_ai.providers.anthropic import AnthropicProvider

from workflows.providers.caching import Mark
from workflows.providers.strict import StrictDecoder


def make_client(
    base_url: str, secret: str, timeout: httpx2.Timeout, http: httpx2.AsyncClient
) -> AsyncAnthropic:
    """A client that uses what it is given and nothing from the environment."""
    client = AsyncAnthropic(
        api_key=secret, base_url=base_url, max_retries=0, timeout=timeout, http_client=http
    )
    # The SDK would read headers from the environment.
    client._custom_headers = {}  # noqa: SLF001
    client._make_sse_decoder = _decoder  # type: ignore[method-assign] # noqa: SLF001
    return client


def _decoder() -> Any:
    return StrictDecoder(SSEDecoder(), _is_end)


def _is_end(event: Any) -> bool:
    if event.event == "ping":
        event.json()
    return bool(event.event == "message_stop")


def make_model(provider: str, name: str, client: AsyncAnthropic) -> Model:
    return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=client))


def cache_settings(model: Model, mark: Mark) -> AnthropicModelSettings:
    """Anthropic caches what is marked, for five minutes after its last use."""
    return AnthropicModelSettings(anthropic_cache_instructions="5m" if mark.is_set else False)


def thinks_in_silence(name: str) -> bool:
    """Whether minutes may pass within a stream; here pings go on while a model thinks."""
    return False
