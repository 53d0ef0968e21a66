"""`GET /api/executions/{id}/stream`: Server-Sent Events, replayed and followed."""

import asyncio
import json
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db.backends.signals import connection_created
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import AccessToken, Session
from hummbl import live
from tests.factories import make_definition, make_execution, make_task, make_workflow
from tests.processes import PATIENCE
from workflows import stream
from workflows.models import Execution, ExecutionEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(stream, "POLL", 0.01)
    monkeypatch.setattr(stream, "CHECK", 0.01)


@pytest.fixture
def execution(alice):
    return make_execution(make_workflow(alice))


@pytest.fixture
def url(execution):
    return f"/api/executions/{execution.pk}/stream"


@pytest.fixture
def token(alice):
    return Session.open(alice, ip="127.0.0.1", user_agent="tests")[1]


def add_events(execution, count):
    """What a running worker would write."""
    start = execution.last_sequence
    for number in range(start + 1, start + count + 1):
        ExecutionEvent.objects.create(
            execution=execution, sequence=number, type="task", data={"n": number}
        )
    execution.last_sequence += count
    Execution.objects.filter(pk=execution.pk).update(last_sequence=execution.last_sequence)


def parse(frames):
    """The events in a stream's text, as (id, event, data)."""
    found = []
    for block in frames.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and line[0] != ":")
        if fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


async def read(url, token, *, until=None, begun=None, **headers):
    """The answer, and its text until it ends or holds `until`; the first of it sets `begun`."""
    headers = {"Authorization": f"Bearer {token}", **headers}
    answer = await AsyncClient().get(url, headers=headers)
    if not answer.streaming:
        return answer, ""
    text = ""
    chunks = aiter(answer.streaming_content)
    async for chunk in chunks:
        text += chunk.decode()
        if begun:
            begun.set()
        if until and until in text:
            await chunks.aclose()
            break
    return answer, text


def test_replay_after_the_end(execution, url, token, alice):
    execution.cancel(by=alice)

    answer, text = async_to_sync(read)(url, token)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["Cache-Control"] == "no-cache"
    assert answer["X-Accel-Buffering"] == "no"
    events = parse(text)
    assert [event[:2] for event in events] == [
        (1, "execution"),
        (2, "task"),
        (3, "task"),
        (4, "execution"),
    ]
    assert events[0][2]["status"] == "pending"
    assert events[1][2]["task_id"] == "gather"
    assert (events[3][2]["status"], events[3][2]["progress"]) == ("cancelled", 1)


def test_resume(execution, url, token, alice):
    execution.cancel(by=alice)

    _, text = async_to_sync(read)(url, token, **{"Last-Event-ID": "2"})

    assert [event[0] for event in parse(text)] == [3, 4]


def test_nothing_left_is_no_content(execution, url, token, alice):
    execution.cancel(by=alice)

    for last in ("4", "99"):
        answer, _ = async_to_sync(read)(url, token, **{"Last-Event-ID": last})
        assert answer.status_code == 204


@pytest.mark.parametrize("last", ["", "0", "1", "3"])
def test_an_ended_execution_without_its_events_is_no_content(execution, url, token, alice, last):
    """Else an EventSource would ask for ever: after the retention of events."""
    execution.cancel(by=alice)
    execution.events.all().delete()

    answer, _ = async_to_sync(read)(url, token, **{"Last-Event-ID": last})

    assert answer.status_code == 204


def test_gaps_of_an_ended_execution_are_stepped_over(execution, url, token, alice, monkeypatch):
    monkeypatch.setattr(stream, "PAGE", 2)
    add_events(execution, 5)
    execution.cancel(by=alice)
    execution.events.filter(sequence__in=[1, 3, 4, 6]).delete()

    for last, left in {"": [2, 5, 7, 8, 9], "3": [5, 7, 8, 9], "8": [9]}.items():
        _, text = async_to_sync(read)(url, token, **{"Last-Event-ID": last})
        assert [event[0] for event in parse(text)] == left


def test_a_history_without_its_end_ends_too(execution, url, token, alice):
    execution.cancel(by=alice)
    execution.events.filter(sequence=4).delete()

    _, text = async_to_sync(read)(url, token)

    assert [event[0] for event in parse(text)] == [1, 2, 3]
    assert async_to_sync(read)(url, token, **{"Last-Event-ID": "3"})[0].status_code == 204


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "1,2", "0x1", "9" * 30])
def test_bad_last_event_id(url, token, last):
    answer, _ = async_to_sync(read)(url, token, **{"Last-Event-ID": last})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == "Last-Event-ID"


def test_follow_until_the_end(execution, url, token, alice):
    @async_to_sync
    async def main():
        watchers = [asyncio.create_task(read(url, token)) for _ in range(3)]
        await asyncio.sleep(0.1)
        await sync_to_async(add_events)(execution, 3)
        await asyncio.sleep(0.1)
        await sync_to_async(lambda: Execution.objects.get(pk=execution.pk).cancel(by=alice))()
        return [parse(text) for _, text in await asyncio.gather(*watchers)]

    first, *others = main()

    assert [event[0] for event in first] == list(range(1, 8))
    assert first[-1][2]["status"] == "cancelled"
    assert others == [first, first]


def test_a_slow_client_loses_nothing(execution, url, token, alice, monkeypatch):
    monkeypatch.setattr(stream, "RECENT", 2)
    monkeypatch.setattr(stream, "PAGE", 3)
    add_events(execution, 20)

    @async_to_sync
    async def main():
        slow = asyncio.create_task(read(url, token))
        fast = asyncio.create_task(read(url, token, **{"Last-Event-ID": "21"}))
        await asyncio.sleep(0.1)
        await sync_to_async(add_events)(execution, 20)
        await sync_to_async(lambda: Execution.objects.get(pk=execution.pk).cancel(by=alice))()
        return [parse(text) for _, text in await asyncio.gather(slow, fast)]

    slow, fast = main()

    assert [event[0] for event in slow] == list(range(1, 45))
    assert [event[0] for event in fast] == list(range(22, 45))


def test_silence_is_broken_by_a_comment(url, token, monkeypatch):
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)

    _, text = async_to_sync(read)(url, token, until=": still here\n\n")

    assert text.endswith(": still here\n\n")


def test_a_deleted_execution_ends_the_stream(execution, url, token):
    @async_to_sync
    async def main():
        begun = asyncio.Event()
        watcher = asyncio.create_task(read(url, token, begun=begun))
        await begun.wait()
        await sync_to_async(Execution.objects.filter(pk=execution.pk).delete)()
        return await watcher

    assert [event[0] for event in parse(main()[1])] == [1]


def test_another_role_ends_the_stream(execution, url, adam):
    """security.md 1: who is an administrator no more does not go on reading another's run."""
    _, token = Session.open(adam, ip=None, user_agent="")

    @async_to_sync
    async def main():
        begun = asyncio.Event()
        watcher = asyncio.create_task(read(url, token, begun=begun))
        await begun.wait()
        adam.role = "viewer"
        await sync_to_async(adam.save)()
        await watcher
        return await read(url, token)

    assert main()[0].status_code == 404


def test_the_reader_stops_with_the_last_stream(alice, execution):
    session, _ = Session.open(alice, ip=None, user_agent="")

    @async_to_sync
    async def main():
        follower = stream.events(execution.pk, credential=session)
        await anext(follower)
        running = [task for task in asyncio.all_tasks() if "_follow" in repr(task.get_coro())]
        await follower.aclose()
        await asyncio.gather(*running, return_exceptions=True)
        return [task.cancelled() for task in running]

    assert main() == [True]


@pytest.fixture
def queries(monkeypatch):
    """What all connections that are opened from now on are asked."""
    monkeypatch.setattr(stream, "CHECK", 60)
    asked = []

    def note(execute, sql, params, many, context):
        asked.append(sql)
        return execute(sql, params, many, context)

    def on_connection(connection, **_):
        connection.execute_wrappers.append(note)

    connection_created.connect(on_connection)
    yield asked
    connection_created.disconnect(on_connection)


@pytest.fixture
def version(monkeypatch):
    """What the reader is told, to be appended to as if something was committed; what it heard."""
    versions = ["first"]
    versions_seen = []
    monkeypatch.setattr(
        stream, "database_version", lambda: versions_seen.append(versions[-1]) or versions[-1]
    )
    return versions, versions_seen


async def until(condition):
    """Wait for something that happens in this loop."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("watched", ["one", "own"])
def test_streams_share_their_queries(alice, queries, version, watched):
    """However many there are: one question after a commit, and one for the events."""
    versions, versions_seen = version
    workflow = make_workflow(alice, definition=make_definition(make_task("a")))
    executions = [make_execution(workflow) for _ in range(20 if watched == "own" else 1)]
    session, _ = Session.open(alice, ip=None, user_agent="")
    reader_of_loop = []

    def has_caught_up():
        (reader,) = reader_of_loop
        return reader._version and all(feed.last for feed in reader._feeds.values())

    def write():
        for execution in executions:
            add_events(execution, 1)

    @async_to_sync
    async def main():
        reader_of_loop.append(stream._reader())
        pks = [execution.pk for execution in executions] * (20 // len(executions))
        followers = [aiter(stream.events(pk, credential=session)) for pk in pks]
        await asyncio.gather(*map(anext, followers))
        replayed = list(queries)
        waiting = asyncio.gather(*map(anext, followers))
        await until(has_caught_up)
        # The next look begins when the one before is over.
        looks = len(versions_seen)
        await until(lambda: len(versions_seen) > looks)
        queries.clear()
        await sync_to_async(write)()
        versions.append("second")
        frames = await waiting
        asked = list(queries)
        for follower in followers:
            await follower.aclose()
        return replayed, frames, asked

    replayed, frames, asked = main()

    assert sum("workflows_executionevent" in sql for sql in replayed) == len(executions)
    assert [frame[:6] for frame in frames] == [b"id: 2\n"] * 20
    assert sum("workflows_executionevent" in sql for sql in asked) == 1
    assert len(asked) == 2


def test_nothing_is_asked_while_nothing_is_committed(alice, execution, queries, monkeypatch):
    session, _ = Session.open(alice, ip=None, user_agent="")
    looks = []
    monkeypatch.setattr(stream, "database_version", lambda: looks.append(1) or "as before")

    @async_to_sync
    async def main():
        follower = aiter(stream.events(execution.pk, credential=session))
        await anext(follower)
        waiting = asyncio.ensure_future(anext(follower))
        counts = []
        for looked in (20, 40):
            await until(lambda looked=looked: len(looks) >= looked)
            counts.append(len(queries))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return counts

    before, after = main()
    assert before == after


def test_there_is_an_end_to_how_many_are_open(execution, url, token, alice, monkeypatch):
    monkeypatch.setattr(live, "MOST", 0)

    answer, _ = async_to_sync(read)(url, token)

    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert answer.json()["code"] == "too_many_streams"
    execution.cancel(by=alice)
    assert async_to_sync(read)(url, token, **{"Last-Event-ID": "4"})[0].status_code == 204


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "text/html", "*/*"])
def test_whatever_the_accept(execution, url, token, alice, accept):
    execution.cancel(by=alice)

    answer, _ = async_to_sync(read)(url, token, Accept=accept)

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")


def test_the_browser_session_works_too(execution, url, alice, client):
    execution.cancel(by=alice)

    client.force_login(alice)

    @async_to_sync
    async def main():
        browser = AsyncClient()
        browser.cookies = client.cookies
        return await browser.get(url)

    assert main().status_code == 200


def test_anonymous(api, url, token):
    for address in (url, f"{url}?token={token}", f"{url}?access_token={token}"):
        answer = api().get(address)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert answer["Content-Type"] == "application/json"


def test_outsider(api, bob, vera, url):
    assert api(bob).get(url).status_code == 404
    assert api(vera).get(url).status_code == 404


def test_admin(execution, adam, alice, url):
    execution.cancel(by=alice)
    token = Session.open(adam, ip=None, user_agent="")[1]

    assert async_to_sync(read)(url, token)[0].status_code == 200


def test_wrong_method(api, alice, url):
    assert api(alice).post(url).status_code == 405


def deactivate(alice):
    alice.is_active = False
    alice.save()


def expire(alice):
    alice.sessions.update(expires_at=timezone.now() - timedelta(seconds=1))
    alice.access_tokens.update(expires_at=timezone.now() - timedelta(seconds=1))


def delete(alice):
    alice.sessions.all().delete()
    alice.access_tokens.all().delete()


def access_token(alice):
    until = timezone.now() + timedelta(days=1)
    return AccessToken.issue(alice, name="ci", scopes=["read"], expires_at=until)[1]


@pytest.mark.parametrize("end", [deactivate, expire, delete])
@pytest.mark.parametrize("kind", ["session", "access token"])
def test_a_stream_ends_with_what_it_was_asked_for(alice, execution, url, token, end, kind):
    """security.md 8: signing out, a deactivation, an expiry hold for what is open already."""
    secret = token if kind == "session" else access_token(alice)

    async def run():
        begun = asyncio.Event()
        reading = asyncio.create_task(read(url, secret, begun=begun))
        await begun.wait()
        assert not reading.done()
        await sync_to_async(end)(alice)
        answer, text = await asyncio.wait_for(reading, PATIENCE)
        return answer, text

    answer, text = async_to_sync(run)()

    assert answer.status_code == 200
    assert [event for _, event, _ in parse(text)] == ["execution"]


def test_what_ends_by_time_alone_is_noticed(alice, execution, url, token, settings, monkeypatch):
    """security.md 8: although nothing is written when a session grows idle."""
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)

    async def run():
        begun = asyncio.Event()
        reading = asyncio.create_task(read(url, token, begun=begun))
        await begun.wait()
        settings.SESSION_IDLE_TTL = 0.01
        return await asyncio.wait_for(reading, PATIENCE)

    assert async_to_sync(run)()[0].status_code == 200


def test_another_s_end_does_not_end_a_stream(alice, bob, execution, url, token):
    other = Session.open(alice, ip=None, user_agent="")[0]

    async def run():
        begun = asyncio.Event()
        reading = asyncio.create_task(read(url, token, begun=begun))
        await begun.wait()
        await sync_to_async(other.delete)()
        await asyncio.sleep(0.1)
        assert not reading.done()
        await sync_to_async(lambda: Execution.objects.get(pk=execution.pk).cancel(by=alice))()
        return await reading

    assert parse(async_to_sync(run)()[1])[-1][2]["status"] == "cancelled"
