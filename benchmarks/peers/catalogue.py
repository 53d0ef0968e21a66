"""Who is measured beside HUMMBL, in the order of the table. Their runners say why so."""

from dataclasses import dataclass, field

EVERY_TASK = "a job or step for every task"
EXECUTION = "one job for an execution"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A peer in one of its ways to do the work.

    `count` diamonds take it from five to fifteen seconds. `database` is where HUMMBL is measured to
    be compared with it. `style` is told to its runner if it has several.
    """

    name: str
    peer: str
    group: str
    how: str
    stores: str
    after_crash: str
    count: int
    style: str = ""
    database: str = "PostgreSQL"
    servers: tuple[str, ...] = field(default=())


RESUMED = "resumed; running tasks repeat"
REDELIVERED = "delivered again; running tasks repeat"
RETRIED = "retried if the application does; running tasks repeat"

CONTESTANTS = [
    Contestant(
        name="dbos",
        peer="dbos",
        group=EVERY_TASK,
        how="steps at once, 100 workflows, 8 threads",
        stores="PostgreSQL",
        after_crash=RESUMED,
        count=300,
        style="at once",
    ),
    Contestant(
        name="dbos-threads",
        peer="dbos",
        group=EVERY_TASK,
        how="steps in turn, 100 workflows, 8 threads",
        stores="PostgreSQL",
        after_crash=RESUMED,
        count=400,
        style="threads",
    ),
    Contestant(
        name="dbos-sqlite",
        peer="dbos",
        group=EVERY_TASK,
        how="steps in turn, 100 workflows, 8 threads",
        stores="SQLite",
        after_crash=RESUMED,
        count=300,
        style="threads",
        database="SQLite",
    ),
    Contestant(
        name="celery-redis",
        peer="celery",
        group=EVERY_TASK,
        how="chains and chords, 20 threads, acks late",
        stores="RabbitMQ, Redis with fsync",
        after_crash=REDELIVERED + "; chords may stall",
        count=300,
        style="canvas",
        servers=("rabbitmq", "redis"),
    ),
    Contestant(
        name="celery-postgresql",
        peer="celery",
        group=EVERY_TASK,
        how="chains and chords, 20 threads, acks late",
        stores="RabbitMQ, PostgreSQL",
        after_crash=REDELIVERED + "; chords may stall",
        count=60,
        style="canvas",
        servers=("rabbitmq",),
    ),
    Contestant(
        name="celery-table",
        peer="celery",
        group=EVERY_TASK,
        how="our table of tasks, 20 threads, acks late",
        stores="RabbitMQ, PostgreSQL",
        after_crash=REDELIVERED,
        count=500,
        style="table",
        servers=("rabbitmq",),
    ),
    Contestant(
        name="procrastinate-task",
        peer="procrastinate",
        group=EVERY_TASK,
        how="our table of tasks, 3 workers of 10 jobs",
        stores="PostgreSQL",
        after_crash=RETRIED,
        count=500,
        style="task",
    ),
    Contestant(
        name="prefect",
        peer="prefect",
        group=EVERY_TASK,
        how="40 flows of coroutines, own server",
        stores="PostgreSQL",
        after_crash="not resumed",
        count=50,
    ),
    Contestant(
        name="prefect-sqlite",
        peer="prefect",
        group=EVERY_TASK,
        how="40 flows of coroutines, own server",
        stores="SQLite",
        after_crash="not resumed",
        count=50,
        database="SQLite",
    ),
    Contestant(
        name="celery-execution",
        peer="celery",
        group=EXECUTION,
        how="tasks in turn, 20 threads, acks late",
        stores="RabbitMQ, a row for each task in PostgreSQL",
        after_crash="delivered again; all tasks repeat",
        count=2000,
        style="execution",
        servers=("rabbitmq",),
    ),
    Contestant(
        name="procrastinate-execution",
        peer="procrastinate",
        group=EXECUTION,
        how="tasks at once, 1 worker of 10 jobs",
        stores="PostgreSQL, a row for each task",
        after_crash="retried if the application does; all tasks repeat",
        count=2000,
        style="execution",
    ),
]
