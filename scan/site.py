"""The site that is scanned: as in production, with TLS, on a database of its own."""

import datetime
import ipaddress
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.databases import environment
from benchmarks.processes import BASE_DIR, ProcessFailed, free_port, running
from hummbl import encryption

VISITORS: Final = {"nobody": "", "user": "scan@example.com", "admin": "admin@example.com"}
PASSWORD: Final = "correct horse battery"  # noqa: S105 - of a database that lasts for one scan
LIMITS: Final = ("AUTH", "EXECUTE", "API", "PAGES", "MAIL", "TELEMETRY")
START_SECONDS: Final = 120


@dataclass(frozen=True)
class Site:
    """The running site, and the folder of its files."""

    url: str
    folder: Path

    def client(self) -> httpx2.Client:
        """Asks this site, whose certificate nobody else has signed."""
        trust = ssl.create_default_context(cafile=self.folder / "cert.pem")
        return httpx2.Client(base_url=self.url, verify=trust, trust_env=False, timeout=60)

    def token(self, visitor: str) -> str:
        """A new bearer token; none for nobody."""
        if not VISITORS[visitor]:
            return ""
        with self.client() as client:
            body = {"email": VISITORS[visitor], "password": PASSWORD}
            return str(_expect(client.post("/api/auth/login", json=body), 200).json()["token"])

    def cookies(self, visitor: str) -> str:
        """The cookies of a browser that has just signed in; none for nobody."""
        if not VISITORS[visitor]:
            return ""
        with self.client() as client:
            page = client.get("/signin").text
            match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
            assert match is not None
            body = {"email": VISITORS[visitor], "password": PASSWORD}
            body["csrfmiddlewaretoken"] = match[1]
            _expect(client.post("/signin", data=body, headers={"Referer": self.url}), 302)
            return "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    @property
    def schema(self) -> Path:
        """The API's description, which in production nobody gets but who is signed in."""
        return self.folder / "schema.json"

    def furnish(self) -> None:
        """Make the user and something to find: a workflow, a run, a provider key; the schema."""
        with self.client() as client:
            body = {"email": VISITORS["user"], "password": PASSWORD, "name": "Scan"}
            token = _expect(client.post("/api/auth/register", json=body), 201).json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            slug = client.get("/api/templates").json()["results"][0]["slug"]
            made = _expect(client.post(f"/api/templates/{slug}/use"), 201).json()
            key = {"provider": "openai", "name": "scan", "key": "sk-0123456789abcdef"}
            _expect(client.post("/api/keys", json=key), 201)
            run = f"/api/workflows/{made['id']}/execute"
            _expect(client.post(run, json={"input": {}}), 202, 400)
            self.schema.write_bytes(_expect(client.get("/api/schema?format=json"), 200).content)


@contextmanager
def started(folder: Path) -> Iterator[Site]:
    """The site on loopback, as in production but for the rate limits; its log is `web.log`."""
    port = free_port()
    env = {
        **environment(f"sqlite:///{folder / 'db.sqlite3'}", folder),
        "ENVIRONMENT": "production",
        "ALLOWED_HOSTS": "127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": f"https://127.0.0.1:{port}",
        "SECRET_KEY": os.urandom(48).hex(),
        "ENCRYPTION_KEYS": encryption.generate_key(),
        "WEB_CONCURRENCY": "2",
        "LOG_FORMAT": "json",
        "EMAIL_URL": "dummymail://",
        **dict.fromkeys((f"RATE_LIMIT_{name}" for name in LIMITS), ""),
    }
    _manage(env, "collectstatic", "--no-input", "--verbosity", "0")
    _manage(env, "migrate", "--verbosity", "0")
    _manage(env, "createadmin", "--email", VISITORS["admin"], "--password-stdin", given=PASSWORD)
    _write_certificate(folder)
    gunicorn = Path(sys.executable).with_name("gunicorn")
    command = (
        f"exec {gunicorn} --certfile {folder / 'cert.pem'} --keyfile {folder / 'key.pem'} "
        f"hummbl.asgi:application 2>{folder / 'web.log'}"
    )
    site = Site(f"https://127.0.0.1:{port}", folder)
    with running(command, port=port, **env):
        _wait_for(site)
        site.furnish()
        yield site


def _manage(env: dict[str, str], *command: str, given: str = "") -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=BASE_DIR,
        env=env,
        input=given,
        text=True,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _wait_for(site: Site) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx2.TransportError), site.client() as client:
            if client.get("/api/health").status_code == 200:
                return
        time.sleep(0.5)
    raise ProcessFailed(f"The site does not answer:\n{(site.folder / 'web.log').read_text()}")


def _expect(answer: httpx2.Response, *statuses: int) -> httpx2.Response:
    if answer.status_code not in statuses:
        raise ProcessFailed(f"{answer.request.url} answered {answer.status_code}: {answer.text}")
    return answer


def _write_certificate(folder: Path) -> None:
    """A certificate of 127.0.0.1 for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(hours=1),
        not_valid_after=now + datetime.timedelta(days=1),
    )
    made = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
