"""One way to ask any model.

Importing this package is cheap: the SDKs, together about 110 MB, are loaded by the first call.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from workflows.providers.failure import ProviderError
from workflows.providers.loading import load, loaded
from workflows.providers.types import Completion, CompletionRequest, Credential

__all__ = [
    "Completion",
    "CompletionRequest",
    "Credential",
    "ProviderError",
    "close",
    "complete",
    "slot",
]


async def complete(
    request: CompletionRequest, on_delta: Callable[[str], None] | None = None
) -> Completion:
    """Ask a model and wait for the whole answer; ``on_delta`` gets the text as it arrives.

    Raises :class:`ProviderError`, and nothing else but :class:`asyncio.CancelledError`. The call
    is made once: retries are the caller's.
    """
    calls = await load("workflows.providers.calls")
    completion: Completion = await calls.complete(request, on_delta)
    return completion


def slot(provider: str) -> AbstractAsyncContextManager[object]:
    """What to hold during a call: it bounds how many run at once where the machine needs it.

    Raises ProviderError when the provider cannot run on this machine at all.
    """
    if provider == "local":
        from workflows.providers import local

        return local.slot()
    return nullcontext()


async def close() -> None:
    """Close the connections and stop the local model server, if this process started one."""
    # What was never imported, or is being imported still, has nothing to close.
    for name in ("calls", "local"):
        if module := loaded(f"workflows.providers.{name}"):
            await module.close()
