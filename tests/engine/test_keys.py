"""The key a task is called with."""

import sys

import pytest

from tests.engine.support import Script, UntilIdle, check_truth, failure, results, run, work
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
    make_key(alice, name="old", secret="sk-old-00000000").set_active(False, by=alice)
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
    assert (one.status, one.attempts, one.error_code) == ("failed", 0, "decryption_failed")
    assert one.error == (
        "The OpenAI key “main” cannot be read any more: it was encrypted with a key that is no "
        "longer in ENCRYPTION_KEYS. Enter it again."
    )


def test_a_fallback_whose_key_cannot_be_decrypted_is_passed_over(alice, settings):
    make_key(alice)
    settings.ENCRYPTION_KEYS = ["A" * 43 + "="]
    agents = [make_agent(fallbacks=["openai:gpt-4.1-mini"])]
    task = make_task("one", max_retries=0)
    workflow = make_workflow(alice, definition=make_definition(task, agents=agents))
    execution = make_execution(workflow)

    work(Script(one=[failure("unavailable")]))

    one = results(execution)["one"]
    assert one.error_code == "unavailable"
    assert "The fallback openai:gpt-4.1-mini was not tried: The OpenAI key “main”" in one.error


def test_without_the_packages_of_the_embedded_model_no_call_is_made(alice, monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    execution = make_execution(make_workflow(alice))

    run(UntilIdle())

    check_truth(execution)
    gather = results(execution)["gather"]
    assert (gather.error_code, gather.attempts) == ("missing_package", 0)
    assert "make setup" in gather.error
