"""Values that are read far more often than they change, kept for a while.

Beneath is Django's cache as `settings.CACHES` sets it: in the memory of this process, shared with
no other, and bounded in the number of values. So nothing here is ever invalidated: whatever a value
depends on (a digest, a version, the day) belongs into its key, or its time to live is short enough
to be wrong for. The counters of rate limits, which must be exact, are elsewhere (`counters.py`).
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from typing import TypedDict, TypeVar, cast

from django.core.cache import cache

Value = TypeVar("Value")
# Hears of each look: the name of the kind of value, and whether it was there.
Listener = Callable[[str, bool], object]

_MISSING = object()

_lock = threading.Lock()
_hits: Counter[str] = Counter()
_misses: Counter[str] = Counter()
_listeners: list[Listener] = []


class Stats(TypedDict):
    """How often a kind of value was found, and how often it had to be made."""

    hits: int
    misses: int


def get_or_set(
    name: str, key: str, ttl: float, make: Callable[[], Value], *, anew: bool = False
) -> Value:
    """The value of `key`, made by `make` when it is not there, and kept for `ttl` seconds.

    `name` says what kind of value it is: keys of different names never meet, and hits are counted
    by it; it is a constant of the caller. `key` may be any text of any length: it is hashed. What
    comes back is a copy of what was kept, so that changing it changes nothing here. None is a value
    like any other; what `make` raises is not kept. Two threads that miss at once both make it.
    `anew` makes it although it may be there.
    """
    full_key = f"{name}:{_digest(key)}"
    found = _MISSING if anew else cache.get(full_key, _MISSING)
    if found is not _MISSING:
        _count(name, found=True)
        return cast("Value", found)
    _count(name, found=False)
    made = make()
    cache.set(full_key, made, ttl)
    return made


def listen(heard: Listener) -> None:
    """Have `heard` called with each look from now on; the apps above count what they like."""
    if heard not in _listeners:
        _listeners.append(heard)


def stats() -> dict[str, Stats]:
    """Hits and misses by name, of this process since it started."""
    with _lock:
        names = sorted(_hits.keys() | _misses.keys())
        return {name: {"hits": _hits[name], "misses": _misses[name]} for name in names}


def clear() -> None:
    """Forget every value and every count, of this process."""
    cache.clear()
    with _lock:
        _hits.clear()
        _misses.clear()


def _digest(key: str) -> str:
    # Nobody may make two texts meet: one person's output would be shown to another.
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def _count(name: str, *, found: bool) -> None:
    with _lock:
        (_hits if found else _misses)[name] += 1
    for heard in _listeners:
        heard(name, found)
