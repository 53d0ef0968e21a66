"""A PostgreSQL server of one's own, to be stopped and restarted as no shared one may be.

with cluster() as server:
    psycopg.connect(server.url)
    server.restart()
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.processes import free_port

LOOPBACK = "127.0.0.1"


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl: Debian keeps them out of the PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


def _user() -> str | None:
    """Whom the server runs as, when we are root: it refuses to be."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


def available() -> str | None:
    """Why no server can be started here; None where one can."""
    if _programs() is None:
        return "A PostgreSQL server of our own needs initdb and pg_ctl."
    if os.geteuid() == 0 and _user() is None:
        return "A PostgreSQL server of our own needs a user other than root to run as."
    return None


class Cluster:
    """A server in a folder of its own. Everybody who reaches it may log in, without a password."""

    def __init__(self, folder: Path, listen: str) -> None:
        self.port = free_port(listen)
        self.host = listen
        self.url = f"postgres://postgres@{listen}:{self.port}/postgres"
        self._data = folder / "data"
        programs = _programs()
        assert programs is not None, available()
        self._programs = programs

    def start(self) -> None:
        """Serve; returns when it does."""
        self._run("pg_ctl", "start", "--wait", "--silent", "-l", f"{self._data}/server.log")

    def stop(self, mode: str = "fast") -> None:
        """Stop serving: `fast` ends all connections, `immediate` is as good as a power cut."""
        self._run("pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}")

    def restart(self, mode: str = "fast") -> None:
        """Stop and start."""
        self.stop(mode)
        self.start()

    def create(self) -> None:
        """Make the folder's content."""
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
        settings = {
            "listen_addresses": f"'{self.host},{LOOPBACK}'",
            "port": self.port,
            "unix_socket_directories": "''",
            "max_connections": 200,
            # Enough of durability: the machine itself does not lose its power in a test.
            "fsync": "off",
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        with (self._data / "pg_hba.conf").open("a") as file:
            file.write("host all all samenet trust\n")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments, "-D", str(self._data)]
        # Whatever folder we are in, the server's user may not enter it.
        subprocess.run(command, check=True, capture_output=True, user=_user(), cwd="/")


@contextmanager
def cluster(listen: str = LOOPBACK) -> Iterator[Cluster]:
    """A running server that listens on this address and on loopback; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hummbl-cluster-") as folder:
        if user := _user():
            shutil.chown(folder, user)
        server = Cluster(Path(folder), listen)
        server.create()
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # it may be down already
                server.stop("immediate")
