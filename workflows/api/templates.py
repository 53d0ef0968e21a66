"""`/api/templates`: workflows to begin from."""

from typing import Annotated, Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from hummbl.errors import NotFound
from workflows import gallery
from workflows.access import require_writer
from workflows.api.answers import Answer, Money, WorkflowAnswer, created_workflow, money
from workflows.api.bodies import Body
from workflows.definition import Name, WorkflowDefinition
from workflows.gallery.costs import cost_bounds


class TemplateModel(Answer):
    """A model that a template can run on."""

    model: Annotated[str, Field(description="As `use` takes it: provider:model")]
    cost_bound: Annotated[
        Money | None,
        Field(
            description="US dollars that a run with the example input costs at most, retries "
            "apart; null when the price is not known"
        ),
    ]


class TemplateAnswer(Answer):
    """A template. Its document is on the embedded model, which is free."""

    slug: str
    name: str
    summary: str
    category: str
    on_embedded_model: Annotated[str, Field(description="What to expect of a try for free")]
    task_count: int
    agent_count: int
    input_schema: dict[str, Any] | None
    example_input: dict[str, Any]
    document: WorkflowDefinition
    models: list[TemplateModel]


class TemplateList(Answer):
    """The templates, all on one page."""

    results: list[TemplateAnswer]
    next: None
    previous: None


class UseBody(Body):
    """What the new workflow is called and runs on."""

    name: Annotated[Name, Field(description="Default: the template's name")] = ""
    model: Annotated[
        str,
        Field(
            max_length=220,
            description="Written as provider:model. Default: the best that you have a key for, "
            "else the embedded one",
        ),
    ] = ""


def template_answer(template: gallery.Template) -> dict[str, Any]:
    """A template with its document and what a run costs at most."""
    document = template.document
    bounds = cost_bounds(template).items()
    return {
        "slug": template.slug,
        "name": template.name,
        "summary": template.summary,
        "category": template.category,
        "on_embedded_model": template.on_embedded_model,
        "task_count": len(document["tasks"]),
        "agent_count": len(document["agents"]),
        "input_schema": document["input_schema"],
        "example_input": template.example,
        "document": document,
        "models": [
            {"model": model, "cost_bound": None if bound is None else money(bound)}
            for model, bound in bounds
        ],
    }


class TemplateListView(APIView):
    """The gallery."""

    @extend_schema(
        operation_id="templates_list",
        tags=["templates"],
        summary="List templates",
        responses=TemplateList,
    )
    def get(self, request: Request) -> Response:
        """Every template with its document, an example input and the models to run it on."""
        found = [template_answer(template) for template in gallery.templates()]
        return Response({"results": found, "next": None, "previous": None})


class TemplateView(APIView):
    """One template."""

    @extend_schema(
        operation_id="templates_retrieve",
        tags=["templates"],
        summary="Read a template",
        responses=TemplateAnswer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """The template with its document."""
        return Response(template_answer(_template(slug)))


class TemplateUseView(APIView):
    """A copy of a template."""

    @extend_schema(
        operation_id="templates_use",
        tags=["templates"],
        summary="Make a workflow from a template",
        request=UseBody,
        responses={
            201: WorkflowAnswer,
            400: OpenApiResponse(description="The model is unknown."),
        },
    )
    def post(self, request: Request, slug: str) -> Response:
        """An active workflow of your own, all of whose agents use the model."""
        template = _template(slug)
        user = user_of(request)
        require_writer(user)
        body = UseBody.read(request.data)
        workflow = template.use(by=user, model=body.model, name=body.name)
        return created_workflow(workflow)


def _template(slug: str) -> gallery.Template:
    template = gallery.get(slug)
    if template is None:
        raise NotFound
    return template
