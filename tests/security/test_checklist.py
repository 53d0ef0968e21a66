"""Every line of the security checklist is proved by a test that cites it.

The checklist: what every endpoint and page meets, 28 lines, `docs/security.md`. A test cites the
line that it proves in its docstring, or its module's: "security.md 11".
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
LINES = range(1, 29)
# What is not built yet. A line leaves when its feature comes; nothing is ever added.
LATER: dict[int, str] = {}
_CITED = re.compile(r"security\.md ((?:\d+)(?:(?:, | and )\d+)*)")


def citations():
    """The numbers of the lines, with the tests that cite them."""
    found = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if _CITED.search(text) else ():
            if not isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            name = getattr(node, "name", "")
            if name and not name.startswith("test_"):
                continue
            for match in _CITED.finditer(ast.get_docstring(node) or ""):
                for number in re.findall(r"\d+", match[1]):
                    found.setdefault(int(number), set()).add(f"{path.relative_to(TESTS)}::{name}")
    return found


def test_every_line_is_cited():
    found = citations()
    missing = [
        f"Line {number} of the checklist has no test that cites it as “security.md {number}”."
        for number in LINES
        if number not in found and number not in LATER
    ]
    assert not missing, "\n".join(missing)


def test_nothing_else_is_cited():
    unknown = {
        number: sorted(tests) for number, tests in citations().items() if number not in LINES
    }
    assert not unknown


def test_what_came_is_no_longer_awaited():
    came = [number for number in LATER if number in citations()]
    assert not came, f"Tests cite these lines: take them out of LATER: {came}"
