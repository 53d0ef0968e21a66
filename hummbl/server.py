"""The gunicorn worker that serves the ASGI application."""

import logging
import signal
import sys
import warnings
from typing import Any, NoReturn

from uvicorn_worker import UvicornWorker

# Django says so of every static file: WhiteNoise opens them as it would under WSGI.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")


class Worker(UvicornWorker):  # type: ignore[misc]
    """uvicorn without what we do ourselves or do not have."""

    CONFIG_KWARGS: dict[str, Any] = {
        **UvicornWorker.CONFIG_KWARGS,
        "access_log": False,
        "lifespan": "off",
        # uvicorn would believe X-Forwarded-For from any local peer; TRUSTED_PROXY_COUNT decides.
        "proxy_headers": False,
        "server_header": False,
        # Open event streams end with the process; clients resume from Last-Event-ID.
        "timeout_graceful_shutdown": 2,
        "ws": "none",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn-worker ties it to gunicorn's handlers; ours are at the root.
        logger = logging.getLogger("uvicorn.error")
        logger.handlers, logger.propagate = [], True

    def init_signals(self) -> None:
        """Leave as Python leaves, so that what waits for the end is done: mails are sent.

        Once it has shut down, uvicorn raises the signal again, and by default that kills.
        """
        super().init_signals()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)


def _leave(_signal: int, _frame: object) -> NoReturn:
    sys.exit(0)
