"""SQL for peers that know jobs but no graphs: a row a task, as an application would keep it.

`waiting` counts the tasks of the level before that have not completed. Completing a task twice
changes nothing, because queues deliver at least once.
"""

from benchmarks.peers.work import Levels

CREATE = """
CREATE TABLE task (
    execution text, level int, id text,
    waiting int NOT NULL, status text NOT NULL DEFAULT 'pending',
    PRIMARY KEY (execution, level, id)
)
"""
INSERT = "INSERT INTO task (execution, level, id, waiting) VALUES (%s, %s, %s, %s)"
COMPLETE = """
UPDATE task SET status = 'completed'
WHERE execution = %(execution)s AND level = %(level)s AND id = %(id)s AND status = 'pending'
"""
# The tasks of the next level, and for how many each still waits.
COMPLETE_AND_COUNT = f"""
WITH done AS ({COMPLETE} RETURNING id)
UPDATE task SET waiting = waiting - (SELECT count(*) FROM done)
WHERE execution = %(execution)s AND level = %(level)s + 1
RETURNING id, waiting
"""  # noqa: S608  made of constants
OPEN = "SELECT count(*) FROM task WHERE status = 'pending'"


def rows(execution: str, levels: Levels) -> list[tuple[str, int, str, int]]:
    """The values of INSERT for a new execution."""
    before = [0, *map(len, levels)]
    return [
        (execution, number, id, before[number]) for number, ids in enumerate(levels) for id in ids
    ]
