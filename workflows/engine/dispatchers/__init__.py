"""Dispatchers: how an execution finds a worker. EXECUTION_DISPATCHER names the one in use.

A dispatcher only tells which executions want a worker. Who gets them, for how long, and what a
worker may write that has lost them (claim, lease, fence) is `workflows.engine.store` under every
dispatcher. So workers under different ones may serve one database side by side, and executions
under way survive a change from one to another.
"""

from django.conf import settings
from django.utils.module_loading import import_string

from workflows.engine.dispatchers.base import Dispatcher

_KINDS = {
    "database": "workflows.engine.dispatchers.database.DatabaseDispatcher",
    "procrastinate": "workflows.engine.dispatchers.procrastinate.ProcrastinateDispatcher",
}


def chosen() -> type[Dispatcher]:
    """The dispatcher of this installation; only this one is imported."""
    kind: type[Dispatcher] = import_string(_KINDS[settings.EXECUTION_DISPATCHER])
    return kind
