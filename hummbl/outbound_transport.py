"""The transport of :mod:`hummbl.outbound`; apart from it so that only callers load httpx2."""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpcore2
import httpx2

from hummbl.outbound import Address, Allowed, OutboundRefused

SHARDS = 16
SHARD_CONNECTIONS = 64
# Many servers close idle connections after 5 s; a request on its way then would be lost.
KEEPALIVE_SECONDS = 4.0

_CONTEXT: list[ssl.SSLContext] = []


class GuardedBackend(httpcore2.AnyIOBackend):
    """Resolves a name itself, checks the addresses, and connects to one that passed.

    The connection is made to the address; TLS and the Host header keep the name.
    """

    def __init__(self, allowed: Allowed, *, plain: bool) -> None:
        self._allowed = allowed
        self._plain = plain

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of httpcore
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        deadline = None if timeout is None else time.monotonic() + timeout
        addresses = await self._permitted(host, port, timeout)
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = None if deadline is None else max(0.0, deadline - time.monotonic()) / left
            try:
                return await super().connect_tcp(
                    str(address), port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore2.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of httpcore
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise OutboundRefused("Requests to UNIX sockets are refused.")

    async def _permitted(self, host: str, port: int, limit: float | None) -> list[Address]:
        """The addresses of ``host`` that may be connected to, at least one of them."""
        permitted: list[Address] = []
        refusal: OutboundRefused | None = None
        for address in await _resolve(host, port, limit):
            try:
                self._allowed.check_address(address, host=host, plain=self._plain)
            except OutboundRefused as error:
                refusal = error
            else:
                permitted.append(address)
        if refusal is not None and not permitted:
            raise refusal
        return permitted


async def _resolve(host: str, port: int, limit: float | None) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(limit):
            found = await loop.getaddrinfo(host, port, type=1)  # SOCK_STREAM
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout(f"{host} could not be resolved in time") from error
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(f"{host} could not be resolved") from error
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))


class _Shard(httpx2.AsyncHTTPTransport):
    """A small pool of guarded connections."""

    def __init__(self, allowed: Allowed, *, plain: bool) -> None:
        super().__init__(verify=_ssl_context(), trust_env=False)
        self.active = 0
        # httpx2 has no parameter for the backend; the pool is otherwise the one it would make.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_ssl_context(),
            max_connections=SHARD_CONNECTIONS,
            max_keepalive_connections=SHARD_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=GuardedBackend(allowed, plain=plain),
        )


class GuardedTransport(httpx2.AsyncBaseTransport):
    """An HTTP transport whose connections are guarded and whose answers are bounded.

    httpcore looks at every connection of a pool at the beginning and the end of every request.
    Several small pools, filled one after the other, keep that cheap at hundreds of requests.
    """

    def __init__(
        self,
        allowed: Allowed,
        *,
        plain: bool,
        max_response_bytes: int,
        total_timeout: float,
        idle_timeout: float | None = None,
    ) -> None:
        self._shards = [_Shard(allowed, plain=plain) for _ in range(SHARDS)]
        self._max_response_bytes = max_response_bytes
        self._total_timeout = total_timeout
        self._idle_timeout = idle_timeout

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = time.monotonic() + self._total_timeout
        # Uncompressed answers only: what is counted is then what is kept in memory.
        request.headers["Accept-Encoding"] = "identity"
        shard = self._pick()
        shard.active += 1
        try:
            response = await shard.handle_async_request(request)
        except BaseException:
            shard.active -= 1
            raise
        stream = _BoundedStream(
            response.stream, shard, self._max_response_bytes, deadline, self._idle_timeout
        )
        response.stream = stream
        try:
            self._check_headers(response)
        except OutboundRefused:
            await stream.aclose()
            raise
        return response

    async def aclose(self) -> None:
        for shard in self._shards:
            await shard.aclose()

    def _pick(self) -> _Shard:
        for shard in self._shards:
            if shard.active < SHARD_CONNECTIONS:
                return shard
        return min(self._shards, key=lambda shard: shard.active)

    def _check_headers(self, response: httpx2.Response) -> None:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise OutboundRefused("The server sent a compressed answer, which is refused.")
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > self._max_response_bytes:
            raise _too_large(self._max_response_bytes)


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(
        self, stream: Any, shard: _Shard, limit: int, deadline: float, idle: float | None
    ) -> None:
        self._stream = stream
        self._shard: _Shard | None = shard
        self._limit = limit
        self._deadline = deadline
        self._idle = idle

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream if self._idle is None else self._chunks():
            received += len(chunk)
            if received > self._limit:
                raise _too_large(self._limit)
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("The answer took longer than the total time-out")
            yield chunk

    async def _chunks(self) -> AsyncIterator[bytes]:
        """The body, as long as it keeps coming; its first piece may take its time."""
        chunks, patience = aiter(self._stream), None
        while True:
            try:
                async with asyncio.timeout(patience):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise httpx2.ReadTimeout("The answer stopped in the middle") from error
            yield chunk
            patience = self._idle

    async def aclose(self) -> None:
        shard, self._shard = self._shard, None
        if shard is not None:
            shard.active -= 1
        await self._stream.aclose()


def _ssl_context() -> ssl.SSLContext:
    """One context for the process: loading the certificates takes 20 ms."""
    if not _CONTEXT:
        _CONTEXT.append(httpx2.create_ssl_context(trust_env=False))
    return _CONTEXT[0]


def _too_large(limit: int) -> OutboundRefused:
    return OutboundRefused(f"The answer is larger than {limit / 1_000_000:g} MB, which is refused.")
