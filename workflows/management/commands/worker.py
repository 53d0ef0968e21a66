"""`manage.py worker`: run executions until stopped."""

import asyncio
from typing import Any

import uvloop
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandParser

from workflows import models
from workflows.engine.worker import Worker


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
        """Work."""
        models.Worker.forget_silent()
        worker = Worker(concurrency=options["concurrency"])
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(worker.run())
