"""When a provider is asked to keep instructions in its prompt cache.

What Anthropic and OpenAI's newer models write into the cache costs a quarter more than plain input,
what they read from it about a tenth. So a mark only pays when the same instructions go out again
before the entry expires, and when calls that run side by side do not all write it. What is known
of a prefix is known to this process alone; where it is wrong, a call costs a little more than it
could, never more than its estimate.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from workflows.providers.types import CompletionRequest, Credential

# Below this no model caches: the smallest prefix is 1024 tokens, and few tokens are one byte.
MIN_BYTES = 2048
# Seconds for which an entry lives after its last use, less what a call may take to arrive.
_LIFETIMES = {"anthropic": 270.0, "openai": 1700.0}


@dataclass(slots=True)
class Mark:
    """What a call does about the cache; ``is_set`` asks the provider to keep the instructions."""

    name: str = ""
    is_set: bool = False
    cached_tokens: int | None = None

    def answered(self, cached_tokens: int) -> None:
        """The call was answered; so many tokens were read from the cache or written to it."""
        self.cached_tokens = cached_tokens


@dataclass(slots=True)
class _Prefix:
    """One agent's instructions at one provider. Times are those of the monotonic clock."""

    lifetime: float
    asked_until: float = 0.0
    kept_until: float = 0.0
    is_writing: bool = False
    is_refused: bool = False

    def begin(self, mark: Mark, *, asked_again: bool) -> None:
        now = time.monotonic()
        if self.is_refused:
            return
        if now < self.kept_until:
            mark.is_set = True
        elif not self.is_writing and (asked_again or now < self.asked_until):
            mark.is_set = self.is_writing = True

    def end(self, mark: Mark) -> None:
        if mark.is_set:
            self.is_writing = False
        if mark.cached_tokens is None:
            return
        expires = time.monotonic() + self.lifetime
        self.asked_until = expires
        if mark.cached_tokens:
            self.kept_until = expires
        elif mark.is_set:
            # Too short for this model, unless it was kept before: a mark is ignored in silence.
            self.is_refused = not self.kept_until
            self.kept_until = 0.0


@contextmanager
def marking(request: CompletionRequest, credential: Credential) -> Iterator[Mark]:
    """Decide whether this call marks its instructions, and learn from how it went."""
    prefix = _prefix_of(request, credential)
    if prefix is None:
        yield Mark()
        return
    name, known = prefix
    mark = Mark(name)
    known.begin(mark, asked_again=request.asked_again)
    try:
        yield mark
    finally:
        known.end(mark)


def _prefix_of(request: CompletionRequest, credential: Credential) -> tuple[str, _Prefix] | None:
    lifetime = _LIFETIMES.get(request.provider)
    content = request.instructions.encode(errors="replace") if lifetime else b""
    if lifetime is None or len(content) < MIN_BYTES:
        return None
    # A cache belongs to an account: its key is a part of the name, and cannot be read from it.
    digest = blake2b(content, key=blake2b(credential.secret.encode()).digest(), digest_size=16)
    digest.update(request.model.encode())
    name = digest.hexdigest()
    return name, _known(name, lifetime)


@lru_cache(maxsize=2048)
def _known(name: str, lifetime: float) -> _Prefix:
    return _Prefix(lifetime)


forget = _known.cache_clear
