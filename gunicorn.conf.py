"""How gunicorn serves HUMMBL; it finds this file by its name.

HOST, PORT, WEB_CONCURRENCY and LOG_FORMAT come from the environment.
"""

import os
from pathlib import Path

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
