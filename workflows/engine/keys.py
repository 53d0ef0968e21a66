"""The keys that models are called with, read from the database beside the event loop."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

from django.db import Error as DatabaseError
from django.db import connection

from accounts.models import User
from workflows.models.api_key import ApiKey
from workflows.providers import Credential, ProviderError


class KeyReader:
    """Reads in threads of its own: the loop's may all be busy."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="engine-reader")

    async def read(self, user_id: str, provider: str, name: str | None) -> Credential:
        """The key to call a provider with. Raises AppError when there is none."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, _find, user_id, provider, name)
        except DatabaseError as error:
            raise ProviderError(
                "The database did not answer while the key was looked up.",
                code="database",
                retryable=True,
            ) from error

    def close(self) -> None:
        """Read no more, and wait for what is being read. Call it in a thread."""
        self._threads.shutdown(cancel_futures=True)


def _find(user_id: str, provider: str, name: str | None) -> Credential:
    try:
        user = User.objects.get(pk=uuid.UUID(user_id))
        return ApiKey.objects.for_call(user, provider, name)
    finally:
        connection.close()
