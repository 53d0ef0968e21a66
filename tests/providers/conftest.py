import asyncio

import pytest

from workflows import providers
from workflows.providers import Completion, CompletionRequest, Credential

CANARY = "sk-canary-7b1f9e0c55"
MODELS = {"openai": "gpt-4.1-mini", "custom": "llama-9", "anthropic": "claude-haiku-4-5"}


@pytest.fixture(autouse=True)
def loopback_allowed(settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]


@pytest.fixture(params=["openai", "custom", "anthropic"])
def provider(request) -> str:
    return request.param


@pytest.fixture
def make_request(llmock):
    """A request to the mock, for a provider."""

    def make(provider: str = "openai", *, base_url: str = "", **changes) -> CompletionRequest:
        credential = Credential(CANARY, base_url or llmock.base_url(provider))
        fields = {
            "provider": provider,
            "model": MODELS[provider],
            "prompt": "Say hello.",
            "instructions": "Be brief.",
            "temperature": 0.3,
            "max_tokens": 50,
            "timeout": 20.0,
            "credential": credential,
        }
        return CompletionRequest(**{**fields, **changes})

    return make


def ask(*requests: CompletionRequest, on_delta=None) -> Completion:
    """The answer to the last of some requests, asked one after the other."""

    async def run():
        try:
            for request in requests:
                completion = await providers.complete(request, on_delta)
            return completion
        finally:
            await providers.close()

    return asyncio.run(run())
