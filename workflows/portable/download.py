"""A workflow as a file to save: what the page and the API both answer with."""

from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import slugify

from accounts import audit
from accounts.models import Action, User
from workflows import portable
from workflows.models import Workflow

_MAX_FILENAME = 80


def export_response(request: HttpRequest, workflow: Workflow, *, by: User) -> HttpResponse:
    """The workflow's file, to be saved under a name made of its own; noted in the audit log."""
    audit.record(Action.WORKFLOW_EXPORTED, actor=by, obj=workflow)
    url = schema_url(request)
    return HttpResponse(
        portable.to_bytes(workflow, schema_url=url),
        content_type="application/json",
        headers={
            "Content-Disposition": _attachment(workflow.name),
            "Link": f'<{url}>; rel="describedby"; type="application/schema+json"',
        },
    )


def schema_url(request: HttpRequest) -> str:
    """Where the JSON Schema of workflow files is served."""
    return request.build_absolute_uri(reverse("api_workflow_schema"))


def _attachment(name: str) -> str:
    """RFC 6266: a name in ASCII for every client, and the real letters for those that can."""
    plain = slugify(name)[:_MAX_FILENAME].strip("-") or "workflow"
    full = slugify(name, allow_unicode=True)[:_MAX_FILENAME].strip("-") or "workflow"
    header = f'attachment; filename="{plain}.json"'
    return header if full == plain else f"{header}; filename*=UTF-8''{quote(full)}.json"
