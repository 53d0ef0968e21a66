"""Order, dependents and cycles, on graphs of any shape."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_definition as document
from tests.factories import make_task as task
from workflows.definition import DefinitionError, Graph, parse


def test_diamond():
    graph = parse(document(task("d", "b", "c"), task("b", "a"), task("c", "a"), task("a"))).graph

    assert graph.order == ["a", "b", "c", "d"]
    assert graph.dependents == {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}
    assert graph.dependencies["d"] == ["b", "c"]
    assert graph.descendants("a") == ["b", "c", "d"]
    assert graph.descendants("d") == []


def test_a_chain_of_500_needs_no_recursion():
    tasks = [task(f"t{at}", *([f"t{at + 1}"] if at < 499 else [])) for at in range(500)]

    assert parse(document(*tasks)).graph.order[0] == "t499"


edges = st.integers(1, 12).flatmap(
    lambda size: st.tuples(
        st.just(size),
        st.sets(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=25),
    )
)


def graph_of(size, pairs):
    needed = {at: sorted(low for low, high in pairs if high == at) for at in range(size)}
    return document(*[task(f"t{at}", *[f"t{low}" for low in needed[at]]) for at in range(size)])


@given(edges)
def test_acyclic_graphs_come_out_in_an_order_that_runs(shape):
    size, pairs = shape
    definition = parse(graph_of(size, {(a, b) for a, b in pairs if a < b}))

    graph = Graph(definition)
    position = {name: at for at, name in enumerate(graph.order)}

    assert sorted(graph.order) == sorted(definition.tasks_by_id)
    for name, needed in graph.dependencies.items():
        assert all(position[other] < position[name] for other in needed)
        assert all(name in graph.dependents[other] for other in needed)


def reachable(pairs, start):
    seen, queue = set(), [start]
    for current in queue:
        fresh = {b for a, b in pairs if a == current} - seen
        seen |= fresh
        queue.extend(fresh)
    return seen


@given(edges)
def test_a_cycle_is_reported_exactly_when_there_is_one(shape):
    size, pairs = shape
    pairs = {(a, b) for a, b in pairs if a != b}
    cyclic = any(at in reachable(pairs, at) for at in range(size))

    if not cyclic:
        parse(graph_of(size, pairs))
        return
    with pytest.raises(DefinitionError) as caught:
        parse(graph_of(size, pairs))
    for error in caught.value.errors:
        assert error["code"] == "cycle"
        trail = error["message"].split(": ")[1].split(". ")[0].split(" → ")
        if "…" not in trail:
            steps = [(int(a[1:]), int(b[1:])) for a, b in pairwise(trail)]
            assert trail[0] == trail[-1]
            assert set(steps) <= pairs
