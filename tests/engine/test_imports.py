"""What a worker does not load until it needs it.

API and pages are 25 MB, the SDKs 110 MB, the admin's pages 4 MB, and what decrypts stored provider
keys and signs tokens 10 MB.
"""

import subprocess
import sys

from tests.processes import environment

WORKER = """
import sys
import django
django.setup()
from workflows.management.commands.worker import Command
Command().check(tags=Command.requires_system_checks)
heavy = {"rest_framework.views", "hummbl.urls", "openai", "anthropic", "pydantic_ai"}
heavy |= {"workflows.admin", "workflows.markdown", "jwt", "cryptography"}
print(sorted(heavy & set(sys.modules)))
"""


CHECK = """
import django
django.setup()
from django.contrib import admin
from django.core.checks import run_checks
from workflows.models import Workflow
before = admin.site.is_registered(Workflow)
run_checks(tags=["admin"])
print(before, admin.site.is_registered(Workflow))
"""


def said_by(code, base_dir):
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=base_dir,
        env=environment(DJANGO_SETTINGS_MODULE="hummbl.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


def test_a_worker_loads_neither_pages_nor_sdks_nor_cryptography(settings):
    assert said_by(WORKER, settings.BASE_DIR) == "[]"


def test_checks_look_at_the_pages_of_the_admin_nevertheless(settings):
    assert said_by(CHECK, settings.BASE_DIR) == "False True"
