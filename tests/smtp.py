"""A small SMTP server in a thread, for the conversations that mail backends have."""

import socketserver
import threading
import time
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 test")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            self.server.heard.append(line.decode().strip())
            if word == b"DATA":
                self.say("354 go on")
                self.take()
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say(self.server.answers.get(word.decode(), "250 ok"))

    def take(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        time.sleep(self.server.pause)
        answer = self.server.answers.get("DATA", "250 taken")
        if answer.startswith("250"):
            self.server.mails.append(message_from_bytes(b"".join(lines), policy=default))
        self.say(answer)

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def smtp_server(*, pause=0.0, **answers):
    """A server that keeps `mails` and what it `heard`; `port` is where.

    It takes `pause` seconds over each mail. `answers` replaces what it says to a command, as in
    `DATA="554 spam"`.
    """
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.mails, server.heard, server.pause, server.answers = [], [], pause, answers
        server.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class _Drip(socketserver.BaseRequestHandler):
    """Says one endless line, a letter at a time, until the other side is gone.

    It begins as a record of a TLS handshake, so that those wait for its end as well.
    """

    def handle(self):
        try:
            self.request.sendall(b"\x16\x03\x03\x40\x00\x02")
            while True:
                self.request.sendall(b"2")
                time.sleep(0.02)
        except OSError:
            self.server.hung_up.set()


@contextmanager
def dripping_server():
    """A server that never comes to an end; `hung_up` is set when a client has had enough."""
    with _Server(("127.0.0.1", 0), _Drip) as server:
        server.hung_up = threading.Event()
        server.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
