"""What we do in Procrastinate's tables beside what its worker does. PostgreSQL only."""

import logging

from django.db import connection
from procrastinate import jobs
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from workflows.engine.dispatchers.procrastinate import QUEUE, TASK
from workflows.engine.store import LIVE

logger = logging.getLogger(__name__)

AT_ONCE = 500
# Two workers that sweep together, or a sweep and a new execution, meet at the queueing lock, which
# Procrastinate keeps unique among the jobs that wait.
SWEEP = f"""
    INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
    SELECT %s, %s, e.id::text, jsonb_build_object('execution', replace(e.id::text, '-', ''))
    FROM workflows_execution e
    WHERE {LIVE} AND (lease_expires_at IS NULL OR lease_expires_at < clock_timestamp())
        AND NOT EXISTS (
            SELECT FROM procrastinate_jobs j
            WHERE j.status = 'todo' AND j.queueing_lock = e.id::text
        )
    ORDER BY e.created_at LIMIT %s
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""  # noqa: S608 - constants


def sweep() -> int:
    """Defer a job for executions that nobody holds and that have none waiting; how many it were.

    Leases that have run out, executions that were handed back, and those that another dispatcher
    made. Call it in a thread that is in no transaction.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(SWEEP, [QUEUE, TASK, AT_ONCE])
            return int(cursor.rowcount)
    finally:
        connection.close()


class Jobs(JobManager):
    """Procrastinate's jobs, whose end is of no consequence."""

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        """Delete the job; if that fails, a job too many does no harm (see `leftovers`)."""
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException as error:
            logger.debug("Job %s is left over: %s", job.id, error)
