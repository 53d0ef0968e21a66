"""DBOS: a workflow of steps, from a queue, on PostgreSQL or SQLite.

DBOS writes a row when a workflow is enqueued, claimed and ended, and one when a step has ended.
After a crash the workflow is resumed and skips the steps that are stored; the one that ran repeats.

Settings, of those that were tried (tasks a second):

- 8 connections and 8 threads: the writes of coroutines go through a thread pool, and more threads
  only take the interpreter from each other (64 threads and 20 connections: a quarter less).
- 100 workflows at once: as good as any from 20 on; 8 are a quarter less.
- The queue asked every 0.1 s: it is claimed 100 at a time, so that asking more often gains nothing.
  A single execution waits for that interval, so latencies are measured with 0.01 s.
- `threads` runs the steps of a level one after the other in plain functions: a quarter more than
  coroutines that run them at once, but no real calls at the same time.
- uvloop makes no difference.
"""

import asyncio
import os
import time
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig

from benchmarks.peers import work
from benchmarks.peers.work import Levels, Progress

LIVE = 100
THREADS = 8
NAME = VERSION = QUEUE = "bench"
URL = os.environ["DATABASE_URL"].replace("postgres://", "postgresql://")
progress = Progress()


@DBOS.step()
async def step(execution: str, id: str, pause: float) -> str:
    progress.begin(execution, id)
    if pause:
        await asyncio.sleep(pause)
    return "ok"


@DBOS.workflow()
async def at_once(execution: str, levels: Levels, pause: float) -> str:
    for level in levels:
        await asyncio.gather(*(step(execution, id, pause) for id in level))
    return "ok"


@DBOS.step()
def plain_step(execution: str, id: str, pause: float) -> str:
    progress.begin(execution, id)
    time.sleep(pause)
    return "ok"


@DBOS.workflow()
def threads(execution: str, levels: Levels, pause: float) -> str:
    for level in levels:
        for id in level:
            plain_step(execution, id, pause)
    return "ok"


WORKFLOWS = {"at once": at_once, "threads": threads}


def prepare(live: int, threads: int, interval: float) -> DBOSClient:
    """Create the tables and the queue; the worker begins with the next `DBOS.launch()`."""
    config: DBOSConfig = {
        "name": NAME,
        "system_database_url": URL,
        "sys_db_pool_size": THREADS,
        "max_executor_threads": threads,
        "log_level": "ERROR",
        "application_version": VERSION,
        "executor_id": "1",
        "enable_otlp": False,
    }
    DBOS(config=config)
    DBOS.launch()
    DBOS.destroy()
    client = DBOSClient(system_database_url=URL)
    client.register_queue(
        QUEUE, worker_concurrency=live, polling_interval_sec=interval, application_name=NAME
    )
    DBOS(config=config)
    return client


def enqueue(client: DBOSClient, style: str, name: str, levels: Levels, pause: float) -> None:
    client.enqueue(
        {
            "queue_name": QUEUE,
            "workflow_name": WORKFLOWS[style].__qualname__,
            "workflow_id": name,
            "app_version": VERSION,
        },
        name,
        levels,
        pause,
    )


def throughput(levels: Levels, count: int, pause: float, style: str) -> dict[str, Any]:
    """As `benchmarks.peers.work` says."""
    live = count if pause else LIVE
    client = prepare(live, live if pause and style == "threads" else THREADS, 0.1)
    for number in range(count):
        enqueue(client, style, str(number), levels, pause)
    DBOS.launch()
    begun = time.monotonic()
    work.until(lambda: progress.has_begun(count, levels))
    ended = work.until(
        lambda: (
            not client.list_workflows(
                status=["ENQUEUED", "PENDING"], load_input=False, load_output=False
            )
        )
    )
    completed = client.list_workflows(status="SUCCESS", load_input=False, load_output=False)
    assert len(completed) == count
    return work.all_done(begun, ended, progress, count, levels)


def latency(levels: Levels, runs: int, style: str) -> dict[str, Any]:
    """As `benchmarks.peers.work` says."""
    client = prepare(LIVE, THREADS, 0.01)
    DBOS.launch()
    return work.one_by_one(
        lambda name: enqueue(client, style, name, levels, 0),
        lambda name: client.retrieve_workflow(name).get_status().status == "SUCCESS",
        progress,
        runs,
        levels,
    )


if __name__ == "__main__":
    work.main(throughput, latency)
