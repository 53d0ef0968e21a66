"""The key a task is called with."""

import sys

import pytest

from tests.engine.support import Script, UntilIdle, check_truth, results, run, work
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_key,
    make_task,
    make_workflow,
)

pytestmark = pytest.mark.django_db(transaction=True)


def openai_workflow(user, **agent):
    agents = [make_agent(provider="openai", model="gpt-4.1-mini", **agent)]
    return make_workflow(user, definition=make_definition(make_task("one"), agents=agents))


def test_without_a_key_the_task_fails_before_any_call(alice):
    execution = make_execution(openai_workflow(alice))
    script = Script()

    work(script)

    check_truth(execution)
    one = results(execution)["one"]
    assert (one.error, one.error_code, one.attempts) == (
        "Add an OpenAI key under Keys.",
        "missing_key",
        0,
    )
    assert not script.requests


def test_the_oldest_active_key_is_used(alice, bob):
    make_key(bob, secret="sk-bob-00000000")
    make_key(alice, name="old", secret="sk-old-00000000").set_active(False)
    make_key(alice, name="mid", secret="sk-mid-00000000")
    make_key(alice, name="new", secret="sk-new-00000000")
    make_execution(openai_workflow(alice))
    script = Script()

    work(script)

    assert script.requests[0].credential.secret == "sk-mid-00000000"


def test_a_named_key_is_used(alice):
    make_key(alice, name="mid", secret="sk-mid-00000000")
    make_key(alice, name="new", secret="sk-new-00000000")
    make_execution(openai_workflow(alice, key="new"))
    script = Script()

    work(script)

    assert script.requests[0].credential.secret == "sk-new-00000000"


def test_a_named_key_that_is_not_there_is_not_replaced_by_another(alice):
    make_key(alice, name="mid")
    execution = make_execution(openai_workflow(alice, key="gone"))

    work()

    assert "named “gone”" in results(execution)["one"].error


def test_the_operators_key_is_for_admins_only(alice, adam, settings):
    settings.OPENAI_API_KEY = "sk-operator-0000"
    script = Script()
    refused = make_execution(openai_workflow(alice))
    allowed = make_execution(openai_workflow(adam))

    work(script)

    assert results(refused)["one"].error_code == "missing_key"
    assert results(allowed)["one"].status == "completed"
    assert script.requests[0].credential.secret == "sk-operator-0000"


def test_a_key_that_cannot_be_decrypted_says_so(alice, settings):
    make_key(alice)
    execution = make_execution(openai_workflow(alice))
    settings.ENCRYPTION_KEYS = ["A" * 43 + "="]

    work()

    check_truth(execution)
    one = results(execution)["one"]
    assert one.status == "failed"
    assert one.attempts == 0
    assert one.error_code != "internal_error"


def test_without_the_packages_of_the_embedded_model_no_call_is_made(alice, monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    execution = make_execution(make_workflow(alice))

    run(UntilIdle())

    check_truth(execution)
    gather = results(execution)["gather"]
    assert (gather.error_code, gather.attempts) == ("missing_package", 0)
    assert "make setup" in gather.error
