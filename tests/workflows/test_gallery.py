"""The templates themselves: what holds of each of them, and what becomes of one that is used."""

import pytest

from hummbl.errors import ReadOnlyRole
from tests.engine import support
from tests.factories import make_key
from workflows import gallery
from workflows.definition import check_input, parse, render_prompt
from workflows.gallery.choice import EMBEDDED, UnknownModel, default_model, offered
from workflows.gallery.costs import cost_bound, cost_bounds, largest_calls
from workflows.gallery.sketch import draw
from workflows.graph import Graph
from workflows.models import Workflow
from workflows.providers import catalogue

# What a prompt grows by on its way to the embedded model: its roles and separators.
OVERHEAD = 100
HAIKU = "anthropic:claude-haiku-5-5"

every = pytest.mark.parametrize("template", gallery.templates(), ids=lambda one: one.slug)


def test_there_are_enough_and_no_name_twice():
    templates = gallery.templates()
    assert len(templates) >= 10
    assert len({template.name for template in templates}) == len(templates)
    assert {template.category for template in templates} == set(gallery.CATEGORIES)


@every
def test_a_template_is_a_valid_document_for_the_embedded_model(template):
    document = parse(template.document)
    assert template.document == document.to_json()
    assert {(agent.provider, agent.model) for agent in document.agents} == {
        ("local", catalogue.LOCAL_MODEL)
    }
    assert all(agent.key is None and not agent.fallbacks for agent in document.agents)
    assert {task.agent_id for task in document.tasks} == set(document.agents_by_id)


@every
def test_a_template_says_what_it_is(template):
    assert 20 < len(template.summary) <= 250
    assert template.summary.endswith(".")
    assert 20 < len(template.on_embedded_model) <= 250
    assert template.on_embedded_model.endswith(".")
    for agent in template.definition.agents:
        assert agent.role
        assert agent.instructions


@every
def test_the_form_of_a_run_is_explained_and_has_an_example(template):
    schema = template.document["input_schema"]
    for field in schema["properties"].values():
        assert field["title"]
        assert field["description"]
    assert template.example.keys() == schema["properties"].keys()
    check_input(template.definition, template.example)
    required = {name: template.example[name] for name in schema["required"]}
    check_input(template.definition, required)


@every
@pytest.mark.parametrize("whole", [True, False], ids=["example", "required"])
def test_every_placeholder_finds_something(template, whole):
    required = template.document["input_schema"]["required"]
    given = {name: value for name, value in template.example.items() if whole or name in required}
    for task in template.definition.tasks:
        outputs = {id: f"<{id}>" for id in task.dependencies}
        prompt = render_prompt(task, input=given, outputs=outputs, names=template.definition.names)
        assert "{{" not in prompt
        assert all(output in prompt for output in outputs.values()), task.id


@every
def test_every_input_is_used(template):
    prompts = " ".join(task.description for task in template.definition.tasks)
    for name in template.example:
        assert f"{{{{ input.{name} }}}}" in prompts


@every
def test_the_largest_prompt_fits_the_embedded_model(template):
    for size, limit in largest_calls(template, EMBEDDED):
        assert size + OVERHEAD + limit <= catalogue.LOCAL_CONTEXT


@every
def test_a_better_model_may_write_more(template):
    tried, real = template.definition, template.definition_for(HAIKU)
    assert {(agent.provider, agent.model) for agent in real.agents} == {
        ("anthropic", "claude-haiku-5-5")
    }
    for before, after in zip(tried.agents, real.agents, strict=True):
        assert after.max_tokens >= 1000 > before.max_tokens
    assert tried.tasks == real.tasks


@pytest.mark.django_db(transaction=True)
def test_each_runs_to_its_end(alice):
    executions = [
        template.use(by=alice).execute(user=alice, input=template.example)
        for template in gallery.templates()
    ]

    support.work(support.Script())

    for execution in executions:
        support.check_truth(execution)
        assert execution.status == "completed", (execution.workflow.name, execution.error)


@pytest.mark.django_db
def test_using_one_makes_a_workflow_of_ones_own(alice):
    template = gallery.get("support-reply")
    workflow = template.use(by=alice, model=HAIKU, name="Help desk")

    workflow = Workflow.objects.get(pk=workflow.pk)
    assert (workflow.owner, workflow.name, workflow.status) == (alice, "Help desk", "active")
    assert (workflow.is_shared, workflow.cost_cap) == (False, None)
    assert workflow.description == template.summary
    assert workflow.current_version.definition == template.definition_for(HAIKU).to_json()


@pytest.mark.django_db
def test_changing_a_copy_leaves_the_template_alone(alice):
    template = gallery.get("support-reply")
    before = template.definition.to_json()
    document = template.document
    document["agents"].clear()
    assert template.use(by=alice).current_version.definition == before


@pytest.mark.django_db
def test_a_viewer_uses_none(vera):
    with pytest.raises(ReadOnlyRole):
        gallery.get("support-reply").use(by=vera)
    assert not Workflow.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "model",
    ["gpt", "local:", "local:llama", ":", "custom:", "custom: ", "custom:" + "x" * 201, "a:b:c"],
)
def test_an_unknown_model_is_refused(alice, model):
    with pytest.raises(UnknownModel, match="provider:model"):
        gallery.get("support-reply").use(by=alice, model=model)
    assert not Workflow.objects.exists()


@pytest.mark.django_db
def test_a_custom_service_has_models_of_its_own(alice):
    workflow = gallery.get("support-reply").use(by=alice, model="custom:org/llama:70b")
    agents = workflow.current_version.definition["agents"]
    assert {(agent["provider"], agent["model"]) for agent in agents} == {
        ("custom", "org/llama:70b")
    }


@pytest.mark.django_db
class TestTheModelThatUseTakes:
    def test_without_a_key_it_is_the_free_one(self, alice):
        assert default_model(alice) == EMBEDDED

    def test_with_a_key_it_is_the_best_of_its_provider(self, alice, bob):
        make_key(alice, provider="openai")
        best = next(model for model in offered() if model.startswith("openai:"))
        assert default_model(alice) == best
        assert default_model(bob) == EMBEDDED
        workflow = gallery.get("support-reply").use(by=alice)
        assert workflow.current_version.definition["agents"][0]["provider"] == "openai"

    def test_a_key_that_is_not_in_use_does_not_count(self, alice):
        make_key(alice).set_active(False, by=alice)
        assert default_model(alice) == EMBEDDED

    def test_the_operators_key_counts_for_those_who_may_use_it(self, alice, adam, settings):
        settings.ANTHROPIC_API_KEY = "sk-ant-operator"
        assert default_model(adam).startswith("anthropic:")
        assert default_model(alice) == EMBEDDED


def test_what_a_run_costs_at_most():
    template = gallery.get("support-reply")
    bounds = cost_bounds(template)
    assert list(bounds) == offered()
    assert bounds[EMBEDDED] == 0
    assert bounds[HAIKU] == sum(
        catalogue.estimate("anthropic", "claude-haiku-5-5", size, limit)
        for size, limit in largest_calls(template, HAIKU)
    )
    assert bounds[HAIKU] > 0


def test_an_unknown_price_is_no_price(monkeypatch):
    monkeypatch.setattr(catalogue, "estimate", lambda *_: None)
    assert cost_bound(gallery.get("support-reply"), HAIKU) is None


def test_searching_wants_every_word():
    def found(*args):
        return {template.slug for template in gallery.search(*args)}

    assert found("DRAFT customer") == {"support-reply"}
    assert found("", "Engineering") == {"incident-review", "release-notes"}
    assert found("draft", "Engineering") == set()
    assert len(found()) == len(gallery.templates())


def test_a_slug_that_is_none():
    assert gallery.get("nothing-here") is None


def test_the_sketch_of_a_diamond():
    document = gallery.get("research-and-report").definition
    drawn = draw(Graph(document))
    assert len(drawn.boxes) == 4
    assert len(drawn.lines) == 3
    left, right = {x for x, _ in drawn.boxes}
    assert {y for x, y in drawn.boxes if x == left} != {y for x, y in drawn.boxes if x == right}
    for x, y in drawn.boxes:
        assert 0 <= x < drawn.width
        assert 0 <= y < drawn.height
