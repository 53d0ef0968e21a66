"""System checks for settings that would be dangerous or would not work.

`manage.py check` runs them, and so does every command that touches the database.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from hummbl import encryption
from hummbl.ratelimit import Limit

MIN_SECRET_LENGTH = 50
MIN_SECRET_CHARACTERS = 10
MIN_TOKEN_LENGTH = 20
MIN_IDLE_TTL = 300
CENTURY = 36_500  # days
RETENTIONS = (
    "RETENTION_AUDIT",
    "RETENTION_SESSIONS",
    "RETENTION_EXECUTIONS",
    "RETENTION_EVENTS",
    "RETENTION_SPEND",
    "RETENTION_ERRORS",
    "RETENTION_ALERTS",
)
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1", ".localhost", "testserver"})
OTHERS = stat.S_IRWXO
NOT_OWNER = stat.S_IRWXG | stat.S_IRWXO


@register(Tags.security)
def check_secrets(**_kwargs: Any) -> list[CheckMessage]:
    """Secrets are strong, usable and different from each other."""
    return list(_secrets())


@register(Tags.security)
def check_hosts(**_kwargs: Any) -> list[CheckMessage]:
    """The host names fit the environment."""
    return list(_hosts())


@register(Tags.security)
def check_files(**_kwargs: Any) -> list[CheckMessage]:
    """Nobody else on the machine reads our secrets."""
    return list(_files())


@register("settings")
def check_numbers(**_kwargs: Any) -> list[CheckMessage]:
    """Numbers and limits are in a range that works."""
    return [*_numbers(), *_retention()]


def _secrets() -> Iterator[CheckMessage]:
    secret = settings.SECRET_KEY
    if settings.PRODUCTION and (
        len(secret) < MIN_SECRET_LENGTH or len(set(secret)) < MIN_SECRET_CHARACTERS
    ):
        yield Error(
            "SECRET_KEY is too weak for production.",
            hint=f"Use at least {MIN_SECRET_LENGTH} random characters: "
            "python -c 'import secrets; print(secrets.token_urlsafe(64))'",
            id="hummbl.E001",
        )
    try:
        encryption.key_ids()
    except ImproperlyConfigured as error:
        yield Error(
            str(error), hint="Make one: see ENCRYPTION_KEYS in .env.example", id="hummbl.E002"
        )
    if 0 < len(settings.PROMETHEUS_TOKEN) < MIN_TOKEN_LENGTH:
        yield Error(
            "PROMETHEUS_TOKEN can be guessed.",
            hint=f"Use at least {MIN_TOKEN_LENGTH} random characters: "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            id="hummbl.E012",
        )
    if secret in settings.ENCRYPTION_KEYS:
        yield Error(
            "SECRET_KEY is also one of ENCRYPTION_KEYS.",
            hint="Give each its own value, so that one leak does not open both.",
            id="hummbl.E003",
        )


def _hosts() -> Iterator[CheckMessage]:
    hosts = set(settings.ALLOWED_HOSTS)
    if settings.DEBUG and (settings.PRODUCTION or hosts - LOCAL_HOSTS):
        yield Error(
            "DEBUG is on where others can reach it; its error pages show settings and source.",
            hint="Unset DEBUG, or allow local hosts only.",
            id="hummbl.E004",
        )
    if not settings.PRODUCTION:
        return
    if "*" in hosts:
        yield Error(
            "ALLOWED_HOSTS allows every name, so a forged Host header passes.",
            hint="List the names this server is reached by.",
            id="hummbl.E005",
        )
    if not hosts:
        yield Error(
            "ALLOWED_HOSTS is empty, so every request is refused.",
            hint="List the names this server is reached by.",
            id="hummbl.E006",
        )
    insecure = [
        origin
        for origin in (*settings.CSRF_TRUSTED_ORIGINS, *settings.CORS_ALLOWED_ORIGINS)
        if not origin.startswith("https://")
    ]
    if insecure:
        yield checks.Warning(
            f"These trusted origins are not https: {', '.join(insecure)}.",
            hint="Anyone on their network can act in their name. Use https.",
            id="hummbl.W001",
        )


def _files() -> Iterator[CheckMessage]:
    data_dir: Path = settings.DATA_DIR
    if data_dir.is_dir() and data_dir.stat().st_mode & OTHERS:
        yield checks.Warning(
            f"{data_dir} is open to every user of this machine.",
            hint=f"chmod o= {data_dir}",
            id="hummbl.W002",
        )
    for name in ("secret_key", "encryption_keys"):
        path = data_dir / name
        if path.is_file() and path.stat().st_mode & NOT_OWNER:
            yield Error(
                f"{path} holds a secret and is open to others.",
                hint=f"chmod 600 {path}",
                id="hummbl.E007",
            )
    yield from _open_databases()
    dotenv = Path(settings.BASE_DIR) / ".env"
    if settings.PRODUCTION and _is_open(dotenv):
        yield checks.Warning(
            f"{dotenv} can be read by every user of this machine.",
            hint=f"It is where secrets are kept: chmod 600 {dotenv}",
            id="hummbl.W003",
        )


def _open_databases() -> Iterator[CheckMessage]:
    """SQLite's file, its journals and the file of the rate limits, which lie beside each other."""
    database = settings.DATABASES["default"]
    if "sqlite" not in database["ENGINE"]:
        return
    path = Path(database["NAME"])
    for found in sorted(path.parent.glob(f"{path.stem}*")):
        if _is_open(found):
            yield checks.Warning(
                f"{found} can be read by every user of this machine.",
                hint=f"chmod o= {found}",
                id="hummbl.W004",
            )


def _is_open(path: Path) -> bool:
    """Whether others can reach the file: its mode counts only where they can enter its folder."""
    return (
        path.is_file()
        and bool(path.stat().st_mode & OTHERS)
        and bool(path.parent.stat().st_mode & stat.S_IXOTH)
    )


def _retention() -> Iterator[CheckMessage]:
    for name in RETENTIONS:
        days = getattr(settings, name)
        # What a session's row is kept for after its end may be no time at all.
        if days is None or 0 < days <= CENTURY or (days == 0 and name == "RETENTION_SESSIONS"):
            continue
        yield Error(
            f"{name} is {days:g} days.",
            hint=f"Write a number of days, above 0 and up to {CENTURY}; empty keeps for good.",
            id="hummbl.E011",
        )


def _numbers() -> Iterator[CheckMessage]:
    minimums = {
        "TRUSTED_PROXY_COUNT": 0,
        "SESSION_TTL": 60,
        "WORKER_CONCURRENCY": 1,
        "LEASE_SECONDS": 1,
        "EXECUTION_TIMEOUT": 1,
    }
    for name, minimum in minimums.items():
        if getattr(settings, name) < minimum:
            yield Error(f"{name} must be at least {minimum}.", id="hummbl.E008")
    if settings.SESSION_IDLE_TTL and settings.SESSION_IDLE_TTL < MIN_IDLE_TTL:
        yield Error(
            f"SESSION_IDLE_TTL must be 0 or at least {MIN_IDLE_TTL}.",
            hint="Use is written down once a minute: a shorter time would end sessions in use.",
            id="hummbl.E010",
        )
    for name in (
        "RATE_LIMIT_AUTH",
        "RATE_LIMIT_EXECUTE",
        "RATE_LIMIT_API",
        "RATE_LIMIT_PAGES",
        "RATE_LIMIT_MAIL",
        "RATE_LIMIT_TELEMETRY",
    ):
        rate = getattr(settings, name)
        try:
            Limit.parse(rate)
        except ImproperlyConfigured:
            yield Error(
                f"{name} is {rate!r}.",
                hint="Write a number and a period, such as 100/m; empty turns the limit off.",
                id="hummbl.E009",
            )
