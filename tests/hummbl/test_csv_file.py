"""CSV that no spreadsheet takes for formulas."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hummbl.csv_file import cell, encode

SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
TEXTS = st.one_of(
    st.text(),
    st.builds(
        "".join, st.tuples(st.sampled_from(["", " ", "  "]), st.sampled_from(SIGNS), st.text())
    ),
)


@given(TEXTS)
def test_no_cell_begins_a_formula(text):
    """security.md 25: also behind blanks, which some programs trim."""
    assert not cell(text).lstrip(" ").startswith(SIGNS)
    assert cell(text).removeprefix("'") == text or cell(text) == text


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), max_size=5))
def test_what_is_written_is_read_back(rows):
    """Quotes, commas and line breaks in a cell begin no other cell and no other row."""
    pieces = list(encode([rows], ["a", "b", "c"]))
    text = b"".join(pieces).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(text, newline="")))
    expected = [[cell(value) for value in row] for row in rows]
    assert found == [["a", "b", "c"], *expected]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (12, "12"), (-3, "'-3"), ("plain", "plain"), ("a=b", "a=b"), (" =1", "' =1")],
    ids=["none", "number", "negative", "text", "inside", "behind-a-blank"],
)
def test_cells(value, text):
    assert cell(value) == text


def test_what_utf_8_cannot_say():
    assert b"?" in b"".join(encode([[["\ud800"]]], ["a"]))
