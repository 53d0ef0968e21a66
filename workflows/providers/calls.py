"""Calls through pydantic-ai and the providers' own SDKs.

The SDKs are kept from doing what is done elsewhere: they do not retry, follow redirects or read
settings from the environment, and they speak through the guarded client. Each is loaded by the
first call that needs it.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from types import ModuleType
from typing import Any

import httpx2
from pydantic_ai import ModelRequest, ModelResponse, ModelSettings, TextPart
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.profiles import ModelProfile

from hummbl.outbound import CONNECT_TIMEOUT, async_client
from workflows.providers import caching, catalogue, local
from workflows.providers.addresses import BASE_URLS, LABELS
from workflows.providers.deltas import Deltas, clean
from workflows.providers.errors import FAILURES, Explainer
from workflows.providers.failure import ProviderError
from workflows.providers.loading import load
from workflows.providers.types import Completion, CompletionRequest, Credential

_OPENAI = "workflows.providers.openai_sdk"
_SDKS = {"anthropic": "workflows.providers.anthropic_sdk"}

# The time-out of a request bounds the call as a whole: a model may think for minutes in silence.
_TIMEOUT = httpx2.Timeout(3600.0, connect=CONNECT_TIMEOUT, pool=None)
# Seconds of silence within an answer that has begun, after which its connection is taken for dead.
IDLE_SECONDS = 25.0


async def complete(
    request: CompletionRequest, on_delta: Callable[[str], None] | None = None
) -> Completion:
    """See :func:`workflows.providers.complete`."""
    # The first call of each protocol waits for its SDK: not a part of the time that a model has.
    sdk = await load(_SDKS.get(request.provider, _OPENAI))
    started = perf_counter()
    try:
        async with asyncio.timeout(request.timeout):
            credential = await _credential(request)
            response = await _ask(sdk, request, credential, Deltas(on_delta))
    except TimeoutError:
        raise _explainer(request, request.credential).timed_out() from None
    return _completion(request, response, perf_counter() - started)


async def _ask(
    sdk: ModuleType, request: CompletionRequest, credential: Credential, deltas: Deltas
) -> ModelResponse:
    explainer = _explainer(request, credential)
    try:
        model = _connections().model(
            sdk, request.provider, credential.base_url, credential.secret, request.model
        )
        with caching.marking(request, credential) as mark:
            settings = _settings(model, request) | sdk.cache_settings(model, mark)
            response = await _stream(model, request, settings, deltas)
            usage = response.usage
            mark.answered(usage.cache_read_tokens + usage.cache_write_tokens)
    except FAILURES as error:
        # Without its context: what the libraries raise can hold headers, and so the key.
        raise _failed(request, explainer, error) from None
    _check_finish(response, explainer)
    return response


async def _stream(
    model: Model, request: CompletionRequest, settings: ModelSettings, deltas: Deltas
) -> ModelResponse:
    message = ModelRequest(
        parts=[UserPromptPart(request.prompt)], instructions=request.instructions or None
    )
    async with model_request_stream(model, [message], model_settings=settings) as stream:
        async for event in stream:
            deltas.add(_text_of(event))
        deltas.end()
        return stream.get()


def _failed(
    request: CompletionRequest, explainer: Explainer, error: BaseException
) -> ProviderError:
    failure = explainer.explain(error)
    if request.provider == "local" and failure.code in {"connection", "authentication"}:
        # The server died with the worker that had started it; the next attempt starts another.
        local.forget()
        failure = ProviderError("The embedded model stopped.", code="connection", retryable=True)
    return failure


async def _credential(request: CompletionRequest) -> Credential:
    """The key and the address to use."""
    if request.provider == "local":
        return await local.credential(request.model)
    given = request.credential
    if given is None or not given.secret:
        name = LABELS.get(request.provider, request.provider)
        raise ProviderError(f"Add a key for {name} under Keys.", code="authentication")
    base_url = given.base_url or BASE_URLS.get(request.provider, "")
    if not base_url:
        raise ProviderError(
            "This key has no base URL. Store it again with the address of the service.",
            code="bad_request",
        )
    return Credential(given.secret, base_url, given.key_id)


def _explainer(request: CompletionRequest, credential: Credential | None) -> Explainer:
    base_url = credential.base_url if credential else ""
    return Explainer(request, base_url or BASE_URLS.get(request.provider, ""))


def _settings(model: Model, request: CompletionRequest) -> ModelSettings:
    settings = ModelSettings(max_tokens=request.max_tokens)
    if _takes_temperature(model.profile):
        settings["temperature"] = request.temperature
    return settings


def _takes_temperature(profile: ModelProfile) -> bool:
    """Models that think refuse a temperature, unless thinking is off by default."""
    fields: dict[str, Any] = dict(profile)
    if fields.get("anthropic_disallows_sampling_settings"):
        return False
    if not fields.get("openai_supports_reasoning"):
        return True
    can_be_off = fields.get("openai_supports_reasoning_effort_none")
    return bool(can_be_off) and not fields.get("thinking_enabled_by_default")


def _text_of(event: ModelResponseStreamEvent) -> str:
    match event:
        case PartStartEvent(part=TextPart(content=text)):
            return text
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
    return ""


def _check_finish(response: ModelResponse, explainer: Explainer) -> None:
    """A stream that just stops looks like a success; only a finish reason makes it one."""
    if response.finish_reason == "content_filter":
        raise explainer.filtered()
    if not (response.provider_details or {}).get("finish_reason"):
        raise explainer.truncated()
    if response.finish_reason == "tool_call" and not response.text:
        raise explainer.wordless()


def _completion(request: CompletionRequest, response: ModelResponse, latency: float) -> Completion:
    usage = response.usage
    counts = (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens)
    cost = None
    # A service that reports no usage has not worked for nothing: its cost is unknown.
    if usage.output_tokens or request.provider == "local":
        cost = catalogue.cost(request.provider, request.model, *counts, usage.cache_write_tokens)
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    return Completion(
        text=clean(text),
        finish_reason="length" if response.finish_reason == "length" else "stop",
        model=_model_name(request, response),
        input_tokens=counts[0],
        cached_tokens=counts[1],
        output_tokens=counts[2],
        latency=latency,
        cost=cost,
    )


def _model_name(request: CompletionRequest, response: ModelResponse) -> str:
    """The model that answered; llama.cpp gives the path of its file."""
    if request.provider == "local":
        return catalogue.LOCAL_MODEL
    return clean(response.model_name or request.model)


class _Connections:
    """The clients of one event loop: one pool of connections, one SDK client for each key."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.http = async_client(timeout=_TIMEOUT, idle_timeout=IDLE_SECONDS)
        self.patient_http = async_client(timeout=_TIMEOUT)
        self.local_http = async_client(timeout=_TIMEOUT, exempt_hosts=frozenset({local.HOST}))
        # SDK clients that fall out are only forgotten: closing one would close the shared pool.
        self.model = lru_cache(maxsize=512)(self._model)
        self._client = lru_cache(maxsize=128)(self._new_client)

    def _model(
        self, sdk: ModuleType, provider: str, base_url: str, secret: str, name: str
    ) -> Model:
        if provider == "local":
            http = self.local_http
        else:
            http = self.patient_http if sdk.thinks_in_silence(name) else self.http
        client = self._client(sdk, http, base_url, secret)
        model: Model = sdk.make_model(provider, name, client)
        return model

    def _new_client(
        self, sdk: ModuleType, http: httpx2.AsyncClient, base_url: str, secret: str
    ) -> Any:
        return sdk.make_client(base_url, secret, _TIMEOUT, http)

    async def close(self) -> None:
        for http in (self.http, self.patient_http, self.local_http):
            await http.aclose()


_current: _Connections | None = None


def _connections() -> _Connections:
    """The connections of the running loop; those of a loop that has ended are dropped."""
    global _current  # noqa: PLW0603
    loop = asyncio.get_running_loop()
    if _current is None or _current.loop is not loop:
        _current = _Connections(loop)
    return _current


async def close() -> None:
    """Close the connections of the running loop."""
    global _current  # noqa: PLW0603
    if _current is not None and _current.loop is asyncio.get_running_loop():
        await _current.close()
    _current = None
