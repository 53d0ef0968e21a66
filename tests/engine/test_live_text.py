"""What a model writes reaches the history while it writes."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.support import Script, Streamed, check_truth, failure, results, work
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_key,
    make_task,
    make_workflow,
)
from workflows import providers
from workflows.engine.live_text import LiveText
from workflows.models import ExecutionEvent

django_db = pytest.mark.django_db(transaction=True)


def run_one(user, *answers, **fields):
    """An ended execution of one task that gave these answers."""
    task = make_task("one", **fields)
    execution = make_execution(make_workflow(user, definition=make_definition(task)))
    work(Script(one=answers))
    check_truth(execution)
    return execution


def deltas(execution):
    """The pieces by attempt."""
    found = defaultdict(list)
    events = ExecutionEvent.objects.filter(execution=execution, type="delta").order_by("sequence")
    for event in events:
        assert event.data.keys() == {"task_id", "item_index", "attempt", "text"}
        found[event.data["attempt"]].append(event.data["text"])
    return found


@django_db
def test_the_pieces_joined_are_the_output(alice):
    pieces = tuple(f"word {n} " for n in range(40))

    execution = run_one(alice, Streamed(pieces, pause=0.02))

    found = deltas(execution)[1]
    assert found[0] == "word 0 "
    assert 2 < len(found) < 40
    assert "".join(found) == results(execution)["one"].output


@django_db
def test_the_text_comes_between_the_start_and_the_end_of_its_task(alice):
    execution = run_one(alice, Streamed(("all at once",)))

    events = ExecutionEvent.objects.filter(execution=execution).order_by("sequence")
    told = [(e.type, e.data.get("status")) for e in events if e.type != "execution"]
    assert told == [("task", "running"), ("delta", None), ("task", "completed")]


@django_db
def test_a_later_attempt_starts_afresh(alice):
    broken = Streamed(("half an ",), then=failure(retry_after=0.01))

    execution = run_one(alice, broken, Streamed(("a whole ", "answer")))

    found = deltas(execution)
    assert (found[1], "".join(found[2])) == (["half an "], "a whole answer")
    assert results(execution)["one"].output == "a whole answer"


@django_db
def test_nothing_is_written_after_a_failure(alice):
    broken = Streamed(("one ", "two ", "three"), then=failure(retryable=False))

    execution = run_one(alice, broken)

    assert deltas(execution) == {1: ["one "]}
    last = ExecutionEvent.objects.filter(execution=execution).latest("sequence")
    assert (last.type, last.data["status"]) == ("execution", "failed")


@django_db
@pytest.mark.slow
@pytest.mark.parametrize("provider", ["openai", "anthropic", "custom"])
def test_what_a_provider_streams(alice, llmock, settings, monkeypatch, provider):
    from workflows.providers import calls

    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setitem(calls.BASE_URLS, provider, llmock.base_url(provider))
    base_url = llmock.base_url() if provider == "custom" else ""
    make_key(alice, provider=provider, base_url=base_url)
    answer = "Bees dance — 🐝 — to tell each other where the flowers are."
    llmock.reply(answer)
    agents = [make_agent(provider=provider, model="gpt-4.1-mini")]
    document = make_definition(make_task("one"), agents=agents)
    execution = make_execution(make_workflow(alice, definition=document))

    work(providers.complete)

    check_truth(execution)
    assert results(execution)["one"].output == answer
    assert "".join(deltas(execution)[1]) == answer


class Clock:
    """An event loop of which only the time passes."""

    def __init__(self):
        self.now, self.calls = 100.0, []

    def time(self):
        return self.now

    def call_later(self, delay, function):
        call = Timer(self.now + delay, function)
        self.calls.append(call)
        return call

    def advance(self, seconds):
        end = self.now + seconds
        while due := [call for call in self.calls if call.at <= end and not call.cancelled]:
            first = min(due, key=lambda call: call.at)
            self.calls.remove(first)
            self.now = first.at
            first.function()
        self.now = end


class Timer:
    def __init__(self, at, function):
        self.at, self.function, self.cancelled = at, function, False

    def cancel(self):
        self.cancelled = True


@given(st.lists(st.tuples(st.floats(0, 3), st.text(max_size=4)), max_size=60))
def test_no_piece_is_lost_and_none_too_many_is_told(steps):
    clock, told = Clock(), []
    live = LiveText(clock, lambda text: told.append((clock.now, text)))

    for pause, text in steps:
        live.add(text)
        clock.advance(pause)
    live.finish()
    clock.advance(10)

    assert "".join(text for _, text in told) == "".join(text for _, text in steps)
    assert all(text for _, text in told)
    # At most ten within a second: the last one, at the end, comes on top of five.
    for first, eleventh in zip(told, told[10:], strict=False):
        assert eleventh[0] - first[0] > 1
