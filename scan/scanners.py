"""The scanners, each a function that says what it looked at and what it found."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.processes import BASE_DIR
from scan.site import Site

APPS = ["hummbl", "accounts", "observability", "workflows"]
# What pyproject.toml leaves out for all code, and says why.
NO_FINDINGS = "S101,S603"
MODULES = "csp,cookieflags,http_headers,xss,sql,redirect"
CRAWL_SECONDS, ATTACK_SECONDS, EXAMPLES = 40, 30, 5
# How one looks at a run, and nothing secret. Our script writes it, too: it could not if it were.
ACCEPTED = "HttpOnly flag is not set in the cookie : run_view"
# What would end the session that Wapiti uses, and what deletes or multiplies what it has found.
UNTOUCHED_PAGES = [
    "/signout",
    "/admin/*",
    "/profile/sessions/*",
    "/manage/users/*/role",
    "/manage/users/*/activity",
    "/manage/users/*/sessions/*",
    "*/delete",
    "*/copy",
    "*/use",
]
# The same for Schemathesis, and what only waits.
UNTOUCHED_API = [
    "/api/auth/logout",
    "/api/auth/sessions/{id}",
    "/api/admin/users/{id}/sessions",
    "/api/executions/{id}/stream",
]


@dataclass(frozen=True, slots=True)
class Result:
    """What a scanner looked at, and what it found there."""

    scanner: str
    scope: str
    findings: list[str] = field(default_factory=list)


def bandit() -> Result:
    """The code of the product, by bandit."""
    command = ["bandit", "--recursive", "--configfile", "pyproject.toml", "--quiet"]
    found = _report([*command, "--format", "json", *APPS])
    return Result(
        "bandit",
        f"{found['metrics']['_totals']['loc']:,} lines of {', '.join(APPS)}",
        [
            f"{each['filename']}:{each['line_number']}: {each['test_id']} {each['issue_text']}"
            for each in found["results"]
        ],
    )


def ruff() -> Result:
    """All code, by ruff's rules that come from bandit."""
    command = ["ruff", "check", "--select", "S", "--ignore", NO_FINDINGS, "--no-cache"]
    found = _report([*command, "--output-format", "json", "."])
    return Result(
        "ruff S",
        "all code",
        [
            f"{each['filename']}:{each['location']['row']}: {each['code']} {each['message']}"
            for each in found
        ],
    )


def wapiti(program: Path, site: Site, visitor: str, cookies: str) -> Result:
    """The pages that the visitor gets to, by Wapiti."""
    report = site.folder / f"wapiti-{visitor}.json"
    command = [str(program), "--url", f"{site.url}/", "--module", MODULES, "--scope", "folder"]
    for path in UNTOUCHED_PAGES:
        command += ["--exclude", f"{site.url}{path}"]
    command += ["--max-scan-time", str(CRAWL_SECONDS), "--max-attack-time", str(ATTACK_SECONDS)]
    command += ["--verify-ssl", "0", "--no-bugreport", "--verbose", "0", "--flush-session"]
    command += ["--store-session", str(site.folder / f"session-{visitor}")]
    command += ["--format", "json", "--output", str(report)]
    if cookies:
        command += ["--cookie-value", cookies]
    name = f"Wapiti, {visitor}"
    _say(name)
    done = _run(command, site.folder)
    if done.returncode or not report.exists():
        return Result(name, "failed", [done.stdout + done.stderr])
    found = json.loads(report.read_text())
    return Result(
        name,
        f"{found['infos']['crawled_pages_nbr']} pages ({MODULES})",
        [
            f"{kind}: {each['method']} {each['path']} {each['parameter']}: {each['info']}"
            for group in ("vulnerabilities", "anomalies")
            for kind, all_of_kind in found[group].items()
            for each in all_of_kind
            if each["info"] != ACCEPTED
        ],
    )


def schemathesis(site: Site, visitor: str, token: str) -> Result:
    """The API as it answers the visitor, by Schemathesis."""
    report = site.folder / f"schemathesis-{visitor}.json"
    command = ["st", "--config-file", str(Path(__file__).with_name("schemathesis.toml")), "run"]
    command += [str(site.schema), "--url", site.url, "--tls-verify", "false"]
    command += ["--continue-on-failure", "--no-color", "--seed", "1"]
    command += ["--max-examples", str(EXAMPLES), "--report-json-path", str(report)]
    for path in UNTOUCHED_API:
        command += ["--exclude-path", path]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    name = f"Schemathesis, {visitor}"
    _say(name)
    done = _run(command, site.folder)
    if not report.exists():
        return Result(name, "failed", [done.stdout + done.stderr])
    found = json.loads(report.read_text())
    operations, cases = found["operations"]["tested"], found["test_cases"]["generated"]
    return Result(
        name,
        f"{operations} operations, {cases:,} cases",
        [done.stdout] if done.returncode else [],
    )


def log(path: Path) -> Result:
    """What the site answered meanwhile; whatever it calls an error, such as a 5xx, is a finding."""
    lines = path.read_text(errors="replace").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    statuses = Counter(f"{event['status'] // 100}xx" for event in events if "status" in event)
    return Result(
        "log of the site",
        ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items())),
        [line for line in lines if not line.startswith("{") or '"level":"error"' in line],
    )


def _report(command: list[str]) -> Any:
    _say(command[0])
    done = _run(command, BASE_DIR)
    if not done.stdout:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")
    return json.loads(done.stdout)


def _run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """The outcome of a program of this environment, which keeps its own files in the folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def _say(what: str) -> None:
    print(f"Scanning: {what} …", file=sys.stderr)
