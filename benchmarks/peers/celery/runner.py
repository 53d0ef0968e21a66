"""Celery with RabbitMQ and the pool `threads`: canvases, a table of tasks, or one message each.

- `canvas`: a message per task as chain and chord; results in a private Redis that syncs its log
  with each write (the usual one forgets up to a second) or in PostgreSQL.
- `table`: a message per task beside a table of tasks on PostgreSQL; a task commits its end, counts
  down those that wait for it and sends the messages of those that wait no more.
- `execution`: a message per execution that performs its tasks in turn and commits each one's end.

Queues are durable, messages persistent, publishing confirmed, and acknowledged late: after a crash
RabbitMQ delivers again what was not acknowledged, and that task, or execution, repeats. A crash
between the parts of a chord can leave it incomplete.

Settings, of those that were tried (tasks a second):

- 20 threads: fewer are as good with PostgreSQL, more gain a tenth with Redis and lose as much with
  PostgreSQL; a prefetch of 4 a thread. Long calls get a thread each.
- Unconfirmed publishing would gain half and lose messages with the broker.
- No remote control, gossip, mingle, heartbeats or events: nobody listens.
- With results in PostgreSQL a chord is a task that asks again and again; every 0.1 s is best.
"""

import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg_pool
from celery import Celery, chain, group, signals
from celery.canvas import Signature
from celery.worker import state
from kombu import Exchange, Queue

from benchmarks.peers import tasks_table, work
from benchmarks.peers.work import Levels, Progress

THREADS = 20
NAME = f"hummbl-bench-{secrets.token_hex(4)}"
DATABASE = os.environ["DATABASE_URL"]
RESULTS = os.environ.get("REDIS_URL") or DATABASE.replace("postgres://", "db+postgresql+psycopg://")
# Goes away with its queue, and the queue by itself if nobody could remove it.
EXCHANGE = Exchange(NAME, durable=True, auto_delete=True)
QUEUE = Queue(NAME, EXCHANGE, NAME, durable=True, queue_arguments={"x-expires": 600_000})
progress = Progress()
pool = psycopg_pool.ConnectionPool(DATABASE, min_size=1, max_size=THREADS, open=False)
app = Celery(NAME, broker=os.environ["AMQP_URL"], backend=RESULTS)
app.conf.update(
    broker_pool_limit=THREADS,
    broker_transport_options={"confirm_publish": True},
    database_engine_options={"pool_size": THREADS},
    redis_max_connections=100,
    result_chord_retry_interval=0.1,
    task_acks_late=True,
    task_default_exchange=NAME,
    task_default_queue=NAME,
    task_default_routing_key=NAME,
    task_queues=[QUEUE],
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)


def perform(execution: str, id: str, pause: float) -> None:
    progress.begin(execution, id)
    time.sleep(pause)


@app.task(name="part")
def part(execution: str, id: str, pause: float) -> str:
    perform(execution, id, pause)
    return "ok"


@app.task(name="task", ignore_result=True)
def task(execution: str, levels: Levels, level: int, id: str, pause: float) -> None:
    perform(execution, id, pause)
    place = {"execution": execution, "level": level, "id": id}
    with pool.connection() as connection:
        found = connection.execute(tasks_table.COMPLETE_AND_COUNT, place).fetchall()
    for next_id in (id for id, waiting in found if not waiting):
        task.delay(execution, levels, level + 1, next_id, pause)
    if level + 1 == len(levels):
        progress.end(execution)


@app.task(name="execute", ignore_result=True)
def execute(execution: str, levels: Levels, pause: float) -> None:
    for number, ids in enumerate(levels):
        for id in ids:
            perform(execution, id, pause)
            place = {"execution": execution, "level": number, "id": id}
            with pool.connection() as connection:
                connection.execute(tasks_table.COMPLETE, place)
    progress.end(execution)


def canvas(name: str, levels: Levels, pause: float) -> Signature:
    steps = [[part.si(name, id, pause) for id in ids] for ids in levels]
    return chain(*(parts[0] if len(parts) == 1 else group(parts) for parts in steps))


def create(style: str, name: str, levels: Levels, pause: float) -> None:
    if style == "canvas":
        canvas(name, levels, pause).apply_async()
        return
    with pool.connection() as connection:
        connection.cursor().executemany(tasks_table.INSERT, tasks_table.rows(name, levels))
    if style == "execution":
        execute.delay(name, levels, pause)
        return
    for id in levels[0]:
        task.delay(name, levels, 0, id, pause)


def prepare(levels: Levels) -> None:
    """Open the table, and learn when the result of a canvas' last part is stored."""
    pool.open()
    with pool.connection() as connection:
        connection.execute(tasks_table.CREATE)

    @signals.task_postrun.connect(weak=False)
    def ended(sender: Any, args: Any, **_: Any) -> None:
        if sender.name == part.name and args[1] == levels[-1][0]:
            progress.end(args[0])


@contextmanager
def worker(threads: int) -> Iterator[float]:
    """A worker in a thread of its own; the moment at which it listens."""
    ready = threading.Event()
    signals.worker_ready.connect(lambda **_: ready.set(), weak=False)
    process = app.Worker(
        pool="threads",
        concurrency=threads,
        loglevel="ERROR",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    thread = threading.Thread(target=process.start, daemon=True)
    thread.start()
    try:
        assert ready.wait(work.LIMIT_SECONDS)
        yield time.monotonic()
    finally:
        state.should_stop = os.EX_OK
        thread.join(5)


@contextmanager
def broker() -> Iterator[None]:
    """Leave no queue and no exchange behind."""
    try:
        yield
    finally:
        with app.connection_for_write() as connection:
            QUEUE(connection.default_channel).delete()
            EXCHANGE(connection.default_channel).delete()


def throughput(levels: Levels, count: int, pause: float, style: str) -> dict[str, Any]:
    """As `benchmarks.peers.work` says."""
    prepare(levels)
    with broker():
        for number in range(count):
            create(style, str(number), levels, pause)
        with worker(count if pause else THREADS) as begun:
            work.until(lambda: len(progress.ended) == count)
            return work.all_done(begun, max(progress.ended.values()), progress, count, levels)


def latency(levels: Levels, runs: int, style: str) -> dict[str, Any]:
    """As `benchmarks.peers.work` says."""
    prepare(levels)
    with broker(), worker(THREADS):
        return work.one_by_one(
            lambda name: create(style, name, levels, 0),
            progress.ended.__contains__,
            progress,
            runs,
            levels,
        )


if __name__ == "__main__":
    work.main(throughput, latency)
