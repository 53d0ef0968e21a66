"""OpenAI, and whatever speaks its protocol, through the openai package."""

import re
from typing import Any

import httpx2
from openai import AsyncOpenAI
from openai._streaming import SSEDecoder
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.profiles.openai import OpenAIModelProfile, openai_model_profile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from workflows.providers.caching import Mark
from workflows.providers.strict import StrictDecoder

_USAGE = re.compile(r'"usage"\s*:\s*\{')


def make_client(
    base_url: str, secret: str, timeout: httpx2.Timeout, http: httpx2.AsyncClient
) -> AsyncOpenAI:
    """A client that uses what it is given and nothing from the environment."""
    client = AsyncOpenAI(
        api_key=secret, base_url=base_url, max_retries=0, timeout=timeout, http_client=http
    )
    # The constructor reads these from the environment, which is the operator's, not the key's.
    client.organization = client.project = client.admin_api_key = client.webhook_secret = None
    # The SDK would read headers from the environment.
    client._custom_headers = {}  # noqa: SLF001
    client._make_sse_decoder = _decoder  # type: ignore[method-assign] # noqa: SLF001
    return client


def _decoder() -> Any:
    return StrictDecoder(SSEDecoder(), _is_end)


def _is_end(event: Any) -> bool:
    """Some servers close without `[DONE]`; where the usage was told, nothing is missing."""
    data: str = event.data
    return data.startswith("[DONE]") or bool(_USAGE.search(data))


def make_model(provider: str, name: str, client: AsyncOpenAI) -> Model:
    if provider == "openai":
        return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client))
    # Other servers know the older name of the limit; OpenAI's thinking models only the newer.
    newer = thinks_in_silence(name)
    return OpenAIChatModel(
        name,
        provider=OpenAICompatibleProvider(provider, openai_client=client),
        profile=OpenAIModelProfile(openai_chat_supports_max_completion_tokens=newer),
    )


def cache_settings(model: Model, mark: Mark) -> OpenAIChatModelSettings:
    """OpenAI caches by itself; its newer models charge for it, so they cache only what is marked.

    Other servers of the protocol are told nothing.
    """
    settings = OpenAIChatModelSettings()
    if model.system != "openai":
        return settings
    if mark.name:
        settings["openai_prompt_cache_key"] = mark.name
    fields: dict[str, Any] = dict(model.profile)
    if fields.get("openai_supports_prompt_cache_breakpoints"):
        settings["openai_prompt_cache_options"] = {"mode": "explicit"}
        settings["openai_cache_instructions"] = mark.is_set
    return settings


def thinks_in_silence(name: str) -> bool:
    """Whether minutes may pass within a stream; OpenAI's models think without a sign of life."""
    return bool(openai_model_profile(name).get("openai_supports_reasoning", False))
