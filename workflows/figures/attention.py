"""What needs a person: failing workflows, keys that are missing, drafts left behind."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.urls import reverse

from accounts.models import User
from hummbl import cache
from workflows.figures.dashboard import Failing, Scope
from workflows.models import (
    ApiKey,
    Execution,
    TaskResult,
    TaskStatus,
    Worker,
    Workflow,
    WorkflowStatus,
)
from workflows.models.api_key import KeyProvider

SHOWN = 4
TTL_SECONDS = 3600

_KEY_CODES = {"missing_key", "authentication", "permission", "quota", "decryption_failed"}


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do: what is the matter, and the one place to see to it, if they may."""

    icon: str
    title: str
    text: str
    url: str
    action: str
    colour: str = "waiting"  # a status whose colour it has


def needs(scope: Scope, failing: list[Failing]) -> list[Need]:
    """What waits for this person, the most urgent first."""
    found = list(_failures(scope, failing))
    if scope.user.can_write:
        found = [*_workers(scope.user), *found, *_keys(scope.user), *_drafts(scope.user)]
    return found


def _workers(user: User) -> Iterator[Need]:
    if Worker.objects.alive().exists():
        return
    text, url = "Runs wait until an administrator starts one.", ""
    if user.is_admin:
        text, url = "Runs wait until one starts: manage.py worker.", reverse("manage_stats")
    yield Need("server-crash", "No worker is running", text, url, "See the queue", "failed")


def _failures(scope: Scope, failing: list[Failing]) -> Iterator[Need]:
    shown = _last_runs(scope, failing[:SHOWN])
    codes = _error_codes(shown)
    for run in shown:
        url, action = _remedy(run, codes.get(run.pk, ""))
        yield Need("circle-x", f"Failed: {run.workflow.name}", run.error, url, action, "failed")
    if len(failing) > SHOWN:
        more = len(failing) - SHOWN
        title = f"{more} more workflow{'s' if more > 1 else ''} failed"
        url = f"{reverse('execution_list')}?status=failed&period=7d"
        yield Need("circle-x", title, "Not one success since.", url, "See them", "failed")


def _last_runs(scope: Scope, failing: list[Failing]) -> list[Execution]:
    """The failed runs themselves, unless their workflow is put away."""
    if not failing:
        return []
    which = Q(pk=None)
    for one in failing:
        which |= Q(workflow=one.workflow_id, created_at=one.created_at)
    runs = scope.runs.filter(which).exclude(workflow__status=WorkflowStatus.ARCHIVED)
    return list(runs.with_labels().order_by("-created_at"))


def _error_codes(runs: list[Execution]) -> dict[object, str]:
    """The code of a failed task of each run."""
    if not runs:
        return {}
    tasks = TaskResult.objects.filter(execution__in=runs, status=TaskStatus.FAILED)
    return dict(tasks.order_by().values_list("execution_id", "error_code"))


def _remedy(run: Execution, code: str) -> tuple[str, str]:
    if code == "budget_refused":
        return reverse("workflow_run", args=[run.workflow_id]), "Run with a higher cap"
    if code in _KEY_CODES:
        return reverse("key_list"), "Check the key"
    return reverse("execution_detail", args=[run.pk]), "See why"


def _keys(user: User) -> Iterator[Need]:
    keys = list(ApiKey.objects.filter(user=user))
    active = [key for key in keys if key.is_active]
    yield from (_unreadable(key) for key in active if not key.is_readable)
    named = {(key.provider, key.name) for key in active}
    payable = ApiKey.objects.payable_providers(user)
    for (provider, name), count in _asked_for(user).items():
        if (provider, name) in named or (not name and provider in payable):
            continue
        off = [key for key in keys if key.provider == provider and name in {"", key.name}]
        yield _missing(provider, name, count, off[0].name if off else None)


def _unreadable(key: ApiKey) -> Need:
    title = f"The {key.get_provider_display()} key “{key.name}” cannot be read"
    text = "It was encrypted with a key that is no longer in ENCRYPTION_KEYS."
    url = reverse("key_edit", args=[key.pk])
    return Need("key-round", title, text, url, "Enter it again", "failed")


def _missing(provider: str, name: str, count: int, off: str | None) -> Need:
    label = KeyProvider(provider).label if provider in KeyProvider.values else provider
    called = f" named “{name}”" if name else ""
    title = f"The {label} key “{off}” is off" if off else f"There is no {label} key{called}"
    asks = "active workflow asks" if count == 1 else "active workflows ask"
    action = "Switch it on" if off else "Add the key"
    return Need("key-round", title, f"{count} {asks} for it.", reverse("key_list"), action)


def _asked_for(user: User) -> dict[tuple[str, str], int]:
    """How many of the user's active workflows ask for each key: by provider, and name or ""."""
    owned = Workflow.objects.filter(owner=user)
    state = owned.aggregate(count=Count("pk"), changed=Max("updated_at"))
    key = f"{user.pk}|{state['count']}|{state['changed']}"
    return cache.get_or_set("asked_keys", key, TTL_SECONDS, lambda: _count_asked(user))


def _count_asked(user: User) -> dict[tuple[str, str], int]:
    active = Workflow.objects.filter(owner=user, status=WorkflowStatus.ACTIVE).order_by()
    counts: Counter[tuple[str, str]] = Counter()
    for agents in active.values_list("current_version__definition__agents", flat=True).iterator():
        asked = {(agent["provider"], agent.get("key") or "") for agent in agents}
        counts.update(pair for pair in asked if pair[0] != "local")
    return dict(counts)


def _drafts(user: User) -> Iterator[Need]:
    runs = Execution.objects.filter(workflow=OuterRef("pk"))
    drafts = Workflow.objects.filter(owner=user, status=WorkflowStatus.DRAFT).exclude(Exists(runs))
    rows = list(drafts.order_by("-updated_at").values_list("pk", "name")[:100])
    if len(rows) == 1:
        ((pk, name),) = rows
        text = "It has never run. Finish it and set its status to active."
        url = reverse("workflow_edit", args=[pk])
        yield Need("square-pen", f"Draft: {name}", text, url, "Go on", "pending")
    elif rows:
        count = "100 or more" if len(rows) == 100 else len(rows)
        url = f"{reverse('workflow_list')}?status=draft&owner=me"
        text = "Finish what you still want, delete the rest."
        yield Need("square-pen", f"{count} drafts have never run", text, url, "See them", "pending")
