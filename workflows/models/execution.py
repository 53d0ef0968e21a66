"""One run of a workflow, and the events that its live stream replays.

What advances an execution is in `workflows.engine`; here are its creation, its cancellation
while nobody runs it, and the questions that pages and the API ask.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self, cast

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from accounts import audit
from accounts.models import Action, User
from hummbl.errors import Conflict, NotFound
from hummbl.models import BaseModel, OrderedJSONField
from observability import metrics
from observability.names import EXECUTION_COUNT, EXECUTION_DURATION
from workflows import definition as documents
from workflows.access import require_editor
from workflows.engine import dispatchers, wake
from workflows.models.event import (
    ExecutionEvent,
    History,
    execution_event_data,
    task_event_data,
)
from workflows.models.states import (
    CLAIMABLE,
    TERMINAL_STATUSES,
    TERMINAL_TASK_STATUSES,
    ExecutionStatus,
    TaskStatus,
    Trigger,
)
from workflows.models.task_result import TaskResult
from workflows.single_task import single_task

if TYPE_CHECKING:
    from workflows.models.workflow import Workflow


class ExecutionQuerySet(models.QuerySet["Execution"]):
    """Executions by who may see them and by how far they are."""

    def visible_to(self, user: User) -> Self:
        """What the user may read and cancel: everything for an admin, else their own."""
        return self if user.is_admin else self.filter(user=user)

    def under_way(self) -> Self:
        """Not ended yet."""
        # A constraint makes it the same as the statuses of UNDER_WAY; an index is made for it.
        return self.filter(completed_at__isnull=True)

    def without_tests(self) -> Self:
        """Runs of whole workflows: a test of a single task is none."""
        return self.exclude(trigger=Trigger.TEST)

    def hand_to_anybody(self) -> int:
        """Take every lease away, under tokens that no worker can have had; how many there were.

        For rows of another time than the workers': one that outlived a restore may hold a higher
        token than the row it was restored with. Tokens are counted up from here, and nobody claims
        as often as the microseconds pass.
        """
        token = Greatest(F("lease_token") + 1, Value(int(time.time() * 1_000_000)))
        return self.update(lease_owner="", lease_expires_at=None, lease_token=token)

    def with_labels(self) -> Self:
        """With what a list row or an answer shows beside the row itself, in the same query."""
        related = self.select_related("workflow", "version", "user")
        return related.defer("version__definition", "definition")


class Execution(BaseModel):
    """One run of one version of a workflow.

    `cost` (US dollars) and the tokens are sums over the tasks so far. The lease columns belong
    to the engine: whoever holds the current `lease_token` may write, and nobody else.
    """

    workflow = models.ForeignKey("Workflow", on_delete=models.CASCADE, related_name="executions")
    version = models.ForeignKey(
        "WorkflowVersion", on_delete=models.CASCADE, related_name="executions"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="executions"
    )
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.MANUAL)
    status = models.CharField(
        max_length=10, choices=ExecutionStatus, default=ExecutionStatus.PENDING
    )
    input = OrderedJSONField(default=dict, blank=True)
    definition = OrderedJSONField(null=True, blank=True, editable=False)
    error = models.TextField(blank=True)
    cost_cap = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    cost = models.DecimalField(max_digits=16, decimal_places=8, default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    task_count = models.PositiveIntegerField()
    ended_count = models.PositiveIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="reruns"
    )
    idempotency_key = models.CharField(max_length=255, blank=True)
    idempotency_digest = models.CharField(max_length=64, blank=True, editable=False)
    last_sequence = models.PositiveBigIntegerField(default=0, editable=False)
    history = models.PositiveSmallIntegerField(
        choices=History, default=History.WHOLE, db_default=History.WHOLE, editable=False
    )
    lease_owner = models.CharField(max_length=64, blank=True, editable=False)
    lease_token = models.PositiveBigIntegerField(default=0, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="execution_by_user"),
            models.Index(fields=["workflow", "-created_at"], name="execution_by_workflow"),
            models.Index(
                fields=["created_at"],
                name="execution_claimable",
                condition=Q(status__in=CLAIMABLE),
            ),
            models.Index(
                fields=["user", "-created_at"],
                name="execution_under_way",
                condition=Q(completed_at__isnull=True),
            ),
            models.Index(fields=["-created_at", "-id"], name="execution_by_creation"),
            # What retention asks for: the ended ones that still have something to delete.
            models.Index(
                fields=["history", "completed_at"],
                name="execution_ended",
                condition=Q(completed_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "workflow", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="execution_idempotency_key_unique",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ExecutionStatus.values), name="execution_status_valid"
            ),
            models.CheckConstraint(
                condition=Q(trigger__in=Trigger.values), name="execution_trigger_valid"
            ),
            models.CheckConstraint(
                condition=~Q(trigger=Trigger.TEST) | Q(definition__isnull=False),
                name="execution_test_has_definition",
            ),
            models.CheckConstraint(
                condition=Q(status__in=TERMINAL_STATUSES, completed_at__isnull=False)
                | (~Q(status__in=TERMINAL_STATUSES) & Q(completed_at__isnull=True)),
                name="execution_completed_at_iff_ended",
            ),
            models.CheckConstraint(
                condition=Q(ended_count__lte=models.F("task_count")),
                name="execution_ended_count_within_tasks",
            ),
            models.CheckConstraint(
                condition=Q(cost__gte=0) & (Q(cost_cap__isnull=True) | Q(cost_cap__gte=0)),
                name="execution_cost_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"Execution {self.pk}"

    @property
    def document(self) -> dict[str, Any]:
        """The document that it runs: the version's, or in a test the task as it was typed."""
        return cast("dict[str, Any]", self.definition or self.version.definition)

    @property
    def progress(self) -> float:
        """Ended tasks over all tasks, 0 to 1."""
        return self.ended_count / self.task_count if self.task_count else 1.0

    @property
    def tokens(self) -> int:
        """Input and output tokens so far."""
        return self.input_tokens + self.output_tokens

    @property
    def is_terminal(self) -> bool:
        """Whether the status will never change again."""
        return self.status in TERMINAL_STATUSES

    @property
    def duration(self) -> float | None:
        """Seconds from the start to the end, or until now; None before the start."""
        if self.started_at is None:
            return None
        return ((self.completed_at or timezone.now()) - self.started_at).total_seconds()

    @classmethod
    def start(
        cls,
        workflow: "Workflow",
        *,
        user: User,
        input: dict[str, Any],
        trigger: str,
        cost_cap: Decimal | None,
        idempotency_key: str,
    ) -> "Execution":
        """Create an execution and its tasks and wake the workers. See Workflow.execute."""
        digest = _request_digest(input, cost_cap)
        if idempotency_key:
            before = cls._made_by(workflow, user, idempotency_key, digest)
            if before:
                return before
        require_editor(user, workflow)
        workflow.require_active()
        version = workflow.current_version
        assert version is not None
        document = documents.parse(version.definition)
        documents.check_input(document, input)
        execution = cls(
            workflow=workflow,
            version=version,
            user=user,
            trigger=trigger,
            input=input,
            cost_cap=workflow.cost_cap if cost_cap is None else cost_cap,
            task_count=len(document.tasks),
            idempotency_key=idempotency_key,
            idempotency_digest=digest if idempotency_key else "",
        )
        try:
            with transaction.atomic():
                execution._insert(document, {})
        except IntegrityError:
            # Two requests with one key raced and the other one won, or the workflow was deleted.
            made = idempotency_key and cls._made_by(workflow, user, idempotency_key, digest)
            if made:
                return made
            if not type(workflow).objects.filter(pk=workflow.pk).exists():
                raise NotFound from None
            raise
        return execution

    @classmethod
    def start_test(
        cls,
        workflow: "Workflow",
        document: Mapping[str, Any],
        task_id: str,
        *,
        input: dict[str, Any],
        outputs: Mapping[str, str],
        user: User,
    ) -> "Execution":
        """Run one task of a document that need not be saved, with sample values.

        `outputs` stand for the answers of the tasks before it, which count as completed already:
        the worker makes this one call. Any status of the workflow will do; its cap and the ledger
        hold as in any run. Raises Forbidden, DefinitionError for this task, InputError, and
        NotFound when the workflow was deleted meanwhile.
        """
        require_editor(user, workflow)
        reduced = documents.parse(single_task(document, task_id))
        documents.check_input(reduced, input)
        done = {task.id: outputs.get(task.id, "") for task in reduced.tasks[1:]}
        execution = cls(
            workflow=workflow,
            version=workflow.current_version,
            user=user,
            trigger=Trigger.TEST,
            input=input,
            definition=reduced.to_json(),
            cost_cap=workflow.cost_cap,
            task_count=len(reduced.tasks),
            ended_count=len(done),
        )
        with transaction.atomic():
            # The row lock keeps its deletion from coming between the look at it and the new rows.
            workflow.locked()
            execution._insert(reduced, done)
        return execution

    def _insert(self, document: documents.WorkflowDefinition, done: Mapping[str, str]) -> None:
        """Write it with its tasks, those in `done` as completed, and wake the workers."""
        tasks = list(self.pending_tasks(document))
        events = [("execution", self.event_data())]
        for task in tasks:
            if task.task_id in done:
                task.status, task.output = TaskStatus.COMPLETED, done[task.task_id]
                task.completed_at = timezone.now()
                events.append(("task", task_event_data(task)))
        self.last_sequence = len(events)
        self.save(force_insert=True)
        TaskResult.objects.bulk_create(tasks)
        ExecutionEvent.objects.bulk_create(
            ExecutionEvent(execution=self, sequence=number, type=type_, data=data)
            for number, (type_, data) in enumerate(events, start=1)
        )
        self._record(Action.EXECUTION_STARTED, self.user, trigger=self.trigger)
        dispatchers.chosen().announce(self.pk)

    def pending_tasks(self, document: documents.WorkflowDefinition) -> Iterator[TaskResult]:
        """The rows of the tasks as they are before the start, not saved."""
        for position, task in enumerate(document.tasks):
            yield TaskResult(
                execution=self,
                task_id=task.id,
                position=position,
                task_name=task.name,
                agent_id=task.agent_id,
            )

    @classmethod
    def _made_by(
        cls, workflow: "Workflow", user: User, key: str, digest: str
    ) -> "Execution | None":
        """The execution that this key made before; raises Conflict if for another request."""
        made = cls.objects.filter(workflow=workflow, user=user, idempotency_key=key).first()
        if made and made.idempotency_digest != digest:
            raise Conflict(
                "This Idempotency-Key was used with another body. Use a new key.",
                code="idempotency_key_reused",
            )
        return made

    def cancel(self, *, by: User) -> None:
        """Ask for the end. Raises Conflict when there is nothing left to cancel.

        A worker that holds the execution aborts its requests in flight and writes the end; when
        none does, the end is written here.
        """
        with transaction.atomic():
            locked = self.locked()
            if locked.is_terminal:
                raise Conflict(
                    f"This execution has already {_ENDED[ExecutionStatus(locked.status)]}.",
                    code="already_ended",
                )
            held = Execution.objects.filter(pk=self.pk, lease_expires_at__gt=Now()).exists()
            if not locked.cancel_requested_at:
                locked.cancel_requested_at = timezone.now()
                locked.save(update_fields=["cancel_requested_at", "updated_at"])
                self._record(Action.EXECUTION_CANCELLED, by)
            if held:
                wake.notify_after_commit(wake.CANCEL)
            else:
                locked._end_as_cancelled()
        self.refresh_from_db()

    def record_download(self, *, by: User, **data: str) -> None:
        """Note in the audit log that its outputs were taken away as a file."""
        self._record(Action.EXECUTION_EXPORTED, by, **data)

    def _record(self, action: Action, by: User, **data: str) -> None:
        """Note it under the workflow's name: an id tells people nothing."""
        data["workflow"] = str(self.workflow_id)
        audit.record(action, actor=by, obj=self, label=self.workflow.name, **data)

    def _end_as_cancelled(self) -> None:
        """Write the end of an execution that no worker holds; the row is locked."""
        now = timezone.now()
        tasks = list(self.tasks.exclude(status__in=TERMINAL_TASK_STATUSES))
        for task in tasks:
            task.status = TaskStatus.CANCELLED
            task.completed_at = now
        TaskResult.objects.bulk_update(tasks, ["status", "completed_at"])
        self.status = ExecutionStatus.CANCELLED
        self.completed_at = now
        self.ended_count = self.task_count
        # A worker that wakes up late must find its token gone.
        self.lease_token += 1
        self.lease_owner = ""
        self.lease_expires_at = None
        events = [("task", task_event_data(task)) for task in tasks]
        events.append(("execution", self.event_data()))
        ExecutionEvent.objects.bulk_create(
            ExecutionEvent(execution=self, sequence=self.last_sequence + n, type=type_, data=data)
            for n, (type_, data) in enumerate(events, start=1)
        )
        self.last_sequence += len(events)
        self.save()
        transaction.on_commit(self._measure_cancellation)

    def _measure_cancellation(self) -> None:
        metrics.record(EXECUTION_DURATION, self.duration or 0, outcome=self.status)
        metrics.count(EXECUTION_COUNT, outcome=self.status)

    def event_data(self) -> dict[str, Any]:
        """What an `execution` event says."""
        return execution_event_data(
            status=self.status,
            ended=self.ended_count,
            count=self.task_count,
            cost=self.cost,
            tokens=self.tokens,
            error=self.error,
            started_at=self.started_at,
            completed_at=self.completed_at,
        )


_ENDED = {
    ExecutionStatus.COMPLETED: "completed",
    ExecutionStatus.FAILED: "failed",
    ExecutionStatus.CANCELLED: "been cancelled",
}


def _request_digest(input: dict[str, Any], cost_cap: Decimal | None) -> str:
    """A digest of what an execute request asks for, independent of key order."""
    cap = None if cost_cap is None else str(cost_cap.normalize())
    canonical = json.dumps([input, cap], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
