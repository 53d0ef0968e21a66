"""Imports point one way: workflows → observability → accounts → hummbl."""

import ast

import pytest
from django.conf import settings

ORDER = ["hummbl", "accounts", "observability", "workflows"]
# They assemble the whole.
EXCEPTED = {"hummbl/settings.py", "hummbl/urls.py", "hummbl/asgi.py"}


def modules(app):
    for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
        if str(path.relative_to(settings.BASE_DIR)) not in EXCEPTED:
            yield path


def imported(path):
    """Top-level packages that the module imports anywhere, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} is a relative import"
            yield (node.module or "").partition(".")[0], node.lineno


@pytest.mark.parametrize("app", ORDER)
def test_direction_of_imports(app):
    above = set(ORDER[ORDER.index(app) + 1 :])
    wrong = [
        f"{path.relative_to(settings.BASE_DIR)}:{line} imports {package}"
        for path in modules(app)
        for package, line in imported(path)
        if package in above
    ]
    assert not wrong


@pytest.mark.parametrize("app", ORDER)
def test_the_product_never_imports_tools(app):
    wrong = [
        str(path)
        for path in modules(app)
        for package, _ in imported(path)
        if package in {"tests", "benchmarks", "scan", "soak", "pytest", "llmock"}
    ]
    assert not wrong
