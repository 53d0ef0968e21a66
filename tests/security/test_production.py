"""What the service answers as it is operated: production settings, a real server, a proxy.

security.md 9, 12, 13, 27, 28
"""

import base64
import http.client
import json
import os
import secrets
import subprocess
import sys

import pytest
from django.conf import settings

from accounts.models import AuditEntry, Session
from tests.processes import PATIENCE, database_url, free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.django_db(transaction=True)]
HOST = "hummbl.example.org"
FRIEND = "https://friend.example.com"
HTTPS = {"X-Forwarded-Proto": "https"}


def environment(tmp_path, **extra):
    """What the documentation tells an operator to set, and nothing else."""
    return {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "production",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": database_url(),
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "ALLOWED_HOSTS": HOST,
        "TRUSTED_PROXY_COUNT": "1",
        "EMAIL_URL": "smtp+tls://user:password@127.0.0.1:587",
        "STATIC_ROOT": str(tmp_path / "staticfiles"),
        **extra,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("production")
    folder.chmod(0o700)
    return folder


@pytest.fixture(scope="module")
def collected(folder):
    """The folder, with the static files that a page of production names."""
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=settings.BASE_DIR,
        env=environment(folder, DATABASE_URL="sqlite://:memory:"),
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def server(collected, django_db_setup):
    """`server("/path", method, body, header=…)`: status, headers and body, from a real server."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "hummbl.asgi:application"],
        cwd=settings.BASE_DIR,
        env=environment(collected, PORT=str(port), CORS_ALLOWED_ORIGINS=FRIEND, LOG_FORMAT="json"),
        stderr=subprocess.DEVNULL,
    )

    def ask(path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": HOST, **HTTPS, **given})
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read()
        connection.close()
        return found

    def up():
        assert process.poll() is None, "gunicorn ended"
        try:
            return ask("/api/health")
        except OSError:
            return None

    wait_for(up, what="gunicorn answers")
    yield ask
    # Not SIGKILL: gunicorn's own processes would outlive it.
    process.terminate()
    process.wait()


@pytest.fixture
def ask(server, transactional_db):
    """The server, in a test of its own."""
    return server


def test_check_deploy_is_clean(folder):
    """security.md 28: with the settings that the documentation asks for."""
    found = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=settings.BASE_DIR,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr


def test_every_answer_carries_what_protects_the_page(ask):
    """security.md 27, 28: pages, errors, redirects, the API, the Django admin, static files."""
    for path, expected in {
        "/": 200,
        "/signin": 200,
        "/nowhere": 404,
        "/dashboard": 302,
        "/admin/": 302,
        "/api/health": 200,
        "/metrics": 404,
        "/api/nowhere": 404,
        "/api/auth/me": 401,
        "/api/docs": 401,
        "/static/nowhere.css": 404,
    }.items():
        status, headers, _ = ask(path)
        assert status == expected, path
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY" or path.startswith("/static/")
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "Server" not in headers


def test_cookies_and_the_way_to_https(ask):
    """security.md 9, 28"""
    _, headers, _ = ask("/signin")
    (cookie,) = headers.get_all("Set-Cookie")
    assert cookie.startswith("__Host-csrftoken=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie
    status, headers, _ = ask("/signin", X_Forwarded_Proto="http")
    assert (status, headers["Location"]) == (301, f"https://{HOST}/signin")
    assert "Content-Security-Policy" in headers


def test_the_api_docs_are_for_those_who_have_an_account(ask):
    """security.md 28: so are the schema and the Django admin; a 405 is in our envelope."""
    for path in ("/api/schema", "/api/docs"):
        status, headers, body = ask(path)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert set(json.loads(body)) == {"error", "code", "details"}
    assert ask("/admin/")[1]["Location"].startswith("/admin/login/")
    assert ask("/metrics")[0] == 404


def test_a_forged_host_is_refused(ask):
    """security.md 28: no link, redirect or cookie is made from a name that is not ours."""
    for host in ("evil.example.com", f"{HOST}.evil.example.com", f"{HOST}:443@evil.example.com"):
        status, headers, body = ask("/signin", Host=host)
        assert status == 400, host
        assert b"evil" not in body
        assert "Set-Cookie" not in headers
    # A header that only some proxies know counts for nothing.
    status, headers, _ = ask("/signin", X_Forwarded_Host="evil.example.com", X_Forwarded_Proto="")
    assert headers["Location"] == f"https://{HOST}/signin"


def test_other_origins(ask):
    """security.md 13: closed, but for those that are listed, and for them without cookies."""
    preflight = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "authorization",
    }
    for path in ("/api/workflows", "/api/auth/login"):
        _, headers, _ = ask(path, "OPTIONS", Origin=FRIEND, **preflight)
        assert headers["Access-Control-Allow-Origin"] == FRIEND
        assert "authorization" in headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in headers
        for origin in ("https://evil.example.com", f"{FRIEND}.evil.com", "null"):
            _, headers, _ = ask(path, "OPTIONS", Origin=origin, **preflight)
            assert "Access-Control-Allow-Origin" not in headers
    assert "Access-Control-Allow-Origin" not in ask("/signin", Origin=FRIEND)[1]


def test_an_address_that_the_client_made_up_does_not_count(ask, alice):
    """security.md 12: behind one proxy, only the entry that it added."""
    body = json.dumps({"email": alice.email, "password": "correct horse battery"})
    headers = {"Content_Type": "application/json", "X_Forwarded_For": "6.6.6.6, 203.0.113.7"}
    # The hash of the tests is none of production's: what counts is where it came from.
    status, headers, _ = ask("/api/auth/login", "POST", body, **headers)
    assert status in {200, 401}
    assert headers["X-RateLimit-Limit"] == "5"
    assert AuditEntry.objects.order_by("-at").first().ip == "203.0.113.7"
    assert not Session.objects.filter(ip="6.6.6.6").exists()


@pytest.mark.parametrize(("proxies", "trusted"), [("0", False), ("1", True), ("2", True)])
def test_x_forwarded_proto_counts_only_behind_a_proxy(folder, proxies, trusted):
    """security.md 12: without one, anybody could say that the request came over TLS."""
    code = "from hummbl import settings as s; print(getattr(s, 'SECURE_PROXY_SSL_HEADER', None))"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environment(folder, TRUSTED_PROXY_COUNT=proxies),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("HTTP_X_FORWARDED_PROTO" in shown.stdout) is trusted
