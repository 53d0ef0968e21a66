"""OpenAI, and whatever speaks its protocol, through the openai package."""

import httpx2
from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile, openai_model_profile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider


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
    return client


def make_model(provider: str, name: str, client: AsyncOpenAI) -> Model:
    if provider == "openai":
        return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client))
    # Other servers know the older name of the limit; OpenAI's thinking models only the newer.
    thinks = bool(openai_model_profile(name).get("openai_supports_reasoning", False))
    return OpenAIChatModel(
        name,
        provider=OpenAICompatibleProvider(provider, openai_client=client),
        profile=OpenAIModelProfile(openai_chat_supports_max_completion_tokens=thinks),
    )
