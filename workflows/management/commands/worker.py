"""`manage.py worker`: run executions until stopped."""

import asyncio
import logging
import time
from typing import Any

import uvloop
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandParser

from hummbl import garbage, schema
from workflows.engine.worker import Worker

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 1.0


class Command(BaseCommand):
    """Runs executions. SIGTERM hands those under way back, so that another worker goes on."""

    help = "Run executions until stopped. Start as many as you like."
    # The other checks load the pages and the API: 25 MB that a worker has no use for.
    requires_system_checks = [Tags.security, "settings"]

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --concurrency."""
        parser.add_argument(
            "--concurrency",
            type=int,
            metavar="N",
            help="executions under way at once (default: WORKER_CONCURRENCY)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work, once the tables are those of this release."""
        _wait_for_migrations()
        garbage.settle()
        worker = Worker(concurrency=options["concurrency"])
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(worker.run())


def _wait_for_migrations() -> None:
    """Return when none is pending. Those of a newer release keep nobody from working."""
    told = False
    while pending := schema.read().pending:
        if not told:
            told = True
            logger.warning(
                "%s migrations are pending, from %s on: the worker waits for manage.py migrate",
                len(pending),
                ".".join(pending[0]),
            )
        time.sleep(LOOK_AGAIN_SECONDS)
