"""What changed between two documents."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_agent, make_definition, make_task
from tests.workflows.documents import SLOW, documents
from workflows.changes import compare, counts
from workflows.changes.text import TextDiff
from workflows.definition import parse

LINES = st.lists(st.text("ab \n.é", max_size=6), max_size=12).map("\n".join)


def canonical(*tasks, **fields):
    return parse(make_definition(*tasks, **fields)).to_json()


def said(before, after):
    """Each change as kind, subject, field, before and after."""
    return [
        (found.kind, found.subject, found.field, found.before, found.after)
        for found in compare(before, after)
    ]


def kinds(before, after):
    return [(found.kind, found.subject) for found in compare(before, after)]


A, B, C = make_task("a"), make_task("b"), make_task("c")


def test_nothing():
    assert compare(canonical(), canonical()) == []


def test_fields_of_a_task():
    before, after = canonical(A, B), canonical(A, make_task("b", "a", max_retries=0, name="Bee"))

    assert said(before, after) == [
        ("changed", "Task “Bee”", "name", "B", "Bee"),
        ("changed", "Task “Bee”", "dependencies", [], ["a"]),
        ("changed", "Task “Bee”", "max_retries", 2, 0),
    ]


def test_paths_are_of_the_newer_document_and_of_the_older_one_for_what_is_gone():
    found = compare(canonical(A, B), canonical(B, C))

    assert [(change.kind, change.path) for change in found] == [
        ("removed", "tasks[0]"),
        ("added", "tasks[1]"),
    ]


def test_a_task_that_moved():
    assert said(canonical(A, B, C), canonical(C, A, B)) == [("moved", "Task “C”", "position", 3, 1)]


def test_the_fewest_moves_explain_an_order():
    letters = [make_task(letter) for letter in "abcdefgh"]
    shuffled = [letters[n] for n in (4, 0, 1, 2, 7, 3, 5, 6)]

    found = kinds(canonical(*letters), canonical(*shuffled))

    assert found == [("moved", "Task “E”"), ("moved", "Task “H”")]


def test_a_task_in_between_moves_nobody():
    assert kinds(canonical(A, B), canonical(A, C, B)) == [("added", "Task “C”")]
    assert kinds(canonical(A, C, B), canonical(A, B)) == [("removed", "Task “C”")]


def test_a_renamed_task_takes_what_refers_to_it_along():
    before = canonical(A, make_task("b", "a"))
    after = canonical({**A, "id": "collect", "name": "Collect"}, make_task("b", "collect"))

    assert said(before, after) == [
        ("changed", "Task “Collect”", "id", "a", "collect"),
        ("changed", "Task “Collect”", "name", "A", "Collect"),
    ]


def test_a_renamed_task_with_another_prompt_is_known_by_its_name():
    after = canonical({**A, "id": "z", "description": "Do a and more."}, B)

    assert kinds(canonical(A, B), after) == [("changed", "Task “A”")] * 2


def test_a_renamed_agent():
    before = canonical(A)
    after = canonical({**A, "agent_id": "editor"}, agents=[make_agent("editor", name="Writer")])

    assert said(before, after) == [("changed", "Agent “Writer”", "id", "writer", "editor")]


def test_another_agent_for_a_task_is_a_change():
    agents = [make_agent(), make_agent("editor")]
    before = canonical(A, agents=agents)
    after = canonical({**A, "agent_id": "editor"}, agents=agents)

    assert said(before, after) == [("changed", "Task “A”", "agent_id", "writer", "editor")]


def test_the_order_of_dependencies_counts():
    before, after = (
        canonical(A, B, make_task("c", "a", "b")),
        canonical(A, B, make_task("c", "b", "a")),
    )

    assert said(before, after) == [("changed", "Task “C”", "dependencies", ["a", "b"], ["b", "a"])]


def test_an_input_schema_comes_and_goes():
    schema = {"type": "object", "properties": {"topic": {"type": "string"}}}

    assert said(canonical(A), canonical(A, input_schema=schema)) == [
        ("added", "Input schema", "", None, schema)
    ]
    assert kinds(canonical(A, input_schema=schema), canonical(A)) == [("removed", "Input schema")]


def test_an_input_schema_that_changed():
    before = {
        "type": "object",
        "properties": {"topic": {"type": "string"}, "tone": {"type": "string"}, "x": True},
    }
    after = {
        "type": "object",
        "properties": {"topic": {"type": "number"}, "size": {"type": "number"}, "x": {}},
        "required": ["topic"],
    }

    found = compare(canonical(A, input_schema=before), canonical(A, input_schema=after))

    assert [(change.kind, change.subject, change.path) for change in found] == [
        ("changed", "Input “topic”", "input_schema.properties.topic.type"),
        ("removed", "Input “tone”", "input_schema.properties.tone"),
        ("changed", "Input “x”", "input_schema.properties.x"),
        ("added", "Input “size”", "input_schema.properties.size"),
        ("changed", "Input schema", "input_schema.required"),
    ]


def test_a_field_that_an_older_version_did_not_have_yet_has_its_default():
    old = canonical(A)
    del old["tasks"][0]["max_retries"]

    assert compare(old, canonical(A)) == []


def test_counts():
    found = compare(canonical(A, B), canonical(B, A, C))

    assert counts(found) == {"added": 1, "removed": 0, "changed": 0, "moved": 1}


@SLOW
@given(before=documents(), after=documents())
def test_any_two_documents(before, after):
    before, after = parse(before).to_json(), parse(after).to_json()

    found = compare(before, after)

    assert compare(before, before) == []
    assert bool(found) == (before != after)
    for kind in ("agents", "tasks"):
        mine = [change for change in found if change.path.startswith(kind) and not change.field]
        grown = sum(change.kind == "added" for change in mine)
        shrunk = sum(change.kind == "removed" for change in mine)
        assert len(after[kind]) - len(before[kind]) == grown - shrunk


def plain(before, after, budget=1_000_000):
    return [(piece.kind, piece.text) for piece in TextDiff(budget).pieces(before, after)]


def test_words_within_a_line():
    before, after = "List five facts.\nBe brief.\n", "List ten short facts.\nBe brief.\nCite.\n"

    assert plain(before, after) == [
        ("same", "List "),
        ("removed", "five"),
        ("added", "ten short"),
        ("same", " facts.\nBe brief.\n"),
        ("added", "Cite.\n"),
    ]


def test_a_line_that_has_little_in_common_is_replaced_whole():
    assert plain("Write a poem about bees.", "Summarise this: {{ input.text }}.") == [
        ("removed", "Write a poem about bees."),
        ("added", "Summarise this: {{ input.text }}."),
    ]


def test_without_a_budget_a_block_is_replaced_whole():
    assert plain("one\nsame\ntwo\nend", "1\nsame\n2\nend", budget=0) == [
        ("removed", "one\nsame\ntwo\n"),
        ("added", "1\nsame\n2\n"),
        ("same", "end"),
    ]


@pytest.mark.parametrize("budget", [0, 9, 1_000_000])
@given(before=LINES, after=LINES)
def test_the_pieces_make_both_texts(budget, before, after):
    pieces = plain(before, after, budget)

    assert "".join(text for kind, text in pieces if kind != "added") == before
    assert "".join(text for kind, text in pieces if kind != "removed") == after
    assert all(text for _, text in pieces)
    assert all(one[0] != other[0] for one, other in pairwise(pieces))


def zigzag(lines, step):
    return "".join("ab"[n * n * step % 7 % 2] + "\n" for n in range(lines))


def test_a_text_made_to_be_slow_is_replaced_whole():
    """Word by word it would take hours."""
    assert len(plain(zigzag(30_000, 1), zigzag(30_000, 2))) <= 4


def test_many_texts_share_what_one_document_may_take():
    diff = TextDiff()

    found = [len(diff.pieces(zigzag(250, 1), zigzag(250, 2))) for _ in range(20)]

    assert found[0] > 50
    assert found[-1] <= 4
