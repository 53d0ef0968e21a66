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
