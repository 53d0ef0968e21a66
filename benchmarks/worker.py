"""A worker process that calls no model: `python -m benchmarks.worker`.

It is `manage.py worker` as it is, but for the call to a model, which waits or does nothing. What
happens is told on stdout, a word and its values a line:

    ready                   it hears of work, and has looked for it once
    call SECONDS PROMPT     a call begins, so its task's start is durable (with --report)
    end SECONDS EXECUTION   the end of an execution is durable (with --report)
    done SECONDS MEGABYTES  it has ended --until executions: since the start, and its peak memory

Moments are of the clock that all processes of a machine share. It stops when its stdin closes, so
that it never outlives who started it.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import django
from django.conf import settings
from django.core.management import execute_from_command_line

from benchmarks.memory import peak_megabytes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hummbl.settings")
django.setup()

from workflows.engine import worker as engine  # noqa: E402
from workflows.management.commands import worker as command  # noqa: E402
from workflows.providers import Completion, CompletionRequest  # noqa: E402

ANSWER = Completion(
    text="ok",
    finish_reason="stop",
    model="none",
    input_tokens=1,
    cached_tokens=0,
    output_tokens=1,
    latency=0.0,
    cost=Decimal(0),
)


def unbounded(provider: str) -> AbstractAsyncContextManager[object]:
    """No limit on the calls at once, not even for the embedded model, which is not called."""
    return nullcontext()


def tell(*words: object) -> None:
    """Say what happened."""
    print(*words, flush=True)


class Scripted(engine.Worker):
    """A worker whose calls take `pause` seconds if the prompt begins with “Wait”, else nothing."""

    def __init__(self, options: argparse.Namespace, **more: Any) -> None:
        super().__init__(complete=self._answer, slot=unbounded, **more)
        self._pause, self._reports = options.pause, options.report
        self._left = options.until
        self._begun = 0.0
        self._is_ready = False

    async def run(self) -> None:
        """Work until told to stop."""
        self._begun = time.monotonic()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self.stop)
        if settings.EXECUTION_DISPATCHER == "procrastinate":
            self._count_fetches()
        await super().run()

    def _count_fetches(self) -> None:
        """Be ready at Procrastinate's second fetch: at the first it may not listen yet."""
        from workflows.engine.dispatchers.jobs import Jobs

        fetch, fetches = Jobs.fetch_job, count(1)

        async def counted(*arguments: Any, **options: Any) -> Any:
            job = await fetch(*arguments, **options)
            if next(fetches) == 2:
                self._tell_ready()
            return job

        Jobs.fetch_job = counted  # type: ignore[method-assign]

    async def _answer(
        self, request: CompletionRequest, _on_delta: Callable[[str], None]
    ) -> Completion:
        if self._reports:
            tell("call", time.monotonic(), request.prompt.partition("\n")[0])
        if request.prompt.startswith("Wait"):
            await asyncio.sleep(self._pause)
        return ANSWER

    def on_claimed(self, claimed: list[Any]) -> None:
        super().on_claimed(claimed)
        self._tell_ready()

    def _tell_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            tell("ready")

    def _on_end(self, run: Any) -> None:
        now = time.monotonic()
        super()._on_end(run)
        if self._reports:
            tell("end", now, run.state.pk)
        self._left -= 1
        if not self._left:
            tell("done", now - self._begun, peak_megabytes())
            self.stop()


def main() -> None:
    """Run the command with a scripted worker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--until", type=int, default=0)
    options, rest = parser.parse_known_args()
    vars(command)["Worker"] = partial(Scripted, options)
    execute_from_command_line(["manage.py", "worker", *rest])


if __name__ == "__main__":
    main()
