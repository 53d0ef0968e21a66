"""The environment of each peer: `benchmarks/peers/<peer>/.venv`, made when first asked for."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.skipping import Skipped

FOLDER = Path(__file__).resolve().parent
INSTALL_SECONDS = 600


def python_of(peer: str, *, install: bool) -> Path:
    """The interpreter of a peer's environment with exactly what its requirements.txt pins.

    Raises Skipped if it is not there and may not, or cannot, be installed.
    """
    requirements = (FOLDER / peer / "requirements.txt").read_text()
    venv = FOLDER / peer / ".venv"
    # A copy of the requirements that were installed to the end.
    installed = venv / "installed.txt"
    if not (installed.exists() and installed.read_text() == requirements):
        if not install:
            raise Skipped(f"{peer} is not installed in {venv}")
        print(f"Installing {peer} …", file=sys.stderr)
        shutil.rmtree(venv, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(venv)])
        pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--requirement", str(FOLDER / peer / "requirements.txt")])
        installed.write_text(requirements)
    return venv / "bin" / "python"


def version_of(peer: str) -> str:
    """The pinned version of the peer itself."""
    for line in (FOLDER / peer / "requirements.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        if name == peer:
            return version.strip()
    raise LookupError(f"requirements.txt of {peer} does not pin {peer}.")


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Skipped(f"“{command[0]}” took longer than {INSTALL_SECONDS} s") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise Skipped(f"it could not be installed ({reason[:200]})")
