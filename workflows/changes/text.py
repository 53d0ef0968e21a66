"""What changed in a text: by lines first, then by words within the lines that differ.

Comparing takes time that grows with the product of the lengths, and the texts are anybody's. So
each comparison is bounded, and all comparisons of one document share a budget: what lies beyond
is shown as one block replaced by another, which is true, only coarser.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

Kind = Literal["same", "removed", "added"]

MAX_PAIRS: Final = 90_000
BUDGET: Final = 300_000
_ALIKE: Final = 0.4
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_WORD: Final = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. Same and removed pieces make the old text, same and added the new."""

    kind: Kind
    text: str


class TextDiff:
    """Compares the texts of one document."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._left = budget

    def pieces(self, before: str, after: str) -> list[Piece]:
        """From the old text to the new one; unequal neighbours come as removed, then added."""
        return list(_tidy(self._by_lines(before, after)))

    def _by_lines(self, before: str, after: str) -> Iterator[Piece]:
        for old, new in self._blocks(_LINE.findall(before), _LINE.findall(after)):
            if old == new:
                yield Piece("same", old)
            else:
                yield from self._by_words(old, new)

    def _by_words(self, before: str, after: str) -> Iterator[Piece]:
        blocks = list(self._blocks(_WORD.findall(before), _WORD.findall(after)))
        shared = sum(len(old) for old, new in blocks if old == new)
        if 2 * shared < _ALIKE * (len(before) + len(after)):
            # A few words that happen to be in both would only break up what reads as a whole.
            blocks = [(before, after)]
        for old, new in blocks:
            if old == new:
                yield Piece("same", old)
            else:
                yield from _replaced(old, new)

    def _blocks(self, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Pairs of old and new text, in order; equal where nothing changed."""
        start = _shared(old, new)
        end = _shared(old[start:][::-1], new[start:][::-1])
        yield "".join(old[:start]), "".join(new[:start])
        yield from self._middle(old[start : len(old) - end], new[start : len(new) - end])
        yield "".join(old[len(old) - end :]), "".join(new[len(new) - end :])

    def _middle(self, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
        pairs = len(old) * len(new)
        if pairs > min(self._left, MAX_PAIRS):
            yield "".join(old), "".join(new)
            return
        self._left -= pairs
        for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            yield "".join(old[i1:i2]), "".join(new[j1:j2])


def _shared(left: Sequence[str], right: Sequence[str]) -> int:
    """How many entries both begin with."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _replaced(old: str, new: str) -> Iterator[Piece]:
    if old:
        yield Piece("removed", old)
    if new:
        yield Piece("added", new)


def _tidy(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join neighbours; blanks between two changed words belong to the change."""
    removed = added = same = ""
    for piece in pieces:
        if piece.kind == "same":
            same += piece.text
            if piece.text.strip() or not (removed and added):
                yield from _replaced(removed, added)
                removed = added = ""
            continue
        if same and removed and added:
            removed, added, same = removed + same, added + same, ""
        elif same:
            yield Piece("same", same)
            same = ""
        removed += piece.text if piece.kind == "removed" else ""
        added += piece.text if piece.kind == "added" else ""
    yield from _replaced(removed, added)
    if same:
        yield Piece("same", same)
