"""Whole executions against a server that breaks things, and its own verdict on how we coped.

Every model name below is a scripted misfortune; the tasks that ask them run side by side.
"""

import pytest

from tests.engine.support import check_truth, results, work
from tests.factories import make_agent, make_definition, make_execution, make_key, make_task
from tests.factories import make_workflow as make_stored_workflow
from workflows import providers
from workflows.engine import retry, run
from workflows.providers import calls

pytestmark = pytest.mark.django_db(transaction=True)

STALL = {"type": "stream_fault", "kind": "stall", "after_chunks": 2}


def fail(status, **options):
    return {"type": "fail", "status": status, **options}


def broken(kind, after):
    return {"type": "stream_fault", "kind": kind, "after_chunks": after}


# What passes: the script of each model, how many calls its task takes, fields of the task.
PASSING = {
    "limited": ([fail(429, retry_after=1)], 2, {}),
    "limited-twice": ([fail(429, retry_after=0.4, times=2)], 3, {}),
    "timed-out": ([fail(408)], 2, {}),
    "conflict": ([fail(409)], 2, {}),
    "failing": ([fail(500, times=2)], 3, {}),
    "gateway": ([fail(502)], 2, {}),
    "unavailable": ([fail(503)], 2, {}),
    "overloaded": ([fail(529, retry_after=0.2)], 2, {}),
    "mixed": ([fail(429, retry_after=0.3), broken("disconnect", 3)], 3, {}),
    "truncated-at-once": ([broken("truncate", 1)], 2, {}),
    "truncated": ([broken("truncate", 4)], 2, {}),
    "malformed": ([broken("malformed", 1), broken("malformed", 4)], 3, {}),
    "malformed-ping": ([broken("malformed", 2)], 2, {}),
    "dropped": ([broken("disconnect", 0), broken("disconnect", 4)], 3, {}),
    "stalled": ([STALL], 2, {"timeout_seconds": 1}),
}
# What does not: the error code that each model's task ends with, after a single call.
LASTING = {
    "refused": ([fail(400)], "bad_request"),
    "no-key": ([fail(401)], "authentication"),
    "forbidden": ([fail(403)], "permission"),
    "not-found": ([fail(404)], "not_found"),
    "too-large": ([fail(413)], "too_large"),
    "unprocessable": ([fail(422)], "bad_request"),
}


def findings(llmock):
    """Errors and warnings, all of them but one that the judge cannot know better.

    It takes an attempt for a success when its last byte was written before we could hang up, as
    happens when an early event of a short answer is broken; our next attempt is then a call of
    its own to it, and the broken event one that nobody minded.
    """
    asked = {request["seq"]: request for request in llmock.requests()}
    return [
        finding
        for finding in llmock.verdict()["findings"]
        if not (
            finding["code"] == "malformed_chunk_ignored"
            and is_asked_again(asked[finding["requests"][0]], asked.values())
        )
    ]


def is_asked_again(request, requests):
    return any(
        later["fingerprint"] == request["fingerprint"] and later["seq"] > request["seq"]
        for later in requests
    )


@pytest.fixture(autouse=True)
def _addresses(llmock, monkeypatch):
    for provider in ("openai", "anthropic"):
        monkeypatch.setitem(calls.BASE_URLS, provider, llmock.base_url(provider))


@pytest.fixture
def execute(alice, llmock, provider):
    """`execute(scripts, tasks)` runs a task for each model, all at once, by a real worker."""
    address = llmock.base_url(provider) if provider == "custom" else ""
    make_key(alice, provider=provider, base_url=address)

    def run_all(scripts, **fields):
        tasks, agents = [], []
        for number, (model, script) in enumerate(scripts.items()):
            for behavior in script:
                llmock.script({**behavior, "match": {"model": model}})
            agents.append(make_agent(f"agent_{number}", provider=provider, model=model))
            options = {"max_retries": 3, **fields.get(model, {})}
            id = model.replace("-", "_")
            tasks.append(make_task(id, agent_id=f"agent_{number}", **options))
        definition = make_definition(*tasks, agents=agents)
        execution = make_execution(make_stored_workflow(alice, definition=definition))
        work(providers.complete)
        check_truth(execution)
        return {id.replace("_", "-"): task for id, task in results(execution).items()}

    return run_all


def test_the_verdict_on_failures_that_pass(llmock, execute):
    done = execute(
        {model: script for model, (script, _, _) in PASSING.items()},
        **{model: fields for model, (_, _, fields) in PASSING.items()},
    )

    assert {model: task.status for model, task in done.items()} == dict.fromkeys(
        PASSING, "completed"
    )
    assert {model: task.attempts for model, task in done.items()} == {
        model: attempts for model, (_, attempts, _) in PASSING.items()
    }
    assert findings(llmock) == []
    assert llmock.verdict()["faults_injected"] == sum(n - 1 for _, n, _ in PASSING.values())


def test_the_verdict_on_failures_that_last(llmock, execute):
    done = execute({model: script for model, (script, _) in LASTING.items()})

    assert {model: (task.error_code, task.attempts) for model, task in done.items()} == {
        model: (code, 1) for model, (_, code) in LASTING.items()
    }
    assert findings(llmock) == []


def test_the_verdict_on_a_provider_that_stays_away(llmock, execute, monkeypatch):
    """Nine retries are the most that are no storm."""
    monkeypatch.setattr(retry, "BASE_SECONDS", 0.01)
    monkeypatch.setattr(retry, "CAP_SECONDS", 0.2)
    done = execute({"away": [fail(500, times=None)]}, away={"max_retries": 9})

    assert (done["away"].error_code, done["away"].attempts) == ("server_error", 10)
    assert findings(llmock) == []


def test_the_judge_is_awake(llmock, execute, monkeypatch):
    """What it would say of an engine that neither waits nor reads to the end."""
    monkeypatch.setattr(run, "backoff", lambda failures, retry_after: 0)
    monkeypatch.setattr(calls, "_check_finish", lambda response, explainer: None)
    monkeypatch.setattr("workflows.providers.strict.StrictDecoder.aiter_bytes", lenient)
    execute(
        {
            "limited": [fail(429, retry_after=30)],
            "truncated": [broken("truncate", 4)],
            "away": [fail(503)],
        },
        away={"max_retries": 0},
    )
    codes = {finding["code"] for finding in findings(llmock)}
    assert codes == {"retry_after_ignored", "truncated_stream_accepted", "gave_up"}


def lenient(decoder, iterator):
    return decoder._decoder.aiter_bytes(iterator)
