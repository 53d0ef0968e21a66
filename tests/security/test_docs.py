"""docs/security.md speaks of every requirement, once, and names nothing that is not there."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()
VERDICTS = {"met", "partly", "not met", "n/a"}

# How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has: they come first in it.
SECTIONS = {
    "1.1": 2,
    "1.2": 9,
    "1.3": 11,
    "1.4": 3,
    "1.5": 2,
    "2.1": 3,
    "2.2": 3,
    "2.3": 4,
    "2.4": 1,
    "3.2": 2,
    "3.3": 4,
    "3.4": 6,
    "3.5": 5,
    "3.7": 2,
    "4.1": 3,
    "4.2": 1,
    "4.3": 2,
    "4.4": 4,
    "5.1": 1,
    "5.2": 3,
    "5.3": 2,
    "5.4": 3,
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "8.1": 2,
    "8.2": 3,
    "8.3": 1,
    "8.4": 1,
    "9.1": 3,
    "9.2": 4,
    "10.1": 2,
    "10.2": 2,
    "10.3": 4,
    "10.4": 11,
    "10.5": 5,
    "10.6": 2,
    "10.7": 3,
    "11.1": 2,
    "11.2": 3,
    "11.3": 3,
    "11.4": 4,
    "11.5": 1,
    "11.6": 1,
    "12.1": 3,
    "12.2": 2,
    "12.3": 4,
    "13.1": 1,
    "13.2": 5,
    "13.3": 2,
    "13.4": 5,
    "14.1": 2,
    "14.2": 4,
    "14.3": 3,
    "15.1": 3,
    "15.2": 3,
    "15.3": 7,
    "16.1": 1,
    "16.2": 5,
    "16.3": 4,
    "16.4": 3,
    "16.5": 3,
    "17.1": 1,
    "17.2": 4,
    "17.3": 2,
}
ASVS = [f"{section}.{n}" for section, count in SECTIONS.items() for n in range(1, count + 1)]
API = [f"API{n}" for n in range(1, 11)]


def rows():
    """The cells of every requirement's row."""
    for line in TEXT.splitlines():
        if re.match(r"\| (\d|API\d)", line):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_requirement_has_its_place_and_one_alone():
    named = Counter(number for cells in rows() for number in cells[0].split(", "))

    assert len(ASVS) == 253
    assert named == Counter(ASVS + API)


def test_every_verdict_is_one_of_four_and_gaps_are_explained():
    for cells in rows():
        assert len(cells) == 4, cells
        assert cells[2] in VERDICTS, cells
        assert cells[2] in {"met", "n/a"} or len(cells[3]) > 15, cells


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w./-]+/[\w./-]+\.\w+)`", TEXT))))
def test_what_is_named_is_there(path):
    assert (ROOT / path).exists()


def test_the_settings_that_are_named_exist():
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"`((?:RATE_LIMIT|SESSION|RETENTION|REGISTRATION)_\w+)", TEXT))

    assert named
    assert all(f"{name}=" in example for name in named)
