"""What a worker does not load until it needs it: 25 MB of API and pages, 110 MB of SDKs."""

import subprocess
import sys

from tests.processes import environment

CODE = """
import sys
import django
django.setup()
import workflows.management.commands.worker
heavy = {"rest_framework.views", "hummbl.urls", "openai", "anthropic", "pydantic_ai"}
print(sorted(heavy & set(sys.modules)))
"""


def test_a_worker_loads_neither_the_api_nor_the_sdks(settings):
    answer = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=settings.BASE_DIR,
        env=environment(DJANGO_SETTINGS_MODULE="hummbl.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"
