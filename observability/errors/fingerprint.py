"""Which errors are the same.

Two are when they are of one type and came through the same functions of HUMMBL, whatever their
messages, line numbers and libraries' versions say. Without a function of ours all functions count,
and without a stack the message does, but for its numbers and ids.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final

from observability.errors.frames import Frame, Raised

# Of these rules. A change of them makes new groups, and the old ones end by age.
VERSION: Final = 1
MOST_PARTS: Final = 40

Part = dict[str, str]

_UNSTABLE: Final = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "{id}"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "{address}"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "{hex}"),
    (re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE), "{hex}"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "{number}"),
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is the same of errors: `digest` is the SHA-256 of version and parts."""

    digest: str
    parts: tuple[tuple[str, str], ...]

    @property
    def why(self) -> list[Part]:
        """The parts as JSON: `kind` is platform, type, function, message or folded."""
        return [{"kind": kind, "value": value} for kind, value in self.parts]


def of(platform: str, raised: Raised) -> Fingerprint:
    """The fingerprint of an exception of `python`, or of a `browser` or a `visitor`'s."""
    places = [("function", place) for place in _places(raised.frames)]
    told = places[-MOST_PARTS:] or [("message", normalised(raised.message))]
    return _made([("platform", platform), ("type", raised.type), *told])


def folded(source: str) -> Fingerprint:
    """The fingerprint of errors that there were too many different ones of."""
    return _made([("folded", source)])


def normalised(message: str) -> str:
    """The message without numbers, ids and addresses."""
    text = message[:1000]
    for pattern, replacement in _UNSTABLE:
        text = pattern.sub(replacement, text)
    return text[:300]


def culprit(frames: list[Frame]) -> str:
    """Where it happened: the innermost function, of ours if there is one."""
    if not frames:
        return ""
    ours = [frame for frame in frames if frame.in_app]
    return (ours or frames)[-1].place


def _places(frames: list[Frame]) -> list[str]:
    """The functions by their first call: a recursion is as deep as it happens to be."""
    ours = [frame.place for frame in frames if frame.in_app]
    return list(dict.fromkeys(ours or [frame.place for frame in frames]))


def _made(parts: list[tuple[str, str]]) -> Fingerprint:
    # The text of a stranger may hold halves of characters, which no encoding takes.
    text = json.dumps([VERSION, parts])
    return Fingerprint(hashlib.sha256(text.encode()).hexdigest(), tuple(parts))
