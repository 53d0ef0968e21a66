"""What a run has answered, as files."""

import json

import pytest

from tests.workflows.pages.runs import make_run

EVIL = "<script>alert(1)</script>"


def url(run, task="gather", kind="md"):
    return f"/executions/{run.pk}/tasks/{task}/output?as={kind}"


@pytest.fixture
def run(alice):
    fenced = '```json\n{"a": 1.10, "a": "é"}\n```'
    return make_run(
        alice,
        tasks={"gather": {"output": f"# One\n{EVIL}"}, "report": {"output": fenced}},
        input={"topic": "bees"},
    )


@pytest.mark.parametrize(
    ("task", "kind", "type_", "content"),
    [
        ("gather", "md", "text/plain", f"# One\n{EVIL}"),
        ("gather", "txt", "text/plain", f"# One\n{EVIL}"),
        # As it was written, digits and repeated keys included.
        ("report", "json", "application/json", '{"a": 1.10, "a": "é"}'),
    ],
)
def test_a_task_s(browse, alice, run, task, kind, type_, content):
    answer = browse(alice).get(url(run, task, kind))
    assert answer.content.decode() == content
    assert answer["Content-Type"] == f"{type_}; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="report-{task}.{kind}"'
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("kind", ["json", "html", "", "md/../x"])
def test_what_it_is_not(browse, alice, run, kind):
    assert browse(alice).get(url(run, kind=kind)).status_code == 404


def test_no_output_is_no_file(browse, alice):
    assert browse(alice).get(url(make_run(alice, "pending"))).status_code == 404


def test_a_run_s_as_markdown(browse, alice, run):
    answer = browse(alice).get(f"/executions/{run.pk}/outputs?as=md")
    text = answer.content.decode()
    assert text.startswith("# Report\n\n## Gather\n\n# One\n")
    assert "## Report\n\n```json" in text
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="report.md"'


def test_a_run_s_as_json(browse, alice, run):
    answer = browse(alice).get(f"/executions/{run.pk}/outputs?as=json")
    assert json.loads(answer.content) == {
        "workflow": "Report",
        "execution_id": str(run.pk),
        "status": "completed",
        "input": {"topic": "bees"},
        "outputs": {"gather": f"# One\n{EVIL}", "report": {"a": "é"}},
    }
    assert answer["Content-Type"] == "application/json; charset=utf-8"


def test_half_a_character_breaks_nothing(browse, alice):
    run = make_run(alice, tasks={"gather": {"output": '{"a": "\\ud800"}'}})
    client = browse(alice)
    assert client.get(f"/executions/{run.pk}?task=gather").status_code == 200
    assert client.get(f"/executions/{run.pk}/outputs?as=json").status_code == 200


def test_a_run_s_as_something_else(browse, alice, run):
    assert browse(alice).get(f"/executions/{run.pk}/outputs?as=html").status_code == 404


def test_an_unknown_task(browse, alice, run):
    assert browse(alice).get(url(run, "ghost")).status_code == 404


@pytest.mark.parametrize("path", ["/outputs", "/tasks/gather/output"])
def test_who_gets_them(browse, alice, bob, vera, adam, run, path):
    address = f"/executions/{run.pk}{path}"
    assert browse(bob).get(address).status_code == 404
    assert browse(vera).get(address).status_code == 404
    assert browse(adam).get(address).status_code == 200
    assert browse().get(address)["Location"].startswith("/signin")
    assert browse(alice).post(address).status_code == 405


def test_queries_do_not_grow_with_tasks(browse, alice, run, django_assert_num_queries):
    client = browse(alice)
    with django_assert_num_queries(5):
        client.get(f"/executions/{run.pk}/outputs")
