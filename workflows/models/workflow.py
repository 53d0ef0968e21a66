"""A workflow, and the immutable versions of its document."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Action, User
from hummbl.errors import Conflict, NotFound
from hummbl.models import BaseModel, OrderedJSONField
from workflows import definition as documents
from workflows.queries import TaskCount

if TYPE_CHECKING:
    from workflows.models.execution import Execution


MAX_NAME = 200


class WorkflowStatus(models.TextChoices):
    """Only an active workflow runs."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    ARCHIVED = "archived", "Archived"


class StaleVersion(Conflict):
    """Someone saved a newer version, `version`, since the changes were begun."""

    code = "stale_version"

    def __init__(self, version: "WorkflowVersion") -> None:
        self.version = version
        super().__init__(f"Version {version.number} was saved in the meantime.")


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    """Workflows by who may see and change them."""

    def visible_to(self, user: User) -> Self:
        """What the user may read: everything for an admin, else their own and what is shared."""
        if user.is_admin:
            return self
        return self.filter(Q(owner=user) | Q(is_shared=True))

    def matching(self, text: str) -> Self:
        """With this text in the name or the description."""
        return self.filter(Q(name__icontains=text) | Q(description__icontains=text))


class Workflow(BaseModel):
    """A named graph of tasks. Its document lives in versions; `current_version` is the newest."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="workflows"
    )
    name = models.CharField(max_length=MAX_NAME)
    description = models.TextField(max_length=10_000, blank=True)
    status = models.CharField(max_length=10, choices=WorkflowStatus, default=WorkflowStatus.ACTIVE)
    is_shared = models.BooleanField(default=False)
    current_version = models.ForeignKey(
        "WorkflowVersion", on_delete=models.RESTRICT, null=True, editable=False, related_name="+"
    )
    cost_cap = models.DecimalField(
        max_digits=16,
        decimal_places=8,
        null=True,
        blank=True,
        help_text="US dollars that one execution may spend, unless it brings its own cap.",
    )

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="workflow_by_owner")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=WorkflowStatus.values), name="workflow_status_valid"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="workflow_has_name"),
            models.CheckConstraint(
                condition=Q(cost_cap__isnull=True) | Q(cost_cap__gte=0),
                name="workflow_cost_cap_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def create_with(
        cls,
        *,
        owner: User,
        name: str,
        definition: object,
        action: Action = Action.WORKFLOW_CREATED,
        origin: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> "Workflow":
        """A new workflow with version 1 of the document. Raises DefinitionError.

        `action` and `origin` are for the audit log: how it came to be, and out of what.
        """
        document = documents.parse(definition).to_json()
        with transaction.atomic():
            workflow = cls.objects.create(owner=owner, name=name, **fields)
            workflow._add_version(1, document, owner)
            audit.record(action, actor=owner, obj=workflow, **(origin or {}))
        return workflow

    @transaction.atomic
    def change(
        self,
        fields: Mapping[str, Any],
        definition: Mapping[str, Any] | None = None,
        *,
        by: User,
        merge: bool = False,
        expected: int | None = None,
    ) -> None:
        """Change fields and document together.

        With `merge`, the parts that the document leaves out stay as they are. `expected` is the
        number of the version that the changes were made from. Raises DefinitionError, NotFound
        when the workflow was deleted meanwhile, and StaleVersion when someone saved after
        `expected`.
        """
        # The row lock keeps another save from coming between this look and the new version.
        before = self.locked()
        current = before.current_version
        assert current is not None
        if expected is not None and current.number != expected:
            raise StaleVersion(current)
        for name, value in fields.items():
            setattr(self, name, value)
        if fields:
            self.save(update_fields=[*fields, "updated_at"])
        version = current
        if definition is not None:
            whole = {**current.definition, **definition} if merge else definition
            version = self._make_current(documents.parse(whole).to_json(), current, by)
        changed = [name for name in fields if getattr(self, name) != getattr(before, name)]
        self._record_change(changed, current, version, by)

    def revise(self, definition: object, *, by: User, **data: Any) -> "WorkflowVersion":
        """Make the document current, in a new version if it differs. Raises DefinitionError.

        `data` goes to the audit log.
        """
        document = documents.parse(definition).to_json()
        with transaction.atomic():
            # The row lock orders two people who save at once, so that numbers have no gap.
            current = self.locked().current_version
            assert current is not None
            version = self._make_current(document, current, by)
            self._record_change([], current, version, by, **data)
        return version

    def _make_current(
        self, document: dict[str, Any], current: "WorkflowVersion", by: User
    ) -> "WorkflowVersion":
        if current.definition == document:
            self.current_version = current
            return current
        return self._add_version(current.number + 1, document, by)

    def _record_change(
        self,
        fields: list[str],
        before: "WorkflowVersion",
        after: "WorkflowVersion",
        by: User,
        **data: Any,
    ) -> None:
        """Note what has changed, if anything: the fields by name, and the version that is new."""
        if "is_shared" in fields:
            fields = [name for name in fields if name != "is_shared"]
            shared = Action.WORKFLOW_SHARED if self.is_shared else Action.WORKFLOW_UNSHARED
            audit.record(shared, actor=by, obj=self)
        if "status" in fields:
            data["status"] = self.status
        if after.pk != before.pk:
            data["version"] = after.number
        if fields or after.pk != before.pk:
            audit.record(Action.WORKFLOW_CHANGED, actor=by, obj=self, fields=fields, **data)

    def restore(self, number: int, *, by: User) -> "WorkflowVersion | None":
        """Make the document of an older version current again, in a new version.

        Returns None, and stores nothing, when the current document is the same already. Raises
        NotFound, and DefinitionError when the old document breaks a rule that came after it.
        """
        with transaction.atomic():
            current = self.locked().current_version
            old = self.versions.filter(number=number).first()
            if old is None:
                raise NotFound
            version = self.revise(old.definition, by=by, restored=number)
        return None if version == current else version

    def copy(self, *, by: User, name: str = "") -> "Workflow":
        """A workflow of `by` with the current document, cap and description; not shared.

        A draft stays a draft, anything else becomes active. Without a name it is "Copy of …".
        Agents keep the names of the provider keys they use only where the keys are the same
        person's: another's key of that name may be for something else.
        """
        assert self.current_version is not None
        document = self.current_version.definition
        is_draft = self.status == WorkflowStatus.DRAFT
        return Workflow.create_with(
            owner=by,
            name=name or _copy_name(self.name),
            definition=document if by.pk == self.owner_id else documents.without_keys(document),
            description=self.description,
            status=WorkflowStatus.DRAFT if is_draft else WorkflowStatus.ACTIVE,
            cost_cap=self.cost_cap,
            origin={"copy_of": str(self.pk)},
        )

    def _add_version(self, number: int, document: dict[str, Any], by: User) -> "WorkflowVersion":
        version = WorkflowVersion.objects.create(
            workflow=self, number=number, definition=document, created_by=by
        )
        self.current_version = version
        self.save(update_fields=["current_version", "updated_at"])
        return version

    def execute(
        self,
        *,
        user: User,
        input: dict[str, Any],
        trigger: str = "manual",
        cost_cap: Decimal | None = None,
        idempotency_key: str = "",
    ) -> "Execution":
        """Start an execution of the current version and wake the workers.

        `cost_cap` is in US dollars; the workflow's own cap applies when it is None. The same
        `idempotency_key` with the same input and cap answers with the execution that it made.
        Raises Conflict when the workflow is not active or the key was used for something else,
        and AppError `invalid_input` when the input does not fit the document's schema.
        """
        from workflows.models.execution import Execution

        return Execution.start(
            self,
            user=user,
            input=input,
            trigger=trigger,
            cost_cap=cost_cap,
            idempotency_key=idempotency_key,
        )

    def delete(
        self, *args: Any, by: User | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]]:
        """Delete with versions and executions; the ledger stays. Raises Conflict while it runs."""
        under_way = Conflict(
            "This workflow has an execution under way. Cancel it or wait, then delete.",
            code="execution_under_way",
        )
        try:
            with transaction.atomic():
                self.locked()
                if self.executions.under_way().exists():
                    raise under_way
                audit.record(Action.WORKFLOW_DELETED, actor=by, obj=self)
                Workflow.objects.filter(pk=self.pk).update(current_version=None)
                return super().delete(*args, **kwargs)
        except IntegrityError:
            # An execution was started after the question above.
            raise under_way from None

    def require_active(self) -> None:
        """Raise Conflict unless the workflow may run."""
        if self.status != WorkflowStatus.ACTIVE:
            raise Conflict(
                f"This workflow is {self.get_status_display().lower()}. "
                "Set its status to active to run it.",
                code="workflow_not_active",
            )


def _copy_name(name: str) -> str:
    full = f"Copy of {name}"
    return full if len(full) <= MAX_NAME else f"{full[: MAX_NAME - 1].rstrip()}…"


class WorkflowVersionQuerySet(models.QuerySet["WorkflowVersion"]):
    """Versions, with or without their documents."""

    def listed(self) -> Self:
        """With who made each, and its `task_count`, but without the documents."""
        counted = self.annotate(task_count=TaskCount("definition"))
        return counted.select_related("created_by").defer("definition")


class WorkflowVersion(BaseModel):
    """One immutable document of a workflow."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = OrderedJSONField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = WorkflowVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="version_number_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="version_number_positive"),
        ]

    def __str__(self) -> str:
        return f"Version {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a version that exists never changes."""
        if not self._state.adding:
            raise TypeError("A workflow version is immutable. Call Workflow.revise instead.")
        super().save(*args, **kwargs)
