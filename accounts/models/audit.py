"""The audit log: who did what to which object, from where, and when."""

from typing import Any, ClassVar, Final, NoReturn, Self

from django.db import models
from django.utils import timezone

from hummbl import retention
from hummbl.models import new_id

_ONLY_ADDED: Final = "The audit log is only added to."


class Action(models.TextChoices):
    """What is noted. The value is what clients filter by, the label what people read."""

    SIGNED_UP = "user.signed_up", "Signed up"
    SIGNED_IN = "user.signed_in", "Signed in"
    SIGN_IN_FAILED = "user.sign_in_failed", "Sign-in failed"
    SIGNED_OUT = "user.signed_out", "Signed out"
    REAUTHENTICATED = "user.reauthenticated", "Gave the password again"
    REFUSED = "user.refused", "Was refused"
    USER_CREATED = "user.created", "Created a user"
    USER_CHANGED = "user.changed", "Changed a user"
    USER_DELETED = "user.deleted", "Deleted a user"
    ROLE_CHANGED = "user.role_changed", "Changed a role"
    DEACTIVATED = "user.deactivated", "Deactivated a user"
    ACTIVATED = "user.activated", "Activated a user"
    PASSWORD_CHANGED = "user.password_changed", "Changed a password"
    PASSWORD_RESET_ASKED = "user.password_reset_asked", "Asked for a reset"
    PASSWORD_RESET = "user.password_reset", "Reset a password"
    EMAIL_CHANGED = "user.email_changed", "Changed an e-mail address"
    EMAIL_VERIFIED = "user.email_verified", "Verified an e-mail address"
    SESSION_ENDED = "session.ended", "Ended a session"
    SESSIONS_ENDED = "session.all_ended", "Ended sessions"
    TOKEN_CREATED = "token.created", "Created an access token"
    TOKEN_DELETED = "token.deleted", "Deleted an access token"
    KEY_CREATED = "key.created", "Added a provider key"
    KEY_CHANGED = "key.changed", "Changed a provider key"
    KEY_DELETED = "key.deleted", "Deleted a provider key"
    KEYS_ROTATED = "key.rotated", "Rotated the encryption keys"
    WORKFLOW_CREATED = "workflow.created", "Created a workflow"
    WORKFLOW_CHANGED = "workflow.changed", "Changed a workflow"
    WORKFLOW_SHARED = "workflow.shared", "Shared a workflow"
    WORKFLOW_UNSHARED = "workflow.unshared", "Stopped sharing a workflow"
    WORKFLOW_DELETED = "workflow.deleted", "Deleted a workflow"
    WORKFLOW_IMPORTED = "workflow.imported", "Imported a workflow"
    WORKFLOW_EXPORTED = "workflow.exported", "Exported a workflow"
    EXECUTION_STARTED = "execution.started", "Started an execution"
    EXECUTION_CANCELLED = "execution.cancelled", "Cancelled an execution"
    EXECUTION_EXPORTED = "execution.exported", "Downloaded outputs"
    AUDIT_EXPORTED = "audit.exported", "Exported the audit log"
    DATABASE_BACKED_UP = "database.backed_up", "Made a backup"
    DATABASE_RESTORED = "database.restored", "Restored a backup"
    ERROR_RESOLVED = "error.resolved", "Resolved an error"
    ERROR_IGNORED = "error.ignored", "Ignored an error"
    ERROR_REOPENED = "error.reopened", "Reopened an error"
    RULE_CREATED = "alert_rule.created", "Created an alert rule"
    RULE_CHANGED = "alert_rule.changed", "Changed an alert rule"
    RULE_DELETED = "alert_rule.deleted", "Deleted an alert rule"
    SILENCE_CREATED = "alert_silence.created", "Silenced alerts"
    SILENCE_ENDED = "alert_silence.ended", "Ended a silence"
    CHANNEL_CREATED = "channel.created", "Added a notification channel"
    CHANNEL_CHANGED = "channel.changed", "Changed a notification channel"
    CHANNEL_DELETED = "channel.deleted", "Deleted a notification channel"
    ADMIN_CHANGED = "admin.changed", "Changed something in the Django admin"


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries: only added, and forgotten by age."""

    def expired(self) -> Self:
        """Those that have been kept for `RETENTION_AUDIT` days."""
        kept_since = retention.ago("RETENTION_AUDIT")
        return self.none() if kept_since is None else self.filter(at__lt=kept_since)

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused: what happened stays as it was written."""
        raise TypeError(_ONLY_ADDED)

    def delete(self) -> NoReturn:
        """Refused, as for one entry."""
        raise TypeError(_ONLY_ADDED)

    def forget_expired(self, limit: int) -> int:
        """Delete that many of the oldest that have expired; how many there were."""
        oldest = self.expired().order_by("at").values_list("pk", flat=True)[:limit]
        # The one way around `delete` above.
        return models.QuerySet.delete(self.model.objects.filter(pk__in=list(oldest)))[0]


class AuditEntry(models.Model):
    """One thing that somebody did. It outlives the people and objects that it names.

    A trigger of the database refuses changes too, whoever tries them (migration 0004).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    actor_id = models.UUIDField(null=True, help_text="None: nobody signed in.")
    actor_label = models.CharField(max_length=254, blank=True, help_text="The e-mail address.")
    action = models.CharField(max_length=40, help_text="One of `Action`.")
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.UUIDField(null=True)
    object_label = models.CharField(max_length=254, blank=True)
    data = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True)

    objects = AuditEntryQuerySet.as_manager()

    # For `schema verify`.
    triggers: ClassVar[tuple[str, ...]] = ("accounts_auditentry_append_only",)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = "audit entries"
        # A list is read newest first, whatever it is filtered by.
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_by_time"),
            models.Index(fields=["actor_id", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-at", "-id"], name="audit_by_action"),
            models.Index(fields=["object_id", "-at", "-id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label or 'Somebody'}: {self.text}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry. Raises TypeError for one that is written already."""
        if not self._state.adding:
            raise TypeError(_ONLY_ADDED)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: entries leave by age alone, with `manage.py cleanup`."""
        raise TypeError(_ONLY_ADDED)

    @property
    def text(self) -> str:
        """What was done, in words; the name itself of an action that is no longer known."""
        return Action(self.action).label if self.action in Action else self.action
