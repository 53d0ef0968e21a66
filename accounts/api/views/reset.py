"""Setting a new password without the old one."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import resets
from accounts.api.serializers.account import (
    MessageSerializer,
    ResetConfirmSerializer,
    ResetSerializer,
)
from accounts.api.views.bodies import validated
from accounts.api.views.public import PublicView


class ResetView(PublicView):
    """`POST /api/auth/reset`."""

    auth_action = "reset"

    @extend_schema(
        operation_id="reset",
        tags=["auth"],
        auth=[],
        request=ResetSerializer,
        responses={202: MessageSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ask for a link to set a new password. The answer is the same for every address."""
        data = validated(ResetSerializer(data=request.data))
        resets.ask(request._request, data["email"])  # noqa: SLF001
        return Response({"message": resets.ASKED}, status=202)


class ResetConfirmView(PublicView):
    """`POST /api/auth/reset/confirm`."""

    auth_action = "reset_confirm"
    auth_account = False

    @extend_schema(
        operation_id="reset_confirm",
        tags=["auth"],
        auth=[],
        request=ResetConfirmSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Set a new password by the token of a link. Every session and access token ends."""
        data = validated(ResetConfirmSerializer(data=request.data))
        resets.confirm(request._request, data["token"], data["new_password"])  # noqa: SLF001
        return Response(status=204)
