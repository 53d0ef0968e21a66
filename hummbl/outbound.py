"""The only way out: every HTTP request that this project makes goes through here.

A request reaches public addresses over https and nothing else. The operator can list hosts in
``ALLOWED_PRIVATE_HOSTS`` (names, addresses, CIDRs); those may be private, on any port, and over
plain http. What counts is the address that is connected to, looked at when it is connected to:
a name that resolves to something else a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings

from hummbl.errors import AppError

if TYPE_CHECKING:
    import httpx2

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_RESPONSE_BYTES = 20_000_000
CONNECT_TIMEOUT = 10.0
TOTAL_TIMEOUT = 3600.0
_MAX_URL_LENGTH = 500

# Addresses that the standard library calls global, but that lead inside: translations of IPv4
# addresses into IPv6, deprecated site-local ones, and a cloud's metadata service on a public one.
_TREACHEROUS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
        "3fff::/20",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
)
_NUMERIC_HOST = re.compile(r"(^|\.)(0x[0-9a-f]*|[0-9]+)$")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_MAX_NAME_LENGTH = 253


class OutboundRefused(AppError):
    """The guard refuses to send a request there. The message says what the operator can do."""

    code = "outbound_refused"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The hosts that the operator lets through: names and networks."""

    names: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def parse(cls, entries: list[str] | frozenset[str]) -> Allowed:
        names: set[str] = set()
        networks: list[Network] = []
        for entry in filter(None, (entry.strip() for entry in entries)):
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                names.add(normal_host(entry))
        return cls(frozenset(names), tuple(networks))

    def has_name(self, host: str) -> bool:
        return normal_host(host) in self.names

    def has_address(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def check_address(self, address: Address, *, host: str, plain: bool) -> None:
        """Raise :class:`OutboundRefused` unless ``host`` may be reached at ``address``.

        ``plain`` says that the request would go over http instead of https.
        """
        if self.has_name(host) or self.has_address(address):
            return
        if not is_public(address):
            raise _refusal(f"{host} is at a private or reserved address.")
        if plain:
            raise _refusal(f"{host} may only be reached over https.")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, and to nothing translated into it."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _TREACHEROUS)


def check_url(url: str) -> None:
    """Check a base URL that someone wants to store; raise :class:`OutboundRefused` if it is bad.

    This catches mistakes early and in words; the address itself is checked at each connection.
    """
    host, plain = _split(url)
    allowed = Allowed.parse(settings.ALLOWED_PRIVATE_HOSTS)
    address = _literal(host)
    if address is not None:
        allowed.check_address(address, host=host, plain=plain)
    elif allowed.has_name(host):
        return
    elif host == "localhost" or host.endswith(".localhost"):
        raise _refusal(f"{host} is at a private or reserved address.")
    elif _NUMERIC_HOST.search(host):
        raise OutboundRefused("Write the address in full, such as 192.0.2.10, or use a name.")
    elif not _is_name(host):
        raise OutboundRefused("There can be no host of this name.")
    elif plain:
        raise _refusal("The address must begin with https://.")


def _split(url: str) -> tuple[str, bool]:
    """The host of a well-formed base URL, and whether it is plain http."""
    try:
        parts = urlsplit(url)
        host, port = normal_host(parts.hostname or ""), parts.port
    except ValueError:
        raise OutboundRefused("This is not a valid address.") from None
    if len(url) > _MAX_URL_LENGTH or _UNSAFE_IN_URL.search(url) or not host or port == 0:
        raise OutboundRefused("This is not a valid address.")
    if parts.scheme not in {"https", "http"}:
        raise OutboundRefused("The address must begin with https://.")
    if "@" in parts.netloc:
        raise OutboundRefused("Leave user name and password out of the address.")
    if "?" in url or "#" in url:
        raise OutboundRefused("Leave everything from ? or # on out of the address.")
    return host, parts.scheme == "http"


def async_client(
    *,
    timeout: httpx2.Timeout | None = None,
    exempt_hosts: frozenset[str] = frozenset(),
    max_response_bytes: int = MAX_RESPONSE_BYTES,
    total_timeout: float = TOTAL_TIMEOUT,
    idle_timeout: float | None = None,
) -> httpx2.AsyncClient:
    """A guarded HTTP client. Close it with ``aclose()``.

    ``exempt_hosts`` are let through as if the operator had listed them. ``timeout`` covers the
    single steps (default: 10 s to connect, 120 s between two reads), ``total_timeout`` (seconds)
    the whole answer, ``idle_timeout`` (seconds) a silence within a body that has begun. Redirects
    are not followed, no proxy is taken from the environment. Requests raise
    :class:`OutboundRefused`, also for an answer above ``max_response_bytes``.
    """
    import httpx2

    from hummbl.outbound_transport import GuardedTransport

    allowed = Allowed.parse([*settings.ALLOWED_PRIVATE_HOSTS, *exempt_hosts])

    def transport(*, plain: bool) -> GuardedTransport:
        return GuardedTransport(
            allowed,
            plain=plain,
            max_response_bytes=max_response_bytes,
            total_timeout=total_timeout,
            idle_timeout=idle_timeout,
        )

    return httpx2.AsyncClient(
        transport=transport(plain=False),
        mounts={"http://": transport(plain=True)},
        timeout=timeout or httpx2.Timeout(120.0, connect=CONNECT_TIMEOUT, pool=None),
        follow_redirects=False,
        trust_env=False,
    )


def normal_host(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").lower()


def _is_name(host: str) -> bool:
    """Whether a resolver would look the name up at all."""
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        return False
    labels = name.split(".")
    return len(name) <= _MAX_NAME_LENGTH and all(_LABEL.fullmatch(label) for label in labels)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _refusal(reason: str) -> OutboundRefused:
    return OutboundRefused(
        f"{reason} The operator can allow the host by adding it to ALLOWED_PRIVATE_HOSTS."
    )
