"""How gunicorn serves HUMMBL; it finds this file by its name.

HOST, PORT, WEB_CONCURRENCY, LOG_FORMAT and PROMETHEUS_TOKEN come from the environment.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hummbl import logging as hummbl_logging

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_class = "hummbl.server.Worker"
# Heartbeats in memory: on a busy disk they would stall, and gunicorn kill a healthy worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# honcho kills what is left after five seconds.
graceful_timeout = 3
timeout = 60
keepalive = 15
# It would be made in the home folder, which a service may not have.
control_socket_disable = True
_production = os.environ.get("ENVIRONMENT") == "production"
_log_format = os.environ.get("LOG_FORMAT") or ("json" if _production else "console")
logconfig_dict = hummbl_logging.config(_log_format)
# gunicorn's own handlers would write its lines in another form.
logconfig_dict["loggers"] |= {
    name: {"handlers": [], "level": "INFO", "propagate": True}
    for name in ("gunicorn.error", "gunicorn.access")
}


# With a token the processes count requests for Prometheus in files of a folder that they share. It
# is a new one for each gunicorn: those of several containers or releases may have one DATA_DIR.
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def on_starting(_server: Any) -> None:
    """Make the folder: its name has to be known before prometheus_client is imported."""
    if os.environ.get("PROMETHEUS_TOKEN"):
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="hummbl-prometheus-")


def child_exit(_server: Any, worker: Any) -> None:
    """Forget what a process that has ended was doing; what it has counted stays."""
    if _FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    """Leave nothing behind."""
    if _FOLDER in os.environ:
        shutil.rmtree(os.environ.pop(_FOLDER), ignore_errors=True)


def post_worker_init(_worker: Any) -> None:
    """Load the pages, which else the first request would wait for, and watch over the duties."""
    from django.urls import get_resolver

    from hummbl import duties, garbage

    get_resolver().url_patterns  # noqa: B018 - to ask is to load
    garbage.settle()
    duties.watch()
