"""The text of an answer while it is written."""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Deltas:
    """Passes an answer on piece by piece; joined, the pieces are the text of the completion."""

    def __init__(self, on_delta: Callable[[str], None] | None) -> None:
        self._on_delta = on_delta
        self._held = ""

    def add(self, text: str) -> None:
        """Some more text, of any length, as the provider sent it."""
        text = self._held + text.replace("\x00", "")
        # A character outside the basic plane can be cut in two; its first half waits.
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        self._tell(clean(text[:-1] if self._held else text))

    def end(self) -> None:
        """The answer is complete."""
        held, self._held = self._held, ""
        self._tell(clean(held))

    def _tell(self, text: str) -> None:
        if not text or self._on_delta is None:
            return
        try:
            self._on_delta(text)
        except Exception:
            # Whatever is wrong with who listens, the answer is paid for and goes on.
            logger.exception("A listener failed; it hears no more of this answer")
            self._on_delta = None


def clean(text: str) -> str:
    """Text that every database stores: no NUL characters, no halves of surrogate pairs."""
    text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
