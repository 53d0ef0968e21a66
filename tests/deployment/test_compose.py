"""compose.yaml: every setting can be set, and nothing is started that is not there."""

import re
import shlex

import pytest
from django.core.management import get_commands

from tests.deployment import image

# Set by the image or by compose itself, or not for a deployment.
OUR_OWN = {"DEBUG", "DATA_DIR", "STATIC_ROOT", "HOST", "PORT"}
SERVICES = image.compose()["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]


def test_every_setting_of_an_operator_is_passed():
    text = (image.ROOT / ".env.example").read_text()
    names = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    assert set(image.compose()["x-hummbl"]["environment"]) == names - OUR_OWN


def test_what_every_service_of_ours_is_kept_from():
    assert OURS == ["migrate", "web", "worker", "backup"]
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        # What must be written although the root is read-only.
        assert service["tmpfs"] == "/tmp"  # noqa: S108 - the container's
        assert "data:/data" in service["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_commands_are_there(name):
    words = shlex.split(SERVICES[name].get("command", "").replace("$$(", "$("))
    if words[:2] == ["sh", "-c"]:
        words = words[2].removeprefix("exec ").split()
    if not words:
        assert image.command()[0] == "gunicorn"
        return
    assert words[:2] == ["python", "manage.py"]
    assert words[2] in get_commands()


def test_nothing_runs_before_the_tables_are_there():
    for name in ("web", "worker"):
        needs = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert needs == "service_completed_successfully"
    assert SERVICES["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"


def test_volumes_are_declared():
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", ())]
    used = {mount.split(":")[0] for mount in mounts}
    assert used == set(image.compose()["volumes"])
