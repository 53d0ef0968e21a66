"""The steps of the image, carried out in a clean folder: no engine is needed for them."""

import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.deployment import image
from tests.processes import PATIENCE, database_url, free_port, wait_for

pytestmark = pytest.mark.slow
HOST = "hummbl.example.org"
NOBODY = 65534
# What an operator puts into .env.
GIVEN = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    "ALLOWED_HOSTS": HOST,
    "POSTGRES_PASSWORD": "unused",
    "TRUSTED_PROXY_COUNT": "1",
    "EMAIL_URL": "smtp+tls://user:password@127.0.0.1:587",
}


@pytest.fixture(scope="module")
def app():
    """What `COPY . .` and the `RUN` lines leave in /app, readable by everybody."""
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    folder.chmod(0o755)
    app = folder / "app"
    image.copy_into(app)
    (step,) = [line for steps in image.run_steps() for line in steps if "collectstatic" in line]
    step = step.replace("/tmp/build", str(folder / "build"))  # noqa: S108 - the image's own
    subprocess.run(
        ["/bin/sh", "-c", step], cwd=app, env=environment(), check=True, timeout=PATIENCE
    )
    yield app
    shutil.rmtree(folder)


def environment(**more: str) -> dict[str, str]:
    """The image's, with this Python in the place of its own."""
    python = str(Path(sys.executable).parent)
    return image.image_environment() | {"PATH": f"{python}:{os.environ['PATH']}"} | more


@cache
def unprivileged() -> dict[str, Any]:
    """Arguments that start a process as nobody, where we may, and others can read our Python."""
    if os.getuid() != 0:
        return {}
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": ()}
    try:
        tried = subprocess.run([sys.executable, "-c", "import django"], **user, check=False)
    except PermissionError:
        return {}
    return {} if tried.returncode else user


def test_the_pinned_requirements_are_those_that_the_tests_run_with():
    """In the place of `pip install`: the image gets what is tried here."""
    assert image.run_steps()[0][0] == "pip install -r requirements.txt"
    lines = (image.ROOT / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and line[0] not in "# ")
    installed = {each.name.lower().replace("_", "-"): each.version for each in distributions()}
    assert len(pinned) > 30
    wanted = {name.split("[")[0].lower(): version.split(" ")[0] for name, version in pinned.items()}
    assert {name: installed.get(name.replace("_", "-")) for name in wanted} == wanted


def test_nothing_of_this_machine_gets_into_the_image(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    for name in (".env", ".env.production", "data/secret_key", ".git/config", "hummbl/x.py"):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("canary")
    cache = source / "hummbl/__pycache__/x.pyc"
    cache.parent.mkdir()
    cache.write_text("canary")

    image.copy_into(target, source)

    found = [str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()]
    assert found == ["hummbl/x.py"]


def test_it_does_not_run_as_root():
    (user,) = image.instructions("USER")
    last = [each.word for each in image.dockerfile()].index("USER")
    assert user == "hummbl"
    assert all(each.word not in {"RUN", "COPY"} for each in image.dockerfile()[last:])


@contextmanager
def started(command, app, variables):
    """A service: in the image's folder, as nobody, ended as `docker stop` ends it."""
    process = subprocess.Popen(command, cwd=app, env=variables, **unprivileged())
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def is_healthy(variables):
    """What the engine asks in the container, and whether it likes the answer."""
    command = ["/bin/sh", "-c", image.health_command()]
    asked = subprocess.run(command, env=variables, check=False, capture_output=True)
    return asked.returncode == 0


def health(port):
    request = Request(f"http://127.0.0.1:{port}/api/health", headers={"Host": HOST})
    with urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


@pytest.mark.django_db(transaction=True)
def test_the_services_start_in_order_and_are_healthy(app, elsewhere, is_postgres):
    data = Path(tempfile.mkdtemp(dir=app.parent))
    os.chown(data, unprivileged().get("user", -1), -1)
    port = str(free_port())
    services = image.compose()["services"]
    with elsewhere():
        database = database_url() if is_postgres else f"sqlite:///{data}/db.sqlite3"
        # What the container would have: the database's host, and folders of its own.
        variables = environment(
            **image.service_environment(GIVEN) | {"DATABASE_URL": database},
            PORT=port,
            HOST="127.0.0.1",
            DATA_DIR=str(data),
            TMPDIR=str(data),
        )
        subprocess.run(
            services["migrate"]["command"].split(),
            cwd=app,
            env=variables,
            check=True,
            timeout=PATIENCE,
            **unprivileged(),
        )
        with (
            started(image.command(), app, variables),
            started(services["worker"]["command"].split(), app, variables),
        ):
            wait_for(lambda: is_healthy(variables), what="HEALTHCHECK succeeds")
            wait_for(
                lambda: health(port)["status"] == "operational",
                what="the tables are there, and a worker",
            )
        assert not is_healthy(variables)
