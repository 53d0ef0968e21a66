"""`/api/executions`: read, watch, cancel."""

from typing import Any, Final, cast
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.api.authentication import user_of
from accounts.api.scopes import needs_scope
from accounts.models import Scope
from hummbl.api.errors import InvalidBody
from hummbl.live import LiveResponse, require_room
from workflows import stream
from workflows.access import require_writer
from workflows.api.answers import (
    ExecutionAnswer,
    ExecutionRow,
    execution_answer,
    execution_row,
    execution_rows,
)
from workflows.api.filters import RUN_PARAMETERS, read_run_filter
from workflows.models import Execution

_EVENT: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Its number: 1, 2, 3 and so on"},
        "event": {"type": "string", "enum": ["execution", "task", "delta"]},
        "data": {"type": "string", "description": "JSON"},
    },
}


@extend_schema(tags=["executions"])
class ExecutionViewSet(GenericViewSet[Execution]):
    """The user's own executions; an admin's are everyone's."""

    queryset = Execution.objects.none()

    @extend_schema(
        summary="List executions",
        responses=ExecutionRow,
        parameters=RUN_PARAMETERS,
    )
    def list(self, request: Request) -> Response:
        """Rows without the tasks, newest first."""
        run_filter, _ = read_run_filter(request)
        runs = run_filter.of(Execution.objects.visible_to(user_of(request)))
        page = self.paginate_queryset(execution_rows(runs))
        return self.get_paginated_response([execution_row(row) for row in page or ()])

    @extend_schema(summary="Read an execution", responses=ExecutionAnswer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """The execution with the result of every task so far."""
        return Response(execution_answer(get_object_or_404(_visible(request), pk=pk)))

    @needs_scope(Scope.RUN)
    @extend_schema(
        operation_id="executions_cancel",
        summary="Cancel an execution",
        request=None,
        responses={202: ExecutionAnswer, 409: OpenApiResponse(description="It has ended.")},
    )
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Ask for the end: calls in flight are aborted within a second."""
        execution = get_object_or_404(_visible(request), pk=pk)
        require_writer(user_of(request))
        execution.cancel(by=user_of(request))
        return Response(execution_answer(execution), 202)


class StreamView(APIView):
    """An execution while it happens.

    Only access is decided here, by the same rules as everywhere; the events come from
    `workflows.stream`, which the ASGI server iterates on its event loop.
    """

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """Events, whatever the client accepts; errors are JSON."""
        renderer = self.get_renderers()[0]
        return renderer, str(renderer.media_type)

    @extend_schema(
        tags=["executions"],
        operation_id="executions_stream",
        summary="Watch an execution",
        description=(
            "Server-Sent Events `execution`, `task` and `delta`, from the start or from "
            "`Last-Event-ID`, until the execution has ended. A `delta` is the next piece of an "
            "answer while it is written: the pieces of one task and attempt, joined in order. A "
            "comment line every 15 seconds keeps the connection open. 204 when there is nothing "
            "left to send."
        ),
        parameters=[
            OpenApiParameter(
                "Last-Event-ID", {"type": "integer", "minimum": 0}, OpenApiParameter.HEADER
            ),
        ],
        responses={
            (200, "text/event-stream"): _EVENT,
            204: None,
            503: OpenApiResponse(description="Too many streams are open."),
        },
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """The stream."""
        execution = get_object_or_404(_visible(request), pk=pk)
        after = min(_last_event_id(request), execution.last_sequence)
        # Not by the last number: events are deleted before their execution is.
        if execution.is_terminal and not execution.events.filter(sequence__gt=after).exists():
            # An EventSource reconnects for ever, unless it is told that there is no content.
            return HttpResponse(status=204)
        require_room()
        response = LiveResponse(
            stream.events(
                execution.pk, credential=cast("stream.Credential", request.auth), after=after
            ),
            content_type="text/event-stream",
        )
        response["Cache-Control"] = "no-cache"
        response["X-Accel-Buffering"] = "no"
        return response


def _visible(request: Request) -> Any:
    return Execution.objects.visible_to(user_of(request)).with_labels()


def _last_event_id(request: Request) -> int:
    text = request.headers.get("Last-Event-ID", "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        message = "Last-Event-ID is the number of the last event that you have seen."
        raise InvalidBody([{"path": "Last-Event-ID", "code": "invalid", "message": message}])
    return int(text)
