"""`errors.capture_browser`: stacks of every browser, and groups that outlive a deployment."""

import pytest

from observability import errors, metrics
from observability.models import ErrorGroup, ErrorReport

pytestmark = pytest.mark.django_db

CHROMIUM = """TypeError: x is undefined
    at paint (https://hummbl.example.com/static/js/dag.1a2b3c4d5e6f.js:12:7)
    at async https://hummbl.example.com/static/js/editor/graph.js:3:1"""
FIREFOX = """paint@https://hummbl.example.com/static/js/dag.js:40:9
@https://hummbl.example.com/static/js/editor/graph.js:5:1"""


def group_of(message="TypeError: x is undefined", stack="", **more):
    errors.capture_browser(message, stack, **more)
    metrics.flush()
    return ErrorGroup.objects.latest("last_seen")


def test_a_report(alice):
    group = group_of(
        "Uncaught TypeError: x is undefined", CHROMIUM, context={"page": "/x"}, user=alice
    )
    assert (group.source, group.severity) == ("browser", "medium")
    assert group.title == "TypeError: x is undefined"
    assert group.culprit == "/static/js/dag.js:paint"
    assert group.users_count == 1
    report = group.reports.get()
    assert (report.user_id, report.context) == (alice.pk, {"page": "/x"})
    [raised] = report.stack
    assert [frame["line"] for frame in raised["frames"]] == [3, 12]
    assert [frame["function"] for frame in raised["frames"]] == ["<module>", "paint"]
    assert all(frame["in_app"] for frame in raised["frames"])


def test_browsers_and_versions_of_files_are_one_group():
    assert group_of(stack=CHROMIUM) == group_of(stack=FIREFOX)
    assert ErrorGroup.objects.get().count == 2


def test_pages_of_different_objects_are_one_group():
    for page in ("0190a0a0-0000-7000-8000-000000000001", "0190a0a0-0000-7000-8000-000000000002"):
        group_of(stack=f"go@https://h/workflows/{page}/edit:1:2")
    assert ErrorGroup.objects.get().culprit == "/workflows/{id}/edit:go"


def test_extensions_and_libraries_are_not_ours():
    stack = """go@moz-extension://0190a0a0/content.js:1:2
trigger@https://h/static/vendor/htmx-2.0.10.min.js:1:300
paint@https://h/static/js/dag.js:40:9"""
    frames = group_of(stack=stack).reports.get().stack[0]["frames"]
    assert [frame["in_app"] for frame in frames] == [True, False, False]


@pytest.mark.parametrize("path", ["/etc/passwd", __file__])
def test_no_file_of_the_server_is_read(path):
    for number in range(2):
        group_of(stack=f"go{number}@file://{path}:1:1\nrun{number}@https://h{path}:1:1")
    for report in ErrorReport.objects.all():
        assert all(frame["source"] == [] for frame in report.stack[0]["frames"])


def test_without_a_stack_the_message_counts():
    group_of("Script error 1.")
    group_of("Script error 2.")
    group_of("Other error")
    assert sorted(ErrorGroup.objects.values_list("count", flat=True)) == [1, 2]


@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
def test_a_page_says_how_bad_it_is(severity):
    assert group_of(severity=severity).severity == severity


@pytest.mark.parametrize(
    "stack",
    ["", "no stack at all", "\x00\ud800", "at (((:1:1", "@:1:2\n" * 5000, "at " + "(" * 50_000],
)
def test_nonsense_is_taken(stack):
    group = group_of(stack=stack, severity="nonsense", context={"x": "\x00", "y": object()})
    assert group.severity == "medium"
    assert ErrorReport.objects.count() == 1
