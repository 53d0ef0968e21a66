"""Streams that are read to their end.

A connection that is closed in the middle of an answer looks like the end of the answer to the
SDKs, and an event that they have no use for is thrown away unread, broken or not.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

from pydantic_ai.exceptions import UnexpectedModelBehavior


class StrictDecoder:
    """An SDK's decoder of server-sent events, in front of a check of each event.

    ``is_end`` says whether the answer is whole after an event, and raises ValueError for one that
    cannot be read.
    """

    def __init__(self, decoder: Any, is_end: Callable[[Any], bool]) -> None:
        self._decoder = decoder
        self._is_end = is_end

    async def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        """The events. Raises UnexpectedModelBehavior when the last of them is not the end."""
        is_whole = False
        async for event in self._decoder.aiter_bytes(iterator):
            is_whole = self._is_end(event) or is_whole
            yield event
        if not is_whole:
            raise UnexpectedModelBehavior("The stream was cut.")
