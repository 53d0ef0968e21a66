"""The embedded model's server: a process of its own, started by :mod:`workflows.providers.local`.

Usage: ``python -m workflows.providers.local_server STATE_FILE PARENT_PID MODEL CONTEXT SLOTS``

It holds an exclusive lock on the state file as long as it lives and writes its address and a random
key into it once it listens. It ends when its standard input closes, that is when its parent ends in
whatever way, and on Linux by the kernel's hand as well. Nothing of Django is imported here.
"""

import ctypes
import fcntl
import json
import os
import secrets
import signal
import sys
import time
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_LOCK_SECONDS = 1.0


def main(state_file: str, parent_pid: str, model: str, context: str, slots: str) -> None:
    _die_with_parent(int(parent_pid))
    with open(state_file, "r+", encoding="utf-8") as state:  # noqa: PTH123 - a bare lock file
        if not _lock(state):
            return  # Another worker was faster; its server serves us all.
        state.truncate(0)
        key = secrets.token_urlsafe(32)
        server = _serve(model, int(context), int(slots), key)
        address = server.listening_address
        state.write(json.dumps({"base_url": f"{address}/v1", "secret": key, "pid": os.getpid()}))
        state.flush()
        while sys.stdin.buffer.read(4096):
            pass
        state.truncate(0)
    # The server's threads would hold up an orderly exit.
    os._exit(0)


def _serve(model: str, context: int, slots: int, key: str) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys = [key]
    params.n_ctx, params.n_parallel = context * slots, slots
    threads = max(1, (os.cpu_count() or 2) - 1)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_threads_http = slots + 2
    # Memory: no prompt cache on the side, small batches; no pages but the API.
    params.cache_ram_mib, params.n_ctx_checkpoints = 0, 0
    params.n_batch, params.n_ubatch = 512, 256
    params.warmup = params.ui = params.endpoint_slots = params.fit_params = False
    # A model this small goes round in circles, which it is kept from without forbidding it to
    # repeat a name or a number: it may copy eight tokens in a row, and looks back but a little way.
    params.sampling.dry_multiplier, params.sampling.dry_allowed_length = 0.8, 8
    params.sampling.dry_penalty_last_n = 128
    params.sampling.penalty_repeat, params.sampling.penalty_last_n = 1.05, 64
    params.verbosity = -1
    return xllamacpp.Server(params)


def _lock(state: IO[str]) -> bool:
    """Take the lock; others hold it for an instant when they look whether a server runs."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(state, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _die_with_parent(parent_pid: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
