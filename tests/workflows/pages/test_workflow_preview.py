import pytest

from tests.factories import make_agent, make_definition, make_task, make_workflow
from tests.workflows.pages.forms import form_data, task
from tests.workflows.pages.runs import make_run
from workflows.models import Execution, Workflow

URL = "/workflows/preview"
SCHEMA = '{"type": "object", "properties": {"topic": {"type": "string"}, "n": {"type": "integer"}}}'


def posted(**fields):
    """The editor's form with a report that uses an input and an answer."""
    prompt = "On {{ input.topic }}: {{ tasks.gather.output }}."
    return {
        **form_data(**{"tasks-1-description": prompt, "input_schema": SCHEMA}),
        "task": "report",
        "part": "tasks-1",
        **fields,
    }


def pieces(response):
    return [(piece.text, piece.source) for piece in response.context["preview"].pieces]


def test_shows_what_goes_where(browse, alice):
    samples = {"sample-in-topic": "bees", "sample-out-gather": "They dance."}
    response = browse(alice).post(URL, posted(**samples))
    assert pieces(response) == [
        ("On ", ""),
        ("bees", "input.topic"),
        (": ", ""),
        ("They dance.", "tasks.gather.output"),
        (".", ""),
    ]
    assert response.context["preview"].is_complete
    assert not Workflow.objects.exists()
    assert not Execution.objects.exists()


def test_asks_only_for_what_the_task_uses(browse, alice):
    form = browse(alice).post(URL, posted()).context["form"]
    assert list(form.fields) == ["in-topic", "out-gather"]
    assert form["out-gather"].auto_id == "id_tasks-1-sample-out-gather"


def test_marks_what_has_no_value_yet(browse, alice):
    response = browse(alice).post(URL, posted())
    assert ("{{ input.topic }}", "input.topic") in pieces(response)
    assert not response.context["preview"].is_complete
    assert b'class="miss"' in response.content


def test_without_placeholders_the_answers_before_it_are_appended(browse, alice):
    data = posted(**{"tasks-1-description": "Write it.", "sample-out-gather": "They dance."})
    assert pieces(browse(alice).post(URL, data)) == [
        ("Write it.", ""),
        ("\n\n## Gather\nThey dance.", "the answers it runs after"),
    ]


def test_says_what_the_call_may_cost_and_with_which_instructions(browse, alice):
    data = posted(
        **{
            "agents-0-provider": "anthropic",
            "agents-0-model": "claude-haiku-4-5",
            "agents-0-max_tokens": "1000",
            "agents-0-role": "an editor",
            "agents-0-instructions": "Be brief.",
        }
    )
    shown = browse(alice).post(URL, data).context["preview"]
    assert shown.instructions == "You are Writer, an editor.\n\nBe brief."
    # 1,000 tokens of output at 5 dollars a million, and the prompt.
    assert 0.005 < shown.cost < 0.006
    assert shown.max_tokens == 1000


def test_an_unknown_price_is_said(browse, alice):
    data = posted(**{"agents-0-provider": "custom", "agents-0-model": "mine"})
    response = browse(alice).post(URL, data)
    assert response.context["preview"].cost is None
    assert b"price not known" in response.content


def test_what_else_is_wrong_does_not_matter(browse, alice):
    data = posted(**task(2, name="", id="x y", description="", agent_id="ghost"), name="")
    data |= {"tasks-1-name": "", "agents-0-name": ""}
    assert browse(alice).post(URL, data).context["preview"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tasks-1-description": ""}, "Prompt: This must not be blank."),
        ({"tasks-1-agent_id": "ghost"}, "Agent: There is no agent “ghost”."),
        ({"tasks-1-description": "{{ tasks.ghost.output }}"}, "Prompt: There is no task “ghost”."),
        ({"tasks-1-dependencies": "report"}, "Runs after: Task “report” cannot wait"),
        ({"agents-0-temperature": "hot"}, "Agent, Temperature: This must be a number"),
        ({"task": "ghost"}, "Add at least one task."),
        ({"task": ""}, "Add at least one task."),
    ],
)
def test_says_what_to_correct_first(browse, alice, change, sentence):
    response = browse(alice).post(URL, posted(**change))
    assert response.status_code == 200
    assert any(
        said.replace('"', "“", 1).replace('"', "”", 1).startswith(sentence)
        for said in response.context["problems"]
    ), response.context["problems"]


def test_an_indirect_answer_can_be_used(browse, alice):
    data = posted(
        **task(2, id="last", name="Last", agent_id="writer", dependencies="report"),
        **{"tasks-2-description": "{{ tasks.gather.output }}", "sample-out-gather": "G"},
        task="last",
    )
    assert pieces(browse(alice).post(URL, data)) == [("G", "tasks.gather.output")]


def test_samples_begin_with_the_last_completed_run(browse, alice):
    workflow = make_workflow(alice)
    make_run(alice, workflow=workflow, tasks={"gather": {"output": "Old"}}, input={"topic": "ants"})
    outputs = {"gather": {"output": "They dance."}}
    make_run(alice, workflow=workflow, tasks=outputs, input={"topic": "bees"})
    make_run(alice, "failed", workflow=workflow, tasks={"gather": {"output": "No"}})
    response = browse(alice).post(URL, posted(workflow=str(workflow.pk)))
    assert ("bees", "input.topic") in pieces(response)
    assert ("They dance.", "tasks.gather.output") in pieces(response)
    # What was typed wins, an emptied field too.
    response = browse(alice).post(URL, posted(workflow=workflow.pk, **{"sample-in-topic": ""}))
    assert response.context["form"]["in-topic"].value() == ""


def test_queries_do_not_grow_with_the_tasks(browse, alice, django_assert_num_queries):
    client = browse(alice)
    for size in (3, 60):
        tasks = [make_task("gather"), *(make_task(f"t{n}", "gather") for n in range(size))]
        workflow = make_workflow(alice, definition=make_definition(*tasks))
        make_run(alice, workflow=workflow)
        with django_assert_num_queries(5):
            client.post(URL, posted(workflow=str(workflow.pk)))


def test_a_long_prompt_is_cut_for_the_eye_only(browse, alice):
    data = posted(**{"sample-in-topic": "b" * 50_000, "sample-out-gather": "x"})
    shown = browse(alice).post(URL, data).context["preview"]
    assert sum(len(piece.text) for piece in shown.pieces) == 20_000
    assert shown.hidden == 50_000 + len("On : x.") - 20_000
    assert shown.tokens > 12_000


def test_a_prompt_that_would_explode_is_refused(browse, alice):
    data = posted(
        **{
            "tasks-1-description": "{{ tasks.gather.output }}" * 2_500,
            "sample-out-gather": "x" * 900_000,
        }
    )
    response = browse(alice).post(URL, data)
    assert "exceeds 2,000,000 characters" in response.context["problems"][0]


def test_what_people_type_is_text(browse, alice):
    samples = {"sample-in-topic": "<script>alert(1)</script>", "sample-out-gather": "{{ x }}"}
    page = browse(alice).post(URL, posted(**samples)).content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_odd_ids_stay_out_of_the_page(browse, alice):
    response = browse(alice).post(URL, posted(part='x" onclick="y'))
    assert b"onclick" not in response.content


def test_another_s_workflow_is_not_found(browse, alice, bob):
    workflow = make_workflow(alice)
    assert browse(bob).post(URL, posted(workflow=str(workflow.pk))).status_code == 404


def test_a_viewer_may_not(browse, vera):
    assert browse(vera).post(URL, posted()).status_code == 403


def test_strangers_sign_in_first(browse, db):
    assert browse().post(URL, posted())["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).get(URL).status_code == 405


def test_agents_speak_for_themselves(browse, alice):
    # Two agents, and the task's own is the second.
    data = posted(
        **{
            f"agents-1-{name}": str(value)
            for name, value in make_agent("editor", instructions="Be strict.").items()
        },
        **{"tasks-1-agent_id": "editor"},
    )
    assert browse(alice).post(URL, data).context["preview"].instructions == "Be strict."
