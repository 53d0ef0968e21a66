"""The gunicorn worker that serves the ASGI application."""

import logging
import warnings
from typing import Any

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
