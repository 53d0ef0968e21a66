"""What administrators do with users: the same for the pages, the API and the Django admin.

A change holds the rows of all active administrators until it is committed. So two of them who
demote each other at the same moment are asked one after the other, and the last one stays.
"""

import logging
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.errors import EmailTaken, LastAdmin, UserHasHistory
from accounts.holdings import before_deletion
from accounts.models import Action, Role, User
from hummbl.errors import Forbidden, NotFound

logger = logging.getLogger(__name__)


def find(*, search: str = "", role: str = "", is_active: bool | None = None) -> QuerySet[User]:
    """Users by a part of the name or address, by role, and by whether they may sign in."""
    found = User.objects.all()
    if search:
        found = found.filter(Q(name__icontains=search) | Q(email__icontains=search))
    if role:
        found = found.filter(role=role)
    if is_active is not None:
        found = found.filter(is_active=is_active)
    return found


def is_last_admin(user: User) -> bool:
    """Whether nobody else could administer this installation: to show, the changes ask again."""
    if user.role != Role.ADMIN or not user.is_active:
        return False
    return not User.objects.administrators().exclude(pk=user.pk).exists()


def change_role(user: User, role: str, *, by: Any) -> None:
    """Give another role, which holds from the user's next request on.

    Raises LastAdmin, and Forbidden when `by` is no longer an administrator.
    """
    with transaction.atomic():
        row = _hold(user, by, stays_admin=role == Role.ADMIN)
        old, row.role, user.role = row.role, role, role
        if old == role:
            return
        row.save(update_fields=["role", "updated_at"])
        user.is_superuser = row.is_superuser
        audit.record(Action.ROLE_CHANGED, actor=by, obj=row, old=old, new=role)
    logger.info("Role changed: user %s is %s", user.pk, role)


def deactivate(user: User, *, by: Any) -> None:
    """Let nobody sign in as this user any more, and end every session and token's use at once.

    Runs under way go on to their end: what they cost is spent already. Raises as `change_role`.
    """
    with transaction.atomic():
        row = _hold(user, by)
        user.is_active = False
        if not row.is_active:
            return
        _set_active(row, False)
        audit.record(Action.DEACTIVATED, actor=by, obj=row)
    logger.info("Deactivated: user %s", user.pk)


def activate(user: User, *, by: Any) -> None:
    """Let the user sign in again; access tokens that have not expired work again too.

    Raises Forbidden when `by` is no longer an administrator.
    """
    with transaction.atomic():
        row = _hold(user, by, stays_admin=True)
        user.is_active = True
        if row.is_active:
            return
        _set_active(row, True)
        audit.record(Action.ACTIVATED, actor=by, obj=row)
    logger.info("Activated: user %s", user.pk)


def change(user: User, *, by: Any, role: str | None = None, is_active: bool | None = None) -> None:
    """Change the role, the activity, or both or neither of them. Raises as `change_role`."""
    with transaction.atomic():
        if role is not None:
            change_role(user, role, by=by)
        if is_active is not None:
            (activate if is_active else deactivate)(user, by=by)


def edit(user: User, *, by: Any, email: str, name: str) -> str | None:
    """Correct the address and the name; the old address, if it is another now.

    One that an administrator enters counts as verified. Raises EmailTaken and NotFound.
    """
    try:
        with transaction.atomic():
            row = user.locked()
            old_email, old_name = row.email, row.name
            if email != old_email:
                row.email, row.email_verified_at = email, timezone.now()
                audit.record(Action.EMAIL_CHANGED, actor=by, obj=row, old=old_email, new=email)
            if name != old_name:
                row.name = name
                audit.record(Action.USER_CHANGED, actor=by, obj=row, fields=["name"])
            row.save(update_fields=["email", "email_verified_at", "name", "updated_at"])
    except IntegrityError as error:
        raise EmailTaken("Choose another one.") from error
    user.email, user.name, user.email_verified_at = email, name, row.email_verified_at
    return old_email if email != old_email else None


def create(user: User, *, by: Any) -> None:
    """Save a user whom an administrator made, whose address therefore counts as verified.

    Raises IntegrityError when the address is taken.
    """
    user.email_verified_at = timezone.now()
    with transaction.atomic():
        user.save(force_insert=True)
        audit.record(Action.USER_CREATED, actor=by, obj=user, role=user.role)
    logger.info("User made: %s", user.pk)


def delete(user: User, *, by: Any) -> None:
    """Delete a user with the workflows, provider keys, sessions and access tokens.

    The ledger and the audit log stay, without the person and with. Raises as `change_role`, and
    UserHasHistory for one who has started runs: those stay, so the user can only be deactivated.
    """
    pk = user.pk
    try:
        with transaction.atomic():
            row = _hold(user, by)
            audit.record(Action.USER_DELETED, actor=by, obj=row, role=row.role)
            before_deletion(row, by=by)
            row.delete()
    except (ProtectedError, IntegrityError) as error:
        # A run was started after the question in `before_deletion`.
        raise UserHasHistory from error
    logger.info("User deleted: %s", pk)


def _set_active(row: User, is_active: bool) -> None:
    row.is_active = is_active
    row.save(update_fields=["is_active", "updated_at"])
    # Of one who is activated, too: a sign-in was perhaps under way when they were deactivated.
    row.sessions.all().delete()


def _hold(user: User, by: Any, *, stays_admin: bool = False) -> User:
    """The user's row as it is now, held together with the rows of all active administrators.

    Raises LastAdmin when there is no other and the user is not to stay one, Forbidden when
    `by` is none of them, NotFound when the user is gone.
    """
    administers = Q(role=Role.ADMIN, is_active=True)
    # In id order, so that two of these never wait for each other. Without the key: rows that
    # refer to a user, such as a new run, need not wait.
    rows = User.objects.select_for_update(no_key=True).filter(administers | Q(pk=user.pk))
    held = {row.pk: row for row in rows.order_by("pk")}
    if user.pk not in held:
        raise NotFound
    admins = {row.pk for row in held.values() if row.role == Role.ADMIN and row.is_active}
    if isinstance(by, User) and by.pk not in admins:
        raise Forbidden("Only administrators may do this.", code="admin_only")
    if admins == {user.pk} and not stays_admin:
        raise LastAdmin
    return held[user.pk]
