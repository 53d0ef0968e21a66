"""Mail: plain text from templates, sent beside the requests and never in their time.

A message goes to a queue when the transaction is committed, and a thread sends it: a slow or dead
mail server slows nobody down, and nobody sees from an answer's time whether there was a mail. A
mail that cannot be sent is logged and not tried again: people can ask for another.
"""

import atexit
import logging
import os
import queue
import smtplib
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string

from hummbl.logging import escape

logger = logging.getLogger(__name__)

SUBJECT: Final = "Subject: "
_SENDS_NOTHING: Final = ("console", "locmem", "dummy", "filebased")
# So that programs on holiday do not answer. Source: RFC 3834, section 5.
HEADERS: Final = {"Auto-Submitted": "auto-generated"}


def compose(template: str, to: Sequence[str], **context: Any) -> EmailMessage:
    """The message of a template, whose first line is `Subject: …` and whose second is empty."""
    subject, _, text = render_to_string(template, context).lstrip().partition("\n")
    if not subject.startswith(SUBJECT):
        raise ValueError(f"{template} does not begin with {SUBJECT!r}.")
    return EmailMessage(
        subject.removeprefix(SUBJECT).strip(), text.strip() + "\n", to=to, headers=HEADERS
    )


def absolute(request: HttpRequest, path: str) -> str:
    """The address of a page for a mail: at SITE_URL, else at the host that was asked.

    Who writes the request writes its host, and Django knows names but no ports: with several names,
    or other services on ours, only SITE_URL keeps links from leading there. Raises DisallowedHost.
    """
    if settings.SITE_URL:
        return f"{settings.SITE_URL}{path}"
    return request.build_absolute_uri(path)


def goes_nowhere() -> bool:
    """Whether mails stay on this machine, because EMAIL_URL names no mail server."""
    return settings.EMAIL_BACKEND.split(".")[-2] in _SENDS_NOTHING


def send(message: EmailMessage) -> None:
    """Send the message once the transaction under way, if any, is committed; do not wait for it.

    One without recipients costs the caller as much as any other, and goes nowhere.
    """
    transaction.on_commit(lambda: _outbox.put(message), robust=True)


def deliver(message: EmailMessage) -> None:
    """Hand the message to the mail server, now. A failure is logged, without the text."""
    if problem := attempt(message):
        _log_failure(message, problem)


def attempt(message: EmailMessage) -> str:
    """Hand the message to the mail server, now; what went wrong, in words, or nothing."""
    try:
        message.send()
    except Exception as error:  # noqa: BLE001 - the outermost loop of a thread
        return _reason(error)
    return ""


class Outbox:
    """A bounded queue of messages and the few daemon threads that empty it.

    Threads begin with the first message: a server forks before it serves.
    """

    def __init__(self, *, threads: int = 2, size: int = 200, pause: float = 0.1) -> None:
        self._threads, self._size, self._pause = threads, size, pause
        self._lock = threading.Lock()
        self._pid = 0
        self._begin()

    def put(self, message: EmailMessage) -> None:
        """Take the message, or log that there is no room for it."""
        with self._lock:
            if self._pid != os.getpid():
                self._start()
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            _log_failure(message, "too many mails are waiting")

    def flush(self, timeout: float) -> bool:
        """Wait until everything is sent, `timeout` seconds at most; whether it was."""
        if self._pid != os.getpid():
            return True
        self._leaving.set()
        deadline = time.monotonic() + timeout
        with self._queue.all_tasks_done:
            while self._queue.unfinished_tasks:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._queue.all_tasks_done.wait(left)
        return True

    def _begin(self) -> None:
        self._queue: queue.Queue[EmailMessage] = queue.Queue(self._size)
        self._leaving = threading.Event()

    def _start(self) -> None:
        # In a forked process nothing of the parent's queue is ours to send.
        self._begin()
        self._pid = os.getpid()
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"mail-{number}", daemon=True).start()

    def _work(self) -> None:
        while True:
            message = self._queue.get()
            # The answer to the request leaves first: the work here must not show in its time.
            self._leaving.wait(self._pause)
            try:
                deliver(message)
            finally:
                self._queue.task_done()


_outbox = Outbox()


@atexit.register
def _flush_at_exit() -> None:
    if not _outbox.flush(settings.EMAIL_TIMEOUT if settings.configured else 0):
        logger.error("The process ends with mails that were not sent.")


def _log_failure(message: EmailMessage, reason: str) -> None:
    to = escape(", ".join(message.to))
    logger.error("Mail %r to %s was not sent: %s", message.subject, to, reason)


def _reason(error: Exception) -> str:
    """What went wrong, in words of our own and of the system: a server's may repeat the text."""
    name = type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{name} {error.smtp_code}"
    if isinstance(error, OSError) and error.errno:
        return f"{name}: {os.strerror(error.errno)}"
    before = error.__context__
    return f"{name} after {type(before).__name__}" if before else name
