"""The workers: real processes that are killed, paused, stopped, cut off and started again."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from benchmarks.processes import BASE_DIR
from soak.places import Place
from soak.plan import WORKERS

STOP_SECONDS = 30
READY = "is ready for"


class Fleet:
    """So many workers, by number. Safe to use from several threads.

    `complaints` tells of those that ended on their own after they had begun to work, or did not
    end when they were told to.
    """

    def __init__(self, place: Place, folder: Path, environment: dict[str, str]) -> None:
        self.complaints: list[str] = []
        self._place, self._folder, self._environment = place, folder, environment
        self._lock = threading.RLock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._leaving: list[subprocess.Popen[bytes]] = []
        self._logs: dict[int, Path] = {}
        self._started = 0

    def start(self, number: int) -> None:
        """Start a worker, unless that number is working."""
        with self._lock:
            if number in self._running:
                return
            self._started += 1
            command = [sys.executable, "-m", "soak.worker"]
            if self._place.machines:
                command = self._place.machines[number].command(command)
            path = self._folder / f"worker-{self._started:03}-{number}.log"
            with path.open("wb") as log:
                process = subprocess.Popen(
                    command, cwd=BASE_DIR, env=self._environment, stdout=log, stderr=log
                )
            self._running[number] = process
            self._logs[process.pid] = path

    def start_all(self) -> None:
        """Start all that do not run."""
        for number in range(WORKERS):
            self.start(number)

    def kill(self, number: int) -> bool:
        """SIGKILL; whether there was somebody."""
        with self._lock:
            process = self._running.pop(number, None)
            if process is None:
                return False
            process.kill()
            process.wait()
            return True

    def pause(self, number: int) -> int | None:
        """SIGSTOP; the id of the process to be resumed."""
        with self._lock:
            process = self._running.get(number)
            if process is None or process.poll() is not None:
                return None
            process.send_signal(signal.SIGSTOP)
            return process.pid

    def resume(self, pid: int) -> None:
        """SIGCONT, if it still lives."""
        with self._lock:
            for process in [*self._running.values(), *self._leaving]:
                if process.pid == pid and process.poll() is None:
                    process.send_signal(signal.SIGCONT)

    def stop(self, number: int) -> bool:
        """SIGTERM, as a deployment does; whether there was somebody."""
        with self._lock:
            process = self._running.pop(number, None)
            if process is None or process.poll() is not None:
                return False
            process.terminate()
            self._leaving.append(process)
            return True

    def tend(self) -> None:
        """Start those again that ended on their own, as a supervisor does."""
        with self._lock:
            for number, process in list(self._running.items()):
                if process.poll() is not None:
                    del self._running[number]
                    # One that finds no database when it starts gives up, and may.
                    if READY in self._log(process):
                        self._complain(process, f"ended on its own with {process.returncode}")
                    self.start(number)

    def end(self) -> None:
        """Stop everybody, and wait."""
        with self._lock:
            for number in list(self._running):
                self.stop(number)
            for process in self._leaving:
                self._await(process)
            self._leaving.clear()

    def _await(self, process: "subprocess.Popen[bytes]") -> None:
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self._complain(process, f"did not stop within {STOP_SECONDS} s")
        else:
            # Told to stop before it listens to signals, it dies of this one.
            if code and (READY in self._log(process) or code != -signal.SIGTERM):
                self._complain(process, f"stopped with {code}")

    def _log(self, process: "subprocess.Popen[bytes]") -> str:
        return self._logs[process.pid].read_text(errors="replace")

    def _complain(self, process: "subprocess.Popen[bytes]", what: str) -> None:
        last = os.linesep.join(self._log(process).splitlines()[-5:])
        self.complaints.append(f"{self._logs[process.pid].name} {what}:\n{last}")
