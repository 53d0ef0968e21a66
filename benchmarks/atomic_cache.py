"""A Django cache that can only count: what django-ratelimit needs, over our own counters."""

import threading
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from hummbl import counters


class CounterCache(BaseCache):
    """`add`, then `incr`, as django-ratelimit calls them: both become one atomic statement."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._local = threading.local()

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Always False: the key is there, as far as the caller needs to know."""
        self._local.seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return False

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Count one more; how many there are."""
        return counters.hit(self.make_key(key, version), self._local.seconds)[0]
