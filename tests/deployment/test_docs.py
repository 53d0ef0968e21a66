"""What the documents for operators name is there."""

import re
import shlex

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

DOCS = settings.BASE_DIR / "docs"
NAMES = (
    "backup.md",
    "deployment.md",
    "machines.md",
    "monitoring.md",
    "retention.md",
    "scaling.md",
)
TEXTS = {name: (DOCS / name).read_text() for name in NAMES}
# `manage.py …` in a sentence, `hummbl …` in a block: the command and what is given to it.
COMMAND = re.compile(r"(?:^|`)(?:hummbl|manage\.py) ([a-z_]+)([^`\n#]*)", re.MULTILINE)


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    targets = re.findall(r"\]\(([^)#]+)\)", TEXTS[name])
    local = [target for target in targets if "://" not in target]
    assert local
    for target in local:
        assert (DOCS / target).exists(), target


@pytest.mark.parametrize("name", TEXTS)
def test_commands_take_the_arguments_that_are_given(name):
    found = COMMAND.findall(TEXTS[name])
    assert found
    for command, arguments in found:
        parser = load_command_class(get_commands()[command], command).create_parser("", command)
        if arguments.strip():
            parser.parse_args(shlex.split(arguments))


@pytest.mark.parametrize("name", TEXTS)
def test_files_and_settings_are_there(name):
    settings_named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)=?[^`]*`", TEXTS[name]))
    example = (settings.BASE_DIR / ".env.example").read_text()
    for setting in settings_named - {"POSTGRES_PASSWORD"}:
        assert setting in example, setting
    for path in re.findall(r"\b(deploy/[\w./-]+)", TEXTS[name]):
        wanted = path.rstrip("./-")
        assert list(settings.BASE_DIR.glob(f"{wanted}*")), path
