"""The web process as `make run` starts it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from django.conf import settings

from tests.processes import PATIENCE, free_port
from tests.smtp import smtp_server

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    """gunicorn on a free port and an empty database; its log lines are JSON."""
    port = free_port()
    log = (tmp_path / "log").open("w+")
    with smtp_server(pause=0.5) as smtp:
        environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(port),
            "DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'db.sqlite3'}",
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}",
            "LOG_FORMAT": "json",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "hummbl.asgi:application"],
            cwd=settings.BASE_DIR,
            env=environment,
            stderr=log,
            start_new_session=True,
        )
        process.url, process.log = f"http://127.0.0.1:{port}", log
        process.smtp, process.environment = smtp, environment
        yield process
        if process.poll() is None:
            process.kill()
            process.wait()
    log.close()


def get(server, path, headers):
    """Status, headers and body, as soon as the server answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = urllib.request.urlopen(
                urllib.request.Request(server.url + path, headers=headers), timeout=PATIENCE
            )
        except urllib.error.HTTPError as error:
            answer = error
        except OSError:
            assert server.poll() is None, "gunicorn ended"
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
            continue
        with answer:
            return answer.status, answer.headers, answer.read()


def migrate(server):
    """Make the tables in the server's database."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(
        command, cwd=settings.BASE_DIR, env=server.environment, check=True, timeout=PATIENCE
    )


def lines(server):
    server.log.seek(0)
    return [json.loads(line) for line in server.log.read().splitlines()]


def test_it_serves_logs_and_stops(server):
    status, headers, body = get(server, "/api/health", {"X-Request-ID": "from-a-test-1"})
    assert status == 200
    assert json.loads(body)["database"]["pending_migrations"] > 0
    assert headers["X-Request-ID"] == "from-a-test-1"
    assert "Server" not in headers

    status, _, _ = get(server, "/nowhere?token=canary", {"X-Forwarded-For": "6.6.6.6"})
    assert status == 404

    server.send_signal(signal.SIGTERM)
    assert server.wait(PATIENCE) == 0
    log = lines(server)
    assert any(line["event"] == "GET /nowhere 404" for line in log)
    assert "canary" not in json.dumps(log)
    assert "6.6.6.6" not in json.dumps(log)


def post(server, path, body):
    """The answer's status."""
    request = urllib.request.Request(
        server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_mails_that_wait_are_sent_before_it_stops(server, number):
    """The mail server takes its time; neither the answer nor the end of the process forgets it."""
    get(server, "/api/health", {})
    migrate(server)
    body = {"email": "carol@example.com", "password": "a long enough phrase"}
    assert post(server, "/api/auth/register", body) == 201

    os.killpg(server.pid, number)
    assert server.wait(PATIENCE) == 0

    assert [mail["To"] for mail in server.smtp.mails] == ["carol@example.com"]
    assert [line for line in lines(server) if line["level"] in {"error", "critical"}] == []
