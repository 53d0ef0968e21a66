"""The administrators' page of what works and what does not."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.views.access import admins_only
from observability import health
from observability.health import Told

TITLES: Final = {"worker": "Workers", "encryption": "Encryption keys"}


@dataclass(frozen=True, slots=True)
class Line:
    """A check as the page shows it."""

    title: str
    status: str
    is_well: bool
    told: Told


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_health(request: UserRequest) -> HttpResponse:
    """Every check in words, with what to do; an htmx request gets that part alone."""
    reading = health.read()
    context = {
        "reading": reading,
        "lines": [*_database(reading.database), *_lines(reading)],
        "version": settings.VERSION,
        "has_token": bool(settings.PROMETHEUS_TOKEN),
    }
    name = "_manage_health.html" if request.htmx else "manage_health.html"
    return render(request, f"observability/{name}", context)


def _lines(reading: health.Health) -> list[Line]:
    return [
        Line(
            TITLES.get(name, name.capitalize()),
            result["status"],
            result["status"] == health.HEALTHY,
            health.tell(name, result),
        )
        for name, result in reading.checks.items()
    ]


def _database(found: health.Result) -> list[Line]:
    """The database and its migrations, whose pages are told apart."""
    if found["status"] != health.HEALTHY:
        told = Told("It does not answer.", "Look whether it runs, and at DATABASE_URL.")
        return [Line("Database", found["status"], False, told)]
    pending, applied = found["pending_migrations"], found["applied_migrations"]
    fact = f"{applied} applied, the last one {found['schema_version']}."
    if pending:
        told = Told(
            f"{pending} pending. {fact}",
            "Run manage.py migrate: what needs them does not work yet, and workers wait for them.",
        )
    else:
        told = Told(f"{fact} None is pending.")
    return [
        Line("Database", health.HEALTHY, True, Told("It answers.")),
        Line("Migrations", "pending" if pending else health.HEALTHY, not pending, told),
    ]
