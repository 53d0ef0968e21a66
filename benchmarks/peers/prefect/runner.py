"""Prefect: a flow of tasks in coroutines, with a server of its own.

Flow runs are created over the API beforehand and then performed in this process, as a worker's
child does, but without a process for each, which would take seconds. The server stores each change
of a flow's state before the flow goes on; those of tasks are events over a socket, stored a little
later. What a crash leaves unstored is lost, the run is not resumed, and running it again repeats
all tasks.

Settings, of those that were tried (tasks a second):

- A server process: a server inside the runner's process shares its interpreter.
- The server stores the tasks' changes 200 at a time, and each 0.5 s. With its default of one at a
  time it lags behind by as long as the flows take: half as many tasks a second.
- 40 flows at once: a quarter more than 5; tasks of a level as coroutines, not in threads.
- Nothing beyond that: no history of events, no scheduler, no automations, no logs to the server, no
  caching and no storing of results; nothing is told to its makers.
- Both databases: neither is clearly the faster one.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.processes import end, free_port, wait_for

PORT = free_port()
LIVE = 40
SERVER = "prefect.server.api.server:create_app"
DATABASE = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://")
DATABASE = DATABASE.replace("sqlite://", "sqlite+aiosqlite://")
SERVICES = "PREFECT_SERVER_SERVICES"
# Prefect reads them when it is imported.
os.environ |= {
    "PREFECT_API_URL": f"http://127.0.0.1:{PORT}/api",
    "PREFECT_SERVER_DATABASE_CONNECTION_URL": DATABASE,
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_UI_ENABLED": "false",
    f"{SERVICES}_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    f"{SERVICES}_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    f"{SERVICES}_TASK_RUN_RECORDER_FLUSH_INTERVAL": "0.5",
} | {
    f"{SERVICES}_{name}_ENABLED": "false"
    for name in ("EVENT_PERSISTER", "FOREMAN", "LATE_RUNS", "SCHEDULER", "TRIGGERS")
}

from prefect import flow, task  # noqa: E402
from prefect.cache_policies import NO_CACHE  # noqa: E402
from prefect.client.orchestration import PrefectClient, get_client  # noqa: E402
from prefect.client.schemas import FlowRun  # noqa: E402
from prefect.flow_engine import run_flow_async  # noqa: E402

from benchmarks.peers import work  # noqa: E402
from benchmarks.peers.work import Levels, Progress  # noqa: E402

progress = Progress()
background = work.Background(asyncio.new_event_loop())


@task(cache_policy=NO_CACHE, persist_result=False)
async def step(execution: str, id: str, pause: float) -> str:
    progress.begin(execution, id)
    if pause:
        await asyncio.sleep(pause)
    return "ok"


@flow(validate_parameters=False, persist_result=False)
async def execute(execution: str, levels: Levels, pause: float) -> str:
    for level in levels:
        await asyncio.gather(*(step(execution, id, pause) for id in level))
    return "ok"


@contextmanager
def server() -> Iterator[PrefectClient]:
    """A client of a server that answers."""
    command = [sys.executable, "-m", "uvicorn", "--factory", SERVER, "--port", str(PORT)]
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [*command, "--log-level", "error"], stdout=complaints, stderr=complaints, text=True
        )
        try:
            wait_for(PORT, "/api/health")
            yield background.call(open_client())
        finally:
            end(process)


async def open_client() -> PrefectClient:
    return await get_client().__aenter__()


async def create(client: PrefectClient, name: str, levels: Levels, pause: float) -> FlowRun:
    parameters = {"execution": name, "levels": levels, "pause": pause}
    return await client.create_flow_run(execute, parameters=parameters)


async def perform(runs: list[FlowRun], live: int) -> None:
    limit = asyncio.Semaphore(live)

    async def one(run: FlowRun) -> None:
        async with limit:
            await run_flow_async(execute, flow_run=run, parameters=run.parameters)

    await asyncio.gather(*map(one, runs))


async def completed(client: PrefectClient, kind: str) -> int:
    only = {f"{kind}_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    answer = await client.request("POST", f"/{kind}_runs/count", json=only)
    return int(answer.json())


def throughput(levels: Levels, count: int, pause: float) -> dict[str, Any]:
    """As `benchmarks.peers.work` says."""
    with server() as client:
        runs = [
            background.call(create(client, str(number), levels, pause)) for number in range(count)
        ]
        tasks = count * sum(map(len, levels))
        begun = time.monotonic()
        background.call(perform(runs, count if pause else LIVE))
        ended = work.until(lambda: background.call(completed(client, "task")) == tasks)
        assert background.call(completed(client, "flow")) == count
        return work.all_done(begun, ended, progress, count, levels)


def latency(levels: Levels, runs: int) -> dict[str, Any]:
    """As `benchmarks.peers.work` says. The end is that of the flow, stored before its tasks'."""
    with server() as client:

        def run(name: str) -> None:
            created = background.call(create(client, name, levels, 0))
            background.start(perform([created], 1))

        return work.one_by_one(
            run,
            lambda name: background.call(completed(client, "flow")) == int(name.split("-")[1]) + 1,
            progress,
            runs,
            levels,
        )


if __name__ == "__main__":
    work.main(throughput, latency)
