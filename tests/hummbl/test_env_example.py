import ast
import json
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings

# Read by make, honcho and gunicorn.conf.py rather than by settings.py.
PROCESS_NAMES = {"HOST", "PORT", "WEB_CONCURRENCY"}


def names_in_settings():
    """First arguments of every env.…("NAME") and _secret("NAME") call."""
    tree = ast.parse((settings.BASE_DIR / "hummbl" / "settings.py").read_text())
    names = set()
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        ):
            continue
        function = node.func
        reads = (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id == "env"
        ) or (isinstance(function, ast.Name) and function.id in {"env", "_secret", "_days"})
        if reads:
            names.add(node.args[0].value)
    return names


def entries():
    text = (settings.BASE_DIR / ".env.example").read_text()
    return re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE)


def test_every_setting_is_listed_and_every_entry_is_a_setting():
    assert {name for name, _ in entries()} == names_in_settings() | PROCESS_NAMES


def test_no_setting_is_listed_twice():
    names = [name for name, _ in entries()]
    assert len(names) == len(set(names))


def test_every_entry_is_explained():
    lines = (settings.BASE_DIR / ".env.example").read_text().splitlines()
    blocks = "\n".join(lines).split("\n\n")
    for block in blocks:
        block_lines = block.splitlines()
        if any(re.match(r"(# )?[A-Z][A-Z0-9_]+=", line) for line in block_lines):
            assert block_lines[0].startswith("# "), block


DUMP = """
import json
from hummbl import settings
values = {n: v for n, v in vars(settings).items() if n.isupper() and n not in {"LOGGING"}}
print(json.dumps(values, default=str, sort_keys=True))
"""


def settings_with(environment, data_dir):
    """All settings of a new process with that environment."""
    result = subprocess.run(
        [sys.executable, "-c", DUMP],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(result.stdout)


@pytest.mark.skipif((settings.BASE_DIR / ".env").exists(), reason="a .env file is in force here")
def test_copying_the_file_changes_nothing(tmp_path):
    text = (settings.BASE_DIR / ".env.example").read_text()
    active = dict(re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE))
    assert settings_with(active, tmp_path) == settings_with({}, tmp_path)
