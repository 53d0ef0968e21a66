"""Scanners against the code and the running site: `python -m benchmarks.scan WAPITI`, `make scan`.

bandit and ruff's S rules read the code. Then the site is started as in production, with TLS, on a
new database: Wapiti crawls it as nobody, as a user and as an administrator, and Schemathesis asks
the API as a user. The exit status is 1 if any of them found something, and its report is printed.
WAPITI is the program, which lives in an environment of its own.
"""

import datetime
import ipaddress
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.databases import environment
from benchmarks.figures import table
from benchmarks.processes import BASE_DIR, ProcessFailed, free_port, running
from hummbl import encryption

APPS = ["hummbl", "accounts", "observability", "workflows"]
# What pyproject.toml leaves out for all code, and says why.
NO_FINDINGS = "S101,S603"
MODULES = "csp,cookieflags,http_headers,xss,sql,redirect"
USER, ADMIN = "scan@example.com", "admin@example.com"
PASSWORD = "correct horse battery"  # noqa: S105 - of a database that lasts for one scan
LIMITS = ("AUTH", "EXECUTE", "API", "PAGES", "MAIL")
CRAWL_SECONDS, ATTACK_SECONDS = 45, 45
# A choice that our script writes and reads, and nothing secret.
ACCEPTED = "HttpOnly flag is not set in the cookie : run_view"
# What would end the session that Wapiti uses, and what deletes or multiplies what it has found.
UNTOUCHED = [
    "/signout",
    "/admin/*",
    "/profile/sessions/*",
    "/manage/users/*",
    "*/delete",
    "*/copy",
    "*/use",
]
# What a schema cannot say: a wrong document gets its verdict in a 200, an empty filter is none.
LENIENT = """
[[operations]]
include-path = "/api/workflows/validate"
checks.negative_data_rejection.enabled = false

[[operations]]
include-path-regex = "^/api/(admin/)?(executions|audit|audit.csv|users)$"
checks.negative_data_rejection.enabled = false
"""
# The same for Schemathesis, and what only waits.
SPARED = ["/api/auth/logout", "/api/auth/sessions/{id}", "/api/executions/{id}/stream"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scanner found: nothing, or a report that says what."""

    scanner: str
    summary: str
    report: str = ""


def main() -> int:
    """Scan, print a table; 1 if anything was found."""
    verdicts = list(_code())
    with tempfile.TemporaryDirectory(prefix="hummbl-scan-") as made:
        folder = Path(made)
        with _site(folder) as site:
            site.prepare()
            for name, email in {"nobody": "", "user": USER, "admin": ADMIN}.items():
                verdicts.append(_wapiti(site, name, email))
            verdicts.append(_schemathesis(site))
        verdicts.append(_log(folder / "web.log"))
    for verdict in verdicts:
        if verdict.report:
            print(f"== {verdict.scanner}\n{verdict.report}\n")
    rows = [[each.scanner, "found" if each.report else "clean", each.summary] for each in verdicts]
    print(table(["scanner", "verdict", "summary"], rows))
    return int(any(verdict.report for verdict in verdicts))


def _code() -> Iterator[Verdict]:
    _say("bandit")
    command = ["bandit", "--recursive", "--configfile", "pyproject.toml", "--quiet", *APPS]
    found = _run(command, BASE_DIR)
    yield Verdict("bandit", f"{', '.join(APPS)}", found.stdout if found.returncode else "")
    _say("ruff")
    found = _run(
        ["ruff", "check", "--select", "S", "--ignore", NO_FINDINGS, "--no-cache", "."], BASE_DIR
    )
    yield Verdict("ruff --select S", "everything", found.stdout if found.returncode else "")


@dataclass(frozen=True, slots=True)
class Site:
    """The running site, and where its files are."""

    url: str
    folder: Path
    env: dict[str, str]

    def prepare(self) -> None:
        """Give the user something to find: a workflow that ran, and a provider key."""
        with self.client() as client:
            body = {"email": USER, "password": PASSWORD, "name": "Scan"}
            _expect(client.post("/api/auth/register", json=body), 201)
        with self.client() as client:
            client.headers["Authorization"] = f"Bearer {self.token(USER)}"
            slug = client.get("/api/templates").json()["results"][0]["slug"]
            made = _expect(client.post(f"/api/templates/{slug}/use"), 201)
            key = {"provider": "openai", "name": "scan", "key": "sk-0123456789abcdef"}
            _expect(client.post("/api/keys", json=key), 201)
            run = f"/api/workflows/{made.json()['id']}/execute"
            _expect(client.post(run, json={"input": {}}), 202, 400)

    def client(self) -> httpx2.Client:
        """Asks this site, whose certificate nobody has signed."""
        return httpx2.Client(base_url=self.url, verify=_trust(self.folder), trust_env=False)

    def token(self, email: str) -> str:
        """A new bearer token."""
        with self.client() as client:
            body = {"email": email, "password": PASSWORD}
            token: str = _expect(client.post("/api/auth/login", json=body), 200).json()["token"]
            return token

    def cookies(self, email: str) -> str:
        """The cookies of a browser that is signed in."""
        with self.client() as client:
            page = client.get("/signin").text
            match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
            assert match is not None
            body = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": match[1]}
            _expect(client.post("/signin", data=body, headers={"Referer": self.url}), 302)
            return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


@contextmanager
def _site(folder: Path) -> Iterator[Site]:
    """The site as in production but for its limits, on loopback; its log is `web.log`."""
    _say("the site")
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
    for command, given in {
        ("collectstatic", "--no-input", "--verbosity", "0"): "",
        ("migrate", "--verbosity", "0"): "",
        ("createadmin", "--email", ADMIN, "--password-stdin"): PASSWORD,
    }.items():
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=BASE_DIR,
            env=env,
            input=given,
            text=True,
            check=True,
        )
    _write_certificate(folder)
    command = (
        f"exec gunicorn --certfile {folder / 'cert.pem'} --keyfile {folder / 'key.pem'} "
        f"hummbl.asgi:application 2>{folder / 'web.log'}"
    )
    site = Site(f"https://127.0.0.1:{port}", folder, env)
    with running(command, port=port, **env):
        _wait_for(site)
        yield site


def _wait_for(site: Site) -> None:
    for _ in range(120):
        with suppress(httpx2.TransportError), site.client() as client:
            if client.get("/api/health").status_code == 200:
                return
        time.sleep(0.5)
    raise ProcessFailed(f"{site.url} does not answer.")


def _wapiti(site: Site, name: str, email: str) -> Verdict:
    _say(f"Wapiti as {name}")
    report = site.folder / f"wapiti-{name}.json"
    command = [sys.argv[1], "--url", f"{site.url}/", "--module", MODULES, "--scope", "folder"]
    for path in UNTOUCHED:
        command += ["--exclude", f"{site.url}{path}"]
    command += ["--max-scan-time", str(CRAWL_SECONDS), "--max-attack-time", str(ATTACK_SECONDS)]
    command += ["--verify-ssl", "0", "--no-bugreport", "--verbose", "0", "--flush-session"]
    command += ["--store-session", str(site.folder / f"session-{name}")]
    command += ["--format", "json", "--output", str(report)]
    if email:
        command += ["--cookie-value", site.cookies(email)]
    done = _run(command, site.folder, HOME=str(site.folder))
    if done.returncode or not report.exists():
        return Verdict(f"Wapiti, {name}", "failed", done.stdout + done.stderr)
    found = json.loads(report.read_text())
    pages = found["infos"]["crawled_pages_nbr"]
    lines = [
        f"{kind}: {each['method']} {each['path']} {each['parameter']}: {each['info']}"
        for group in ("vulnerabilities", "anomalies")
        for kind, all_of_kind in found[group].items()
        for each in all_of_kind
        if ACCEPTED not in each["info"]
    ]
    return Verdict(f"Wapiti, {name}", f"{MODULES}; {pages} pages", "\n".join(lines))


def _schemathesis(site: Site) -> Verdict:
    _say("Schemathesis")
    command = ["st", "run", f"{site.url}/api/schema", "--checks", "all", "--continue-on-failure"]
    command += ["--header", f"Authorization: Bearer {site.token(USER)}", "--tls-verify", "false"]
    # No schema can say that an agent exists, a cursor is ours or a password is right.
    command += ["--exclude-checks", "positive_data_acceptance"]
    command += ["--seed", "1", "--max-examples", "10", "--no-color"]
    for path in SPARED:
        command += ["--exclude-path", path]
    (site.folder / "schemathesis.toml").write_text(LENIENT)
    done = _run(command, site.folder)
    found = re.search(r"Selected: (\S+)", done.stdout), re.search(r"(\d+) generated", done.stdout)
    operations, cases = (match[1] if match else "?" for match in found)
    summary = f"all checks, {operations} operations, {cases} cases"
    return Verdict("Schemathesis", summary, done.stdout if done.returncode else "")


def _log(path: Path) -> Verdict:
    """Whatever the site itself called an error meanwhile."""
    lines = path.read_text(errors="replace").splitlines()
    errors = [line for line in lines if '"level":"error"' in line]
    return Verdict("log of the site", f"{len(lines)} lines", "\n".join(errors[:20]))


def _run(command: list[str], folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def _expect(answer: httpx2.Response, *statuses: int) -> httpx2.Response:
    if answer.status_code not in statuses:
        raise ProcessFailed(f"{answer.request.url} answered {answer.status_code}: {answer.text}")
    return answer


def _trust(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder / "cert.pem")


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


def _say(what: str) -> None:
    print(f"Scanning: {what} …", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
