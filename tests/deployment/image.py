"""Dockerfile, .dockerignore and compose.yaml, as far as they can be followed without an engine."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from django.conf import settings

ROOT: Path = settings.BASE_DIR


class Instruction(NamedTuple):
    """One of the Dockerfile, with its lines joined."""

    word: str
    rest: str


def dockerfile() -> list[Instruction]:
    text = (ROOT / "Dockerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line.strip()]


def instructions(word: str) -> list[str]:
    return [each.rest for each in dockerfile() if each.word == word]


def image_environment() -> dict[str, str]:
    """What ENV sets."""
    pairs = (part.split("=", 1) for line in instructions("ENV") for part in line.split())
    return {name: value for name, value in pairs}  # noqa: C416 - pairs are lists


def run_steps() -> list[list[str]]:
    """The shell commands of each RUN."""
    return [re.split(r"\s+&& ", line) for line in instructions("RUN")]


def command() -> list[str]:
    (line,) = instructions("CMD")
    found: list[str] = json.loads(line)
    return found


def health_command() -> str:
    """The shell command of HEALTHCHECK."""
    (line,) = instructions("HEALTHCHECK")
    return line.split(" CMD ", 1)[1]


def ignored() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().split()
    return [line.removeprefix("**/") for line in lines]


def copy_into(folder: Path, source: Path = ROOT) -> None:
    """COPY . . as .dockerignore has it."""
    shutil.copytree(
        source, folder, ignore=shutil.ignore_patterns(*ignored()), dirs_exist_ok=True, symlinks=True
    )


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def service_environment(given: dict[str, str]) -> dict[str, str]:
    """What compose passes to our services, when .env holds `given`."""
    passed: dict[str, str] = {}
    for name, value in compose()["x-hummbl"]["environment"].items():
        if value is None:
            passed |= {name: given[name]} if name in given else {}
        else:
            passed[name] = re.sub(
                r"\$\{(\w+)(?::\?[^}]*)?\}", lambda found: given[found[1]], str(value)
            )
    return passed
