"""Long texts: packed on SQLite, and read as they were written on every way out."""

import zlib

import pytest
from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import BinaryField
from django.db.models.expressions import RawSQL
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.support import Script, results, work
from tests.factories import make_definition, make_execution, make_task, make_workflow
from workflows.models import Execution, TaskResult
from workflows.models.texts import LONG, pack, unpack

PROSE = " ".join(["The quick brown fox jumps over the lazy dog."] * 200)


def stored(task, column="output"):
    """What the column itself holds."""
    plain = RawSQL(f'"workflows_taskresult"."{column}"', [], BinaryField())  # noqa: S611
    return TaskResult.objects.annotate(plain=plain).values_list("plain", flat=True).get(pk=task.pk)


# Every character, halves of surrogate pairs and NUL among them.
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.once
@given(ANY_TEXT, st.sampled_from([0, 1, LONG - 2, LONG - 1, LONG, LONG + 1, 3 * LONG]))
def test_every_text_comes_back(piece, length):
    text = (piece + "x" * length)[: max(length, len(piece))]
    assert unpack(pack(text)) == text


@pytest.mark.once
@given(ANY_TEXT)
def test_short_texts_stay_as_they_are(text):
    assert pack(text[: LONG - 1]) == text[: LONG - 1]


@pytest.mark.once
def test_long_texts_become_bytes_and_shorter():
    packed = pack(PROSE)
    assert isinstance(packed, bytes)
    assert len(packed) < len(PROSE) / 10
    assert isinstance(pack("x" * LONG), bytes)


@pytest.mark.once
def test_what_does_not_become_shorter_stays_text():
    noise = "".join(chr(0x4E00 + (n * 7919 * 7919) % 20_000) for n in range(LONG))
    assert pack(noise) in (noise, zlib.compress(noise.encode(), 1))
    assert len(pack(noise)) <= len(noise.encode())


@pytest.mark.django_db(transaction=True)
def test_the_engine_packs_and_everybody_reads(alice, api, client):
    workflow = make_workflow(alice)
    execution = make_execution(workflow)
    work(Script(gather=[PROSE]))

    task = results(execution)["gather"]
    assert task.output == PROSE
    if connection.vendor == "sqlite":
        assert stored(task) == pack(PROSE)
        assert len(stored(task)) < len(PROSE) / 10

    answer = api(alice).get(f"/api/executions/{execution.pk}").json()
    assert answer["task_results"][0]["output"] == PROSE
    client.force_login(alice)
    page = f"/executions/{execution.pk}"
    assert PROSE[:40] in client.get(f"{page}?task=gather").content.decode()
    assert client.get(f"{page}/tasks/gather/output?as=txt").content.decode() == PROSE
    assert PROSE in client.get(f"{page}/outputs?as=md").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_worker_goes_on_from_packed_texts(alice):
    """What was answered before it claimed is in the prompt of the task after it, whole."""
    prompt = "Do report. {{ tasks.gather.output }}"
    document = make_definition(
        make_task("gather"), make_task("report", "gather", description=prompt)
    )
    workflow = make_workflow(alice, definition=document)
    given = {"gather": PROSE}
    execution = Execution.start_test(
        workflow, document, "report", input={}, outputs=given, user=alice
    )
    script = Script()
    work(script)

    assert PROSE in script.prompt("report")
    report = results(execution)["report"]
    assert report.status == "completed"
    assert PROSE in report.input
    if connection.vendor == "sqlite":
        assert isinstance(stored(report, "input"), bytes)


@pytest.mark.django_db
def test_rows_from_before_are_read(alice):
    task = make_execution(make_workflow(alice)).tasks.first()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_taskresult SET output = %s", [PROSE])
    assert stored(task) == PROSE
    task.refresh_from_db()
    assert task.output == PROSE
    task.save()
    task.refresh_from_db()
    assert task.output == PROSE


@pytest.mark.django_db
def test_nobody_searches_in_what_may_be_packed(alice):
    """A search that finds short answers only would be worse than none."""
    with pytest.raises(FieldError, match="icontains"):
        TaskResult.objects.filter(output__icontains="fox").exists()
    assert not TaskResult.objects.filter(output=PROSE).exists()
