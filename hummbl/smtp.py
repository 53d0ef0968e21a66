"""Django's SMTP backend with conversations that end.

EMAIL_TIMEOUT is for each read: a server that says a letter every few seconds would hold its caller
for ever. Here a whole conversation has LIMIT seconds; then the line is cut, and the caller finds it
so (SMTPServerDisconnected, or another OSError).
"""

import smtplib
import socket
import threading
from contextlib import suppress
from typing import Any, Final

from django.core.mail.backends import smtp

LIMIT: Final = 30.0


class _Bounded(smtplib.SMTP):
    _line: socket.socket | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        # A handle of our own: TLS takes over the socket, and may be waiting within it.
        line = made.dup()
        self._line = line
        self._timer = threading.Timer(LIMIT, _cut, [line])
        self._timer.daemon = True
        self._timer.start()
        return made

    def close(self) -> None:
        """End it, and the wait for its end."""
        super().close()
        if self._line is not None:
            self._timer.cancel()
            self._line.close()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        line.shutdown(socket.SHUT_RDWR)
    line.close()


class _BoundedTLS(smtplib.SMTP_SSL, _Bounded):
    """TLS from the first byte on: the socket is bounded before its handshake."""


class EmailBackend(smtp.EmailBackend):
    """What EMAIL_URL means by `smtp`."""

    @property
    def connection_class(self) -> type[Any]:
        """The class of a conversation."""
        return _BoundedTLS if self.use_ssl else _Bounded
