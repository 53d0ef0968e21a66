"""Making one measurement in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.processes import BASE_DIR, end


def measure(
    function: str, arguments: dict[str, Any], env: dict[str, str], limit_seconds: int = 180
) -> dict[str, Any]:
    """Call a function of ours in a process of its own: what `ask` returns."""
    command = [sys.executable, "-m", "benchmarks.one", function, json.dumps(arguments)]
    return ask(command, env, limit_seconds)


def ask(
    command: list[str], env: dict[str, str], limit_seconds: int, folder: Path = BASE_DIR
) -> dict[str, Any]:
    """The JSON object that a command prints last; `failed` says why there is none.

    Its complaints are kept for the case that it fails. It gets SIGTERM and time to tidy up when it
    takes too long or we are interrupted; what it started and left behind is killed.
    """
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=limit_seconds)
        except subprocess.TimeoutExpired:
            return {"failed": f"It took longer than {limit_seconds} s."}
        finally:
            end(process)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            complaints.seek(0)
            return {"failed": complaints.read()[-4000:]}
    outcome: dict[str, Any] = json.loads(said.splitlines()[-1])
    return outcome
