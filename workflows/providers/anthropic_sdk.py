"""Anthropic through its own package."""

import httpx2
from anthropic import AsyncAnthropic
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider


def make_client(
    base_url: str, secret: str, timeout: httpx2.Timeout, http: httpx2.AsyncClient
) -> AsyncAnthropic:
    """A client that uses what it is given and nothing from the environment."""
    client = AsyncAnthropic(
        api_key=secret, base_url=base_url, max_retries=0, timeout=timeout, http_client=http
    )
    # The SDK would read headers from the environment.
    client._custom_headers = {}  # noqa: SLF001
    return client


def make_model(provider: str, name: str, client: AsyncAnthropic) -> Model:
    return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=client))
