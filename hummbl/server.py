"""The gunicorn worker that serves the ASGI application."""

import asyncio
import logging
import resource
import signal
import socket
import sys
import warnings
from contextlib import suppress
from typing import Any, Final, NoReturn

from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn_worker import UvicornWorker

from hummbl import live

# Django says so of every static file: WhiteNoise opens them as it would under WSGI.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

logger = logging.getLogger(__name__)

# A client that takes nothing for so long is gone, or means harm. Seconds.
PATIENCE: Final = 30.0
# What the kernel holds for a client beyond what is on its way. Bytes; by default it is megabytes.
UNSENT: Final = 65536


class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's, which drops a client that does not read instead of waiting for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Bound what is kept for the client, and for how long if it does not answer at all."""
        super().connection_made(transport)
        self._waiting: asyncio.TimerHandle | None = None
        peer = transport.get_extra_info("socket")
        options = {"TCP_NOTSENT_LOWAT": UNSENT, "TCP_USER_TIMEOUT": int(1000 * PATIENCE)}
        for name, value in options.items():
            # The latter is Linux's. A UNIX socket has neither.
            if hasattr(socket, name) and peer.family != socket.AF_UNIX:
                with suppress(OSError):  # some systems refuse for a client that has left already
                    peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def pause_writing(self) -> None:
        """The client is behind: its time begins."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is left to wait for."""
        super().connection_lost(exc)
        self._stop_waiting()

    def shutdown(self) -> None:
        """The process ends: live responses must not keep it."""
        super().shutdown()
        live.end_all()

    def _wait(self) -> None:
        size = self.transport.get_write_buffer_size()
        self._waiting = self.loop.call_later(PATIENCE, self._look, size)

    def _look(self, size: int) -> None:
        if self.transport.get_write_buffer_size() < size:
            self._wait()
        else:
            logger.info("Dropped a client that took nothing for %s s", PATIENCE)
            # Not `close`, which would send the rest first.
            self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class Worker(UvicornWorker):  # type: ignore[misc]
    """uvicorn without what we do ourselves or do not have."""

    CONFIG_KWARGS: dict[str, Any] = {
        **UvicornWorker.CONFIG_KWARGS,
        "access_log": False,
        "http": Protocol,
        "lifespan": "off",
        # uvicorn would believe X-Forwarded-For from any local peer; TRUSTED_PROXY_COUNT decides.
        "proxy_headers": False,
        "server_header": False,
        # Open event streams end at once; clients resume from Last-Event-ID.
        "timeout_graceful_shutdown": 2,
        "ws": "none",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn-worker ties it to gunicorn's handlers; ours are at the root.
        logger = logging.getLogger("uvicorn.error")
        logger.handlers, logger.propagate = [], True

    def init_process(self) -> None:
        """Serve until told to stop, with as many files and connections as live responses need.

        Most systems start a process with 1,024, but let it have more.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = max(soft, min(hard, live.MOST + live.RESERVED))
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        super().init_process()

    def init_signals(self) -> None:
        """Leave as Python leaves, so that what waits for the end is done: mails are sent.

        Once it has shut down, uvicorn raises the signal again, and by default that kills.
        """
        super().init_signals()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)


def _leave(_signal: int, _frame: object) -> NoReturn:
    sys.exit(0)
