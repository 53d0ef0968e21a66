"""Who is asking: the address and the program at the other end of a request."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

_current: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


def address(request: HttpRequest) -> str | None:
    """The client's IP address in its shortest form, or None when the server does not know it.

    `X-Forwarded-For` counts only behind proxies: each of the `TRUSTED_PROXY_COUNT` proxies appends
    the address it was called from, so the client is that many entries from the end. What stands
    before it came from the client and proves nothing.
    """
    proxies = settings.TRUSTED_PROXY_COUNT
    if proxies > 0:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        forwarded = _parse(hops[-proxies]) if len(hops) >= proxies else None
        if forwarded is not None:
            return str(forwarded)
    peer = _parse(request.META.get("REMOTE_ADDR", ""))
    return str(peer) if peer else None


@contextmanager
def current(request: HttpRequest) -> Iterator[None]:
    """While that request is answered, `current_address` is where it came from."""
    token = _current.set(request)
    try:
        yield
    finally:
        _current.reset(token)


def current_address() -> str | None:
    """The address of the request under way; None in a command or a worker."""
    request = _current.get()
    return address(request) if request else None


def current_request() -> HttpRequest | None:
    """The request under way; None in a command or a worker."""
    return _current.get()


def network(request: HttpRequest) -> str:
    """What rate limits count by: the address, or the /64 that one IPv6 customer has at least."""
    found = address(request)
    if found is None:
        return "unknown"
    parsed = ipaddress.ip_address(found)
    if parsed.version == 4:
        return found
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def user_agent(request: HttpRequest) -> str:
    """The program's name for itself, without characters that a database or a log cannot take."""
    given = request.META.get("HTTP_USER_AGENT", "")
    return "".join(char for char in given if char.isprintable())[:300]


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
