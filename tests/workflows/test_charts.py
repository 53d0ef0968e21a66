"""Bars of charts."""

from workflows.figures.charts import HEIGHT, WIDTH, stacks


def heights(stack):
    return [float(part.height) for part in stack.parts]


def test_the_highest_sets_the_scale():
    low, high = stacks([{"a": 1}, {"a": 1, "b": 3}])
    assert sum(heights(high)) == 4 * sum(heights(low))
    assert sum(heights(high)) < HEIGHT
    assert [part.name for part in high.parts] == ["a", "b"]


def test_parts_stand_on_each_other_and_bars_beside_each_other():
    left, right = stacks([{"a": 1}, {"a": 1, "b": 3}])
    lower, upper = right.parts
    assert float(upper.y) + float(upper.height) == float(lower.y)
    assert float(lower.y) + float(lower.height) == HEIGHT
    assert float(left.parts[0].x) + float(left.parts[0].width) < float(lower.x)
    assert float(lower.x) + float(lower.width) < WIDTH


def test_nothing_is_left_out_and_little_can_be_seen():
    none, little, _ = stacks([{"a": 0, "b": 0}, {"a": 1}, {"a": 1_000_000}])
    assert none.parts == []
    assert heights(little) == [2.0]


def test_no_bars():
    assert stacks([]) == []
    assert [stack.parts for stack in stacks([{"a": 0}])] == [[]]
