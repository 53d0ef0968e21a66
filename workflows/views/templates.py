"""The gallery: templates to look at and to make a workflow from."""

from dataclasses import dataclass, replace
from decimal import Decimal

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.views.access import signed_in
from workflows import gallery
from workflows.access import require_writer
from workflows.definition import WorkflowDefinition
from workflows.gallery.choice import EMBEDDED, UnknownModel, default_model
from workflows.gallery.costs import cost_bounds
from workflows.models import ApiKey
from workflows.nodes import Node, definition_nodes
from workflows.run_form import input_fields

MAX_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """A model in the list of models. `cost_bound` is US dollars a run; None when not known."""

    model: str
    provider: str
    name: str
    cost_bound: Decimal | None
    has_key: bool


@signed_in
@vary_on_headers("HX-Request")
@require_safe
def template_list(request: UserRequest) -> HttpResponse:
    """Templates by category and words; an htmx request gets the cards alone."""
    query = request.GET.get("q", "").replace("\0", "").strip()[:MAX_SEARCH]
    category = request.GET.get("category", "")
    category = category if category in gallery.CATEGORIES else ""
    model = default_model(request.user)
    found = gallery.search(query, category)
    context = {
        "cards": [(template, cost_bounds(template).get(model)) for template in found],
        "q": query,
        "category": category,
        "categories": gallery.CATEGORIES,
        "is_embedded": model == EMBEDDED,
        "model_name": model.partition(":")[2],
    }
    name = "workflows/_template_cards.html" if request.htmx else "workflows/template_list.html"
    return render(request, name, context)


@signed_in
@require_safe
def template_detail(request: UserRequest, slug: str) -> HttpResponse:
    """Graph, prompts, agents and example input, and the models to choose from."""
    return _detail(request, _template(slug))


@signed_in
@require_POST
def template_use(request: UserRequest, slug: str) -> HttpResponse:
    """Make a workflow of one's own, then ask for its input with the example filled in."""
    template = _template(slug)
    require_writer(request.user)
    try:
        workflow = template.use(by=request.user, model=request.POST.get("model", ""))
    except UnknownModel as error:
        return _detail(request, template, error=error.message)
    messages.success(
        request, f"“{workflow.name}” is yours now. Its example is filled in: run it, or change it."
    )
    return redirect(f"{reverse('workflow_run', args=[workflow.pk])}?example=1")


def _detail(request: UserRequest, template: gallery.Template, *, error: str = "") -> HttpResponse:
    document = template.definition
    context = {
        "template": template,
        "document": document,
        "nodes": _nodes(document),
        "asks": [(ask, template.example.get(ask.name)) for ask in input_fields(document)],
        "choices": _choices(request, template),
        "chosen": default_model(request.user),
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "workflows/template_detail.html", context, status=status)


def _nodes(document: WorkflowDefinition) -> list[Node]:
    """The graph without the model in it, which is still to be chosen."""
    return [
        replace(node, note=document.agents_by_id[task.agent_id].name)
        for node, task in zip(definition_nodes(document), document.tasks, strict=True)
    ]


def _choices(request: UserRequest, template: gallery.Template) -> list[Choice]:
    payable = {"local", *ApiKey.objects.payable_providers(request.user)}
    choices = []
    for model, bound in cost_bounds(template).items():
        provider, _, name = model.partition(":")
        choices.append(Choice(model, provider, name, bound, provider in payable))
    return choices


def _template(slug: str) -> gallery.Template:
    template = gallery.get(slug)
    if template is None:
        raise Http404
    return template
