import pytest

from tests.factories import make_agent, make_definition, make_task, make_workflow
from workflows.changes.page import groups
from workflows.definition import parse
from workflows.models import Workflow


def url(workflow, before=1, after=2):
    return f"/workflows/{workflow.pk}/versions/{before}/diff/{after}"


LONG = "\n".join(f"Line {number}" for number in range(20))


@pytest.fixture
def workflow(alice):
    agents = [make_agent(), make_agent("editor")]
    first = make_definition(make_task("a", description=LONG), make_task("b", "a"), agents=agents)
    workflow = make_workflow(alice, name="Market brief", definition=first)
    second = make_definition(
        make_task("c", "a", input={"tone": "plain"}),
        make_task("a", description=LONG.replace("Line 9", "Line nine"), agent_id="editor"),
        agents=agents,
        input_schema={"type": "object", "properties": {"x": {"type": "string"}}},
    )
    workflow.revise(second, by=alice)
    return workflow


def shown(before, after):
    """What the page shows: subjects with their kind and, by label, old and new lines as text."""

    def text(lines):
        return [
            f"…{line.folded}" if line.folded else "".join(piece.text for piece in line.pieces)
            for line in lines
        ]

    return {
        subject.title: (
            subject.kind,
            {part.label: (text(part.before), text(part.after)) for part in subject.fields},
        )
        for group in groups(parse(before).to_json(), parse(after).to_json())
        for subject in group.subjects
    }


def test_page(browse, alice, workflow):
    page = browse(alice).get(url(workflow)).content.decode()

    assert "Task “B”" in page
    assert "<del>9</del>" in page
    assert "<ins>nine</ins>" in page
    assert '<span class="sr">removed: </span>' in page
    assert '<span class="sr">added: </span>' in page
    assert "3 tasks, 1 input changed" in page
    assert f"{url(workflow, 2, 1)}" in page
    assert f"/workflows/{workflow.pk}/versions/1/restore" in page


def test_lines():
    agents = [make_agent(), make_agent("editor", name="The editor")]
    before = make_definition(make_task("a", description=LONG), make_task("b"), agents=agents)
    after = make_definition(
        make_task("b", "a", input={"tone": "plain"}, max_retries=0),
        make_task("a", description=LONG.replace("Line 9\n", "Line nine\n"), agent_id="editor"),
        agents=agents,
    )

    found = shown(before, after)

    kind, fields = found["Task “A”"]
    around = ["Line 7", "Line 8", "Line 9", "Line 10", "Line 11"]
    assert fields["Prompt"][0] == ["…7", *around, "…8"]
    assert fields["Prompt"][1] == ["…7", *around[:2], "Line nine", *around[3:], "…8"]
    assert fields["Agent"] == (["Writer"], ["The editor"])
    assert kind == "changed"
    _, fields = found["Task “B”"]
    assert fields["Runs after"] == (["Nothing"], ["A"])
    assert fields["Retries"] == (["2"], ["0"])
    assert fields["Input"] == ([], ["{", '  "tone": "plain"', "}"])


def test_what_came_and_went_without_what_is_the_default():
    found = shown(make_definition(make_task("a")), make_definition(make_task("b", max_retries=5)))

    assert found == {
        "Task “A”": (
            "removed",
            {"Id": (["a"], []), "Prompt": (["Do a."], []), "Agent": (["Writer"], [])},
        ),
        "Task “B”": (
            "added",
            {
                "Id": ([], ["b"]),
                "Prompt": ([], ["Do b."]),
                "Agent": ([], ["Writer"]),
                "Retries": ([], ["5"]),
            },
        ),
    }


def test_one_that_only_moved():
    tasks = [make_task("a"), make_task("b")]
    before, after = (parse(make_definition(*order)).to_json() for order in (tasks, reversed(tasks)))

    ((subject,),) = [group.subjects for group in groups(before, after)]

    assert (subject.kind, subject.moved, subject.fields) == ("moved", (2, 1), [])


def test_an_input_schema():
    schema = {"type": "object", "properties": {"x": {"type": "string"}, "y": True}}
    other = {"type": "object", "properties": {"x": {"type": "number"}, "y": {}}}
    task = make_task("a")

    came = shown(make_definition(task), make_definition(task, input_schema=schema))
    changed = shown(
        make_definition(task, input_schema=schema), make_definition(task, input_schema=other)
    )

    assert came["Input schema"][0] == "added"
    assert changed["Input “x”"] == ("changed", {"Type": (["string"], ["number"])})
    assert changed["Input “y”"] == ("changed", {"JSON Schema": (["Yes"], [])})


def test_no_difference(browse, alice, workflow):
    page = browse(alice).get(url(workflow, 1, 1)).content.decode()

    assert "No difference" in page


def test_a_reader_restores_nothing(browse, bob, vera, workflow):
    Workflow.objects.update(is_shared=True)
    for reader in (bob, vera):
        response = browse(reader).get(url(workflow))
        assert response.status_code == 200
        assert "/restore" not in response.content.decode()


@pytest.mark.parametrize("pair", [(1, 3), (3, 1), (0, 1), (1, 10**30)])
def test_there_is_no_such_version(browse, alice, workflow, pair):
    assert browse(alice).get(url(workflow, *pair)).status_code == 404


def test_another_s_is_not_found(browse, bob, workflow):
    assert browse(bob).get(url(workflow)).status_code == 404


def test_strangers_sign_in_first(browse, workflow):
    assert browse().get(url(workflow))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice, workflow):
    assert browse(alice).post(url(workflow)).status_code == 405


def test_queries(browse, alice, workflow, django_assert_num_queries):
    client = browse(alice)
    with django_assert_num_queries(5):  # session, user, workflow, both versions
        client.get(url(workflow))
