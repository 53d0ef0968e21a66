"""`/api/keys`: provider keys. The key itself only ever goes in."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.authentication import user_of
from accounts.api.scopes import needs_scope, session_only
from accounts.models import Scope, User
from accounts.reauthentication import require_recent
from hummbl.api.errors import InvalidBody
from hummbl.api.filters import read_filters
from hummbl.errors import Forbidden
from workflows.access import require_writer
from workflows.api.answers import KeyAnswer, KeyCheckAnswer, key_answer
from workflows.api.bodies import KeyBody, KeyChanges
from workflows.models import ApiKey


@extend_schema(tags=["keys"])
class KeyViewSet(GenericViewSet[ApiKey]):
    """The user's own keys; an admin's are everyone's, to deactivate or delete."""

    queryset = ApiKey.objects.none()

    @extend_schema(summary="List keys", responses=KeyAnswer)
    def list(self, request: Request) -> Response:
        """Keys by their last four characters, newest first."""
        read_filters(request)
        page = self.paginate_queryset(_visible(request))
        return self.get_paginated_response([key_answer(key) for key in page or ()])

    @session_only
    @extend_schema(
        summary="Store a key",
        request=KeyBody,
        responses={201: KeyAnswer, 409: OpenApiResponse(description="The name is taken.")},
    )
    def create(self, request: Request) -> Response:
        """Encrypted at rest, and never shown again."""
        user = user_of(request)
        require_writer(user)
        require_recent(request.auth)
        body = KeyBody.read(request.data)
        key = ApiKey.store(
            user=user,
            provider=body.provider,
            name=body.name,
            secret=body.key,
            base_url=body.base_url,
        )
        return Response(key_answer(key), 201, headers={"Location": f"/api/keys/{key.pk}"})

    @session_only
    @extend_schema(
        summary="Change a key",
        request=KeyChanges,
        responses={200: KeyAnswer, 409: OpenApiResponse(description="The name is taken.")},
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """What the body leaves out stays. `provider` and `base_url` need a new `key`."""
        key = get_object_or_404(_visible(request), pk=pk)
        require_writer(user_of(request))
        changes = KeyChanges.read(request.data).given()
        if key.user_id != user_of(request).pk and changes != {"is_active": False}:
            raise Forbidden("An admin may only deactivate or delete another's key.")
        require_recent(request.auth)
        _require_secret(key, changes)
        with transaction.atomic():
            _change(key, changes, by=user_of(request))
        return Response(key_answer(key))

    @session_only
    @extend_schema(summary="Delete a key", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete it for good. Owner or admin."""
        key = get_object_or_404(_visible(request), pk=pk)
        require_writer(user_of(request))
        require_recent(request.auth)
        key.delete(by=user_of(request))
        return Response(status=204)

    @needs_scope(Scope.RUN)
    @extend_schema(
        operation_id="keys_test",
        summary="Test a key",
        request=None,
        responses=KeyCheckAnswer,
    )
    def test(self, request: Request, pk: UUID) -> Response:
        """Ask the provider for its models, which costs nothing. Owner only; up to ten seconds."""
        key = get_object_or_404(_visible(request), pk=pk)
        require_writer(user_of(request))
        if key.user_id != user_of(request).pk:
            raise Forbidden("Only its owner may test a key.")
        return Response(asdict(key.test()))


def _visible(request: Request) -> Any:
    return ApiKey.objects.visible_to(user_of(request)).select_related("user")


def _require_secret(key: ApiKey, changes: dict[str, Any]) -> None:
    """A stored key is never sent to another address than the one it was stored for."""
    if "key" in changes:
        return
    for name in ("provider", "base_url"):
        if name in changes and changes[name] != getattr(key, name):
            message = f'Send the key again, as "key", to change the {name}.'
            raise InvalidBody([{"path": "key", "code": "missing", "message": message}])


def _change(key: ApiKey, changes: dict[str, Any], *, by: User) -> None:
    if "name" in changes:
        key.rename(changes["name"], by=by)
    if "key" in changes:
        key.replace_secret(
            changes["key"],
            by=by,
            provider=changes.get("provider"),
            base_url=changes.get("base_url"),
        )
    if "is_active" in changes:
        key.set_active(changes["is_active"], by=by)
