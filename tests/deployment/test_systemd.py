"""The units of deploy/systemd, as systemd itself reads them."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.deployment import image
from tests.processes import PATIENCE, database_url

UNITS = settings.BASE_DIR / "deploy" / "systemd"
NAMES = sorted(path.name for path in UNITS.glob("hummbl-*.*") if path.is_file())
analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(not analyze, reason="systemd-analyze is not installed here")


def unit(name: str) -> configparser.ConfigParser:
    # A name may be given twice: the last one counts for us.
    found = configparser.ConfigParser(interpolation=None, strict=False)
    found.optionxform = str
    found.read(UNITS / name)
    return found


@pytest.fixture
def installed(tmp_path):
    """The units, with this checkout in the place of /opt/hummbl."""
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text()
            text = text.replace("/opt/hummbl/.venv/bin", str(Path(sys.executable).parent))
            path.write_text(text.replace("/opt/hummbl", str(settings.BASE_DIR)))
    shutil.copy(folder / "hummbl-worker@.service", folder / "hummbl-worker@1.service")
    return folder


def ask_systemd(folder, *arguments):
    # The colon: systemd's own folders come after ours.
    variables = os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"}
    return subprocess.run(
        [analyze, *arguments], env=variables, capture_output=True, text=True, check=False
    )


@needs_systemd
def test_systemd_understands_every_line(installed):
    files = [str(path) for path in sorted(installed.iterdir()) if "@." not in path.name]
    units = [path for path in files if path.endswith((".service", ".timer"))]
    assert len(units) == len(NAMES)
    answer = ask_systemd(installed, "verify", "--man=no", *units)
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".service")])
def test_services_are_shut_in(installed, name):
    path = installed / name.replace("@.", "@1.")
    # 2.0 of 10 is what systemd calls OK; what is left is that they speak to the network.
    answer = ask_systemd(installed, "security", "--offline=true", "--threshold=20", str(path))
    if "unrecognized option" in answer.stderr:
        pytest.skip("This systemd cannot judge a unit that is not loaded.")
    assert answer.returncode == 0, answer.stdout


def test_they_start_what_the_image_starts():
    services = image.compose()["services"]

    def started(name):
        words = unit(f"hummbl-{name}.service")["Service"]["ExecStart"].split()
        return [Path(words[0]).name, *words[1:]]

    assert started("web") == image.command()
    assert started("worker@") == services["worker"]["command"].split()
    assert started("migrate") == services["migrate"]["command"].split()


def test_there_is_time_for_the_hand_over():
    from workflows.engine.worker import HAND_OVER_SECONDS

    service = unit("hummbl-worker@.service")["Service"]
    assert int(service["TimeoutStopSec"]) > HAND_OVER_SECONDS
    # The signal goes to the worker alone, which ends what it has started.
    assert service["KillMode"] == "mixed"
    assert service["Restart"] == "on-failure"


def test_web_and_workers_start_after_the_migrations():
    for name in ("hummbl-web.service", "hummbl-worker@.service"):
        section = unit(name)["Unit"]
        assert section["Requires"] == section["After"] == "hummbl-migrate.service"


def lines(name: str, key: str) -> list[str]:
    """The commands of a service, as a shell would get them, with our Python."""
    text = (UNITS / name).read_text()
    found = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    here = [line.replace("%%", "%").replace("$$", "$") for line in found]
    return [line.replace(".venv/bin/python", sys.executable) for line in here]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_backup_is_written_and_looked_at_and_old_ones_go(tmp_path, alice):
    old = tmp_path / "2020-01-01.zip"
    old.touch()
    os.utime(old, (0, 0))
    variables = os.environ | {"DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY}
    for key in ("ExecStart", "ExecStartPost"):
        for line in lines("hummbl-backup.service", key):
            command = ["/bin/sh", "-c", line.replace("/var/backups/hummbl", str(tmp_path))]
            subprocess.run(
                command, cwd=settings.BASE_DIR, env=variables, check=True, timeout=PATIENCE
            )
    (made,) = tmp_path.glob("*.zip")
    assert made != old
