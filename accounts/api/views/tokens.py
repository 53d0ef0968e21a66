"""The user's personal access tokens. No token may see or make others."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tokens
from accounts.api.authentication import user_of
from accounts.api.scopes import session_only
from accounts.api.serializers.tokens import (
    AccessTokenBody,
    AccessTokenSerializer,
    NewAccessTokenSerializer,
)
from accounts.api.views.bodies import validated
from accounts.models import AccessToken
from accounts.reauthentication import require_recent


class AccessTokensView(ListAPIView[AccessToken]):
    """`GET, POST /api/auth/tokens`."""

    serializer_class = AccessTokenSerializer
    queryset = AccessToken.objects.none()

    def get_queryset(self) -> QuerySet[AccessToken]:
        """The user's own, those that have expired too."""
        return AccessToken.objects.filter(user=user_of(self.request))

    @session_only
    @extend_schema(operation_id="tokens", tags=["auth"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your access tokens, newest first, without their secrets."""
        return super().get(request, *args, **kwargs)

    @session_only
    @extend_schema(
        operation_id="token_create",
        tags=["auth"],
        request=AccessTokenBody,
        responses={
            201: NewAccessTokenSerializer,
            409: OpenApiResponse(description="The name is taken, or there are 50 tokens."),
        },
    )
    def post(self, request: Request) -> Response:
        """Make a token. `token` is the secret, shown this once. Wants a recent sign-in."""
        require_recent(request.auth)
        data = validated(AccessTokenBody(data=request.data))
        token, secret = tokens.create_token(user_of(request), **data)
        answer = {**AccessTokenSerializer(token).data, "token": secret}
        return Response(answer, status=201)


class AccessTokenView(APIView):
    """`DELETE /api/auth/tokens/{id}`."""

    @session_only
    @extend_schema(operation_id="token_delete", tags=["auth"], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete one of your access tokens, which ends it at once."""
        tokens.delete_token(user_of(request), pk)
        return Response(status=204)
