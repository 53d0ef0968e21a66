"""The rules and the channel that every installation has from the beginning.

Each is made once, after `migrate`: what administrators change or delete stays so.
"""

from typing import Any, Final

from django.apps import apps as installed_apps
from django.db import DEFAULT_DB_ALIAS

from observability import names

ADMINISTRATORS: Final = "Administrators by e-mail"

_rules: Final[dict[str, dict[str, Any]]] = {}


def register(slug: str, name: str, **values: Any) -> None:
    """Have this rule made; `values` are columns of `AlertRule`."""
    _rules[slug] = {"name": name, **values}


def register_ours() -> None:
    """What this app knows of by itself."""
    register(
        "request-errors",
        "Requests fail",
        condition="request-error-rate",
        threshold=5,
        min_samples=20,
        for_seconds=120,
        severity="high",
    )
    register(
        "slow-requests",
        "Requests are slow",
        metric=names.REQUEST_DURATION,
        aggregate="p95",
        threshold=2,
        min_samples=20,
        for_seconds=300,
        severity="medium",
    )
    register(
        "critical-error",
        "A critical error",
        metric=names.ERRORS_CAPTURED,
        tags={"severity": "critical"},
        aggregate="sum",
        threshold=0,
        repeat_seconds=3600,
        severity="critical",
    )


def install(using: str = DEFAULT_DB_ALIAS, apps: Any = installed_apps, **_: Any) -> None:
    """Make what was never made here; what `post_migrate` calls, with the models as they are."""
    try:
        model = {name: apps.get_model("observability", name) for name in _MODELS}
    except LookupError:
        return  # migrated back to before there were alerts
    installed = model["Installed"].objects.using(using)
    wanted = {"channel:administrators", *(f"rule:{slug}" for slug in _rules)}
    missing = wanted.difference(installed.values_list("name", flat=True))
    if "channel:administrators" in missing:
        channels = model["NotificationChannel"].objects.using(using)
        channels.get_or_create(name=ADMINISTRATORS, defaults={"kind": "email"})
    rules = model["AlertRule"].objects.using(using)
    for slug, values in _rules.items():
        if f"rule:{slug}" in missing and not rules.filter(name=values["name"]).exists():
            rules.create(slug=slug, **values)
    installed.bulk_create(model["Installed"](name=name) for name in sorted(missing))


_MODELS: Final = ("AlertRule", "Installed", "NotificationChannel")
