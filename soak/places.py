"""Databases that may be mistreated: a file on a disk of its own, a server of its own."""

import contextlib
import errno
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.databases import DEFAULT_URL, created, run, with_name
from soak.plan import WORKERS
from tests import cluster, network

LOOPBACK = "127.0.0.1"
BALLAST_BLOCK = 1 << 16


class Disk:
    """A small file system, so that it can be full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        with contextlib.suppress(FileNotFoundError), self._ballast.open("ab", buffering=0) as file:
            for size in (BALLAST_BLOCK, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


@dataclass
class Place:
    """A database, where workers run, and what can be done to them.

    `host` is the address at which workers reach the provider. `missing` says of each kind of
    chaos that cannot happen here why.
    """

    url: str
    host: str = LOOPBACK
    machines: list[network.Machine] = field(default_factory=list)
    restart: Callable[[str], None] | None = None
    disk: Disk | None = None
    missing: dict[str, str] = field(default_factory=dict)


@contextmanager
def opened(database: str, folder: Path, megabytes: int) -> Iterator[Place]:
    """A place with an empty database."""
    with ExitStack() as stack:
        if database == "sqlite":
            yield _sqlite(stack, folder, megabytes)
        else:
            yield _postgresql(stack)


def _sqlite(stack: ExitStack, folder: Path, megabytes: int) -> Place:
    room = folder / "disk"
    room.mkdir()
    place = Place(f"sqlite:///{room / 'db.sqlite3'}")
    place.missing["partition"] = "processes that share a file share a machine."
    place.missing["database restart"] = "SQLite is no server."
    reason = _mount(stack, room, megabytes)
    if reason:
        place.missing["disk full"] = reason
    else:
        place.disk = Disk(room)
    return place


def _mount(stack: ExitStack, folder: Path, megabytes: int) -> str:
    """Mount a small file system there; why that is not possible, if it is not."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        return "mounting a small file system needs root and the command mount."
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "none", str(folder)]
    tried = subprocess.run(command, check=False, capture_output=True, text=True)
    if tried.returncode:
        return tried.stderr.strip()
    unmount = ["umount", "--lazy", str(folder)]
    stack.callback(subprocess.run, unmount, check=False, capture_output=True)
    return ""


def _postgresql(stack: ExitStack) -> Place:
    no_disk = "a PostgreSQL server without room stops by itself and is restarted by its operator."
    missing = {"disk full": no_disk}
    reason = cluster.available()
    if reason:
        shared = os.environ.get("TEST_DATABASE_URL") or DEFAULT_URL
        missing["database restart"] = f"others use this server. {reason}"
        missing["partition"] = "this server may not listen to other machines."
        name = stack.enter_context(created(shared))
        return Place(with_name(shared, name), missing=missing)
    machines: list[network.Machine] = []
    reason = network.available()
    if reason:
        missing["partition"] = reason
    else:
        tag = secrets.token_hex(2)
        names = [f"{tag}{number}" for number in range(WORKERS)]
        machines = [stack.enter_context(network.machine(name)) for name in names]
    host = machines[0].host_address if machines else LOOPBACK
    server = stack.enter_context(cluster.cluster(listen=host))
    run(server.url, "CREATE DATABASE hummbl")
    return Place(with_name(server.url, "hummbl"), host, machines, server.restart, missing=missing)
