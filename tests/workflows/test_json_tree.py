"""JSON as HTML: complete where it is small, bounded where it is not, and never markup."""

import time

import pytest

from workflows.execution_page.json_tree import MAX_DEPTH, MAX_NODES, MAX_TEXT, render


def test_every_type_is_told_by_more_than_colour():
    html = render({"text": "yes", "number": 1.5, "flag": True, "nothing": None, "list": [1]})
    assert '<span class="jt-str">“yes”</span>' in html
    assert '<span class="jt-num">1.5</span>' in html
    assert '<span class="jt-word">true</span>' in html
    assert '<span class="jt-word">null</span>' in html
    assert '<span class="jt-size">[1 item]</span>' in html
    assert '<span class="jt-size">{5 keys}</span>' in html


def test_nothing_is_markup():
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    html = render({evil: evil, "list": [evil]})
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;") == 3


def test_a_small_one_is_open_and_a_large_one_half():
    assert "<details>" not in render({"a": {"b": {"c": [1]}}})
    large = render({"a": {"b": {"c": list(range(100))}}})
    assert large.count("<details open>") == 2
    assert large.count("<details>") == 2


def test_a_deep_one_ends():
    value = current = []
    for _ in range(900):
        current.append([])
        current = current[0]
    html = render(value)
    assert html.count("<details") == MAX_DEPTH
    assert "Nested too deep to show; see Raw." in html


@pytest.mark.parametrize(
    "value", [list(range(50_000)), {str(key): [1, 2] for key in range(20_000)}]
)
def test_a_large_one_ends(value):
    started = time.process_time()
    html = render(value)
    assert html.count("<li>") < MAX_NODES + 100
    assert "more; see Raw." in html
    assert time.process_time() - started < 5


def test_a_long_text_is_cut():
    html = render(["x" * (MAX_TEXT + 1234), 10**200])
    assert "1,234 more characters" in html
    assert "1" + "0" * 200 in html


def test_what_is_empty():
    assert "<details" not in render({})
    assert "{0 keys}" in render({})
    assert "[0 items]" in render([[]])
