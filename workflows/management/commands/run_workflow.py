"""`manage.py run_workflow`: run a workflow in the terminal and watch it."""

import json
import subprocess
import sys
import textwrap
import time
import uuid
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.models import User
from hummbl.errors import AppError
from hummbl.logging import escape
from observability import health
from workflows import samples
from workflows.models import Execution, ExecutionStatus, TaskResult, Workflow

POLL_SECONDS = 0.1
LOOK_SECONDS = 2.0
STOP_SECONDS = 5


class Command(BaseCommand):
    """Run a workflow, print its progress and every task's result."""

    help = "Runs a workflow and prints its progress and results. Exits with 1 unless it completes."

    _worker: subprocess.Popen[bytes] | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what to run, and with what."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("workflow", nargs="?", type=uuid.UUID, help="id of the workflow")
        which.add_argument("--sample", action="store_true", help="run the sample workflow")
        parser.add_argument(
            "--input", default="{}", metavar="JSON", help='such as \'{"topic": "bees"}\''
        )
        parser.add_argument(
            "--user", metavar="EMAIL", help="who runs it and pays; the owner unless given"
        )

    @audit.command_line()
    def handle(self, *_args: Any, **options: Any) -> None:
        """Start it, follow it, report."""
        try:
            workflow = _workflow(options["workflow"])
            user = _user(options["user"]) if options["user"] else workflow.owner
            execution = workflow.execute(user=user, input=_input(options["input"]))
        except AppError as error:
            raise CommandError(error.message) from None
        self._say(f"Running {workflow.name} ({execution.task_count} tasks)")
        try:
            self._follow(execution)
        except KeyboardInterrupt:
            execution.cancel(by=user)
            raise CommandError("Cancelled.") from None
        finally:
            self._stop_worker()
        self._report(execution)

    def _follow(self, execution: Execution) -> None:
        """Print task events until the execution has ended."""
        names = dict(execution.tasks.values_list("task_id", "task_name"))
        started, seen, looked = time.monotonic(), 0, 0.0
        while True:
            for event in execution.events.filter(sequence__gt=seen).order_by("sequence"):
                seen = event.sequence
                if event.type == "task":
                    self._progress(event.data, names, time.monotonic() - started)
            execution.refresh_from_db()
            if execution.is_terminal and seen >= execution.last_sequence:
                return
            if time.monotonic() - looked >= LOOK_SECONDS:
                self._ensure_worker()
                looked = time.monotonic()
            time.sleep(POLL_SECONDS)

    def _ensure_worker(self) -> None:
        """Start a worker of our own when none is alive."""
        if self._worker is not None:
            if self._worker.poll() is not None:
                raise CommandError("The worker ended early. Run `manage.py worker` to see why.")
        elif health.read().checks["worker"]["status"] != health.HEALTHY:
            self._worker = subprocess.Popen(
                [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def _stop_worker(self) -> None:
        if self._worker is None:
            return
        self._worker.terminate()
        try:
            self._worker.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()

    def _progress(self, data: dict[str, Any], names: dict[str, str], seconds: float) -> None:
        name = names.get(data["task_id"], data["task_id"])
        attempt = f" (attempt {data['attempts']})" if data["attempts"] > 1 else ""
        self._say(f"  {seconds:6.1f} s  {data['status']:<10} {name}{attempt}")
        self.stdout.flush()

    def _report(self, execution: Execution) -> None:
        """Print what every task made and used; raise CommandError unless all went well."""
        for task in execution.tasks.all():
            self._say(f"\n{_headline(task)}")
            text = task.output or task.error
            self._say(textwrap.indent(text.strip(), "    "))
        self._say(
            f"\n{execution.get_status_display()} in {execution.duration or 0:.1f} s, "
            f"{execution.tokens} tokens, ${execution.cost:.6f}"
        )
        if execution.status != ExecutionStatus.COMPLETED:
            raise CommandError(escape(execution.error) or f"The execution {execution.status}.")

    def _say(self, text: str) -> None:
        """Print lines. Names and outputs may hold codes that a terminal would obey."""
        self.stdout.write("\n".join(escape(line.expandtabs(4)) for line in text.split("\n")))


def _headline(task: TaskResult) -> str:
    facts = [
        task.get_status_display(),
        f"{task.duration or 0:.1f} s",
        f"{task.input_tokens} + {task.output_tokens} tokens",
        f"${task.cost:.6f}",
    ]
    if task.attempts > 1:
        facts.append(f"{task.attempts} attempts")
    return f"{task.task_name}: {', '.join(facts)}"


def _workflow(pk: uuid.UUID | None) -> Workflow:
    """The workflow of that id; the sample without one."""
    if pk is None:
        return samples.ensure_for_admin()
    workflow = Workflow.objects.select_related("owner").filter(pk=pk).first()
    if workflow is None:
        raise CommandError(f"There is no workflow {pk}.")
    return workflow


def _user(email: str) -> User:
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        raise CommandError(f"There is no user {email}.") from None


def _input(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CommandError(f"--input is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise CommandError('--input must be a JSON object, such as \'{"topic": "bees"}\'.')
    return value
