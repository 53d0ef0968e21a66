"""Procrastinate: a job per task or a job per execution, beside a table of tasks on PostgreSQL.

Procrastinate knows jobs and no graphs. Per task: in one transaction a job marks its task, counts
down those that wait for it and defers the jobs of those that wait no more. Per execution: one job
performs the graph and commits each task's end. Jobs of a worker that died stay `doing` until a
periodic task of the application retries them; then the running task repeats, or, per execution, all
tasks unless the application skips those that have completed.

Settings, of those that were tried (tasks a second):

- A worker fetches one job at a time, a round trip and a commit each. Per task, three workers in one
  process with ten jobs each gain a third over one; six are no better than one. Per execution one
  worker with ten jobs is best.
- Five connections for a worker; with ten or twenty they wait for each other.
- Ended jobs are deleted, so that the table of jobs stays small; uvloop; LISTEN/NOTIFY.
"""

import asyncio
import os
import time
from typing import Any

import psycopg
import psycopg_pool
import uvloop
from procrastinate import App, PsycopgConnector

from benchmarks.peers import tasks_table, work
from benchmarks.peers.work import Levels, Progress

URL = os.environ["DATABASE_URL"]
WORKERS = {"task": 3, "execution": 1}
JOBS, CONNECTIONS = 10, 5
progress = Progress()
background = work.Background(uvloop.new_event_loop())
pool = psycopg_pool.AsyncConnectionPool(URL, min_size=CONNECTIONS, max_size=20, open=False)
app = App(connector=PsycopgConnector(conninfo=URL, min_size=CONNECTIONS, max_size=20))
# The main thread's: whether all is done.
watcher = psycopg.connect(URL, autocommit=True)


async def perform(execution: str, id: str, pause: float) -> None:
    progress.begin(execution, id)
    if pause:
        await asyncio.sleep(pause)


@app.task(name="task")
async def task(execution: str, level: int, id: str, pause: float) -> None:
    await perform(execution, id, pause)
    place = {"execution": execution, "level": level, "id": id}
    async with pool.connection() as connection:
        cursor = await connection.execute(tasks_table.COMPLETE_AND_COUNT, place)
        ready = [id for id, waiting in await cursor.fetchall() if not waiting]
        if ready:
            await defer_tasks(connection, execution, level + 1, ready, pause)


@app.task(name="execute")
async def execute(execution: str, levels: Levels, pause: float) -> None:
    async def complete(level: int, id: str) -> None:
        await perform(execution, id, pause)
        place = {"execution": execution, "level": level, "id": id}
        async with pool.connection() as connection:
            await connection.execute(tasks_table.COMPLETE, place)

    for number, ids in enumerate(levels):
        await asyncio.gather(*(complete(number, id) for id in ids))


async def defer_tasks(
    connection: Any, execution: str, level: int, ids: list[str], pause: float
) -> None:
    jobs = [{"execution": execution, "level": level, "id": id, "pause": pause} for id in ids]
    await task.configure(connection=connection).batch_defer_async(*jobs)


async def create(name: str, levels: Levels, pause: float, style: str) -> None:
    async with pool.connection() as connection:
        await connection.cursor().executemany(tasks_table.INSERT, tasks_table.rows(name, levels))
        if style == "execution":
            job = execute.configure(connection=connection)
            await job.defer_async(execution=name, levels=levels, pause=pause)
        else:
            await defer_tasks(connection, name, 0, levels[0], pause)


async def prepare() -> None:
    await app.open_async()
    await pool.open(wait=True)
    await app.schema_manager.apply_schema_async()
    async with pool.connection() as connection:
        await connection.execute(tasks_table.CREATE)


def start_workers(style: str, jobs: int) -> None:
    for _ in range(WORKERS[style]):
        background.start(
            app.run_worker_async(
                concurrency=jobs, delete_jobs="always", install_signal_handlers=False
            )
        )


def throughput(levels: Levels, count: int, pause: float, style: str) -> dict[str, Any]:
    """As `benchmarks.peers.work` says."""
    background.call(prepare())
    for number in range(count):
        background.call(create(str(number), levels, pause, style))
    begun = time.monotonic()
    start_workers(style, count if pause else JOBS)
    work.until(lambda: progress.has_begun(count, levels))
    ended = work.until(has_no_jobs)
    assert not value(tasks_table.OPEN)
    return work.all_done(begun, ended, progress, count, levels)


def latency(levels: Levels, runs: int, style: str) -> dict[str, Any]:
    """As `benchmarks.peers.work` says."""
    background.call(prepare())
    start_workers(style, JOBS)
    return work.one_by_one(
        lambda name: background.call(create(name, levels, 0, style)),
        lambda _: has_no_jobs(),
        progress,
        runs,
        levels,
    )


def has_no_jobs() -> bool:
    return not value("SELECT count(*) FROM procrastinate_jobs")


def value(sql: str) -> int:
    row = watcher.execute(sql).fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    work.main(throughput, latency)
