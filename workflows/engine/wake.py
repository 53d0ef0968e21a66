"""Waking idle workers: LISTEN/NOTIFY on PostgreSQL, UNIX datagrams beside a SQLite file.

A wake-up is a hint, never the truth: a lost one costs a worker its slow poll (see
`workflows.engine.worker`), and a spare one costs a query.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from hummbl import unpooled

NEW = "new"
CANCEL = "cancel"
CLOSED = "closed"
CHANNEL = "hummbl_wake"
APPLICATION_NAME = "hummbl worker"  # what pg_stat_activity shows


def notify_after_commit(kind: str) -> None:
    """Wake the workers of every process and machine once the current transaction has committed."""
    if connection.vendor == "postgresql":
        # PostgreSQL delivers at commit, and drops the notice with a rollback.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, kind])
    else:
        database = str(connection.settings_dict["NAME"])
        transaction.on_commit(lambda: send(database, kind))


def notify_now(kind: str) -> None:
    """Wake the workers from a thread that is in no transaction."""
    try:
        with transaction.atomic():
            notify_after_commit(kind)
    finally:
        connection.close()


def send(database: str, kind: str) -> None:
    """Send a datagram to every worker that listens beside this SQLite file."""
    try:
        paths = list(socket_directory(database).iterdir())
    except FileNotFoundError:
        return  # no worker has ever listened, or the last one has just left
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for path in paths:
            try:
                sender.sendto(kind.encode(), str(path))
            except (ConnectionRefusedError, FileNotFoundError):
                # The worker died without cleaning up.
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
            except BlockingIOError:
                # A full queue means that the worker is awake already.
                continue


def socket_directory(database: str) -> Path:
    """Where the workers of a SQLite file bind their sockets.

    Not beside the file: a UNIX socket's path has at most 107 bytes.
    """
    digest = hashlib.sha256(os.path.realpath(database).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"hummbl-{os.getuid()}-{digest}"


class Listener(Protocol):
    """Hears wake-ups in an event loop and calls back with their kinds."""

    def close(self) -> None:
        """Stop listening."""


async def listen(heard: Callable[[str], None]) -> Listener:
    """Call `heard` in this loop for every wake-up. Raises when the database refuses."""
    loop = asyncio.get_running_loop()
    if connection.vendor == "postgresql":
        # In a thread: a database that does not answer must not stop the loop.
        private = await loop.run_in_executor(None, _listening_connection)
        return PostgresListener(loop, private, heard)
    return DatagramListener(loop, heard)


class DatagramListener:
    """A UNIX datagram socket of this worker's own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, heard: Callable[[str], None]) -> None:
        directory = socket_directory(str(connections["default"].settings_dict["NAME"]))
        directory.mkdir(mode=0o700, exist_ok=True)
        if directory.stat().st_uid != os.getuid():
            raise PermissionError(f"{directory} belongs to someone else. Remove it.")
        self._loop, self._heard = loop, heard
        self._path = directory / secrets.token_hex(4)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self._path))
        loop.add_reader(self._socket.fileno(), self._read)

    def _read(self) -> None:
        kinds = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                kinds.add(self._socket.recv(64).decode())
        for kind in kinds:
            self._heard(kind)

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # other workers listen there
            self._path.parent.rmdir()


class PostgresListener:
    """A connection that has said LISTEN. `heard` gets CLOSED when the connection breaks."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        private: BaseDatabaseWrapper,
        heard: Callable[[str], None],
    ) -> None:
        self._loop, self._heard = loop, heard
        self._private = private
        self._raw: Any = private.connection
        self._descriptor = self._raw.fileno()
        loop.add_reader(self._descriptor, self._read)

    def _read(self) -> None:
        from psycopg import OperationalError

        kinds = set()
        try:
            self._raw.pgconn.consume_input()
            while notice := self._raw.pgconn.notifies():
                kinds.add(notice.extra.decode())
        except OperationalError:
            self.close()
            kinds = {CLOSED}
        for kind in kinds:
            self._heard(kind)

    def close(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._raw.close()


def _listening_connection() -> BaseDatabaseWrapper:
    private = private_connection()
    try:
        with private.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
    except BaseException:
        private.close()
        raise
    return private


def private_connection() -> BaseDatabaseWrapper:
    """A connection of one's own, outside the pool and open. The caller closes it."""
    wrapper = unpooled.connection(APPLICATION_NAME)
    wrapper.inc_thread_sharing()
    wrapper.ensure_connection()
    return wrapper
