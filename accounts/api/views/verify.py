"""Proving that an address is one's own."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import addresses
from accounts.api.authentication import user_of
from accounts.api.scopes import session_only
from accounts.api.serializers.account import MessageSerializer, VerifySerializer
from accounts.api.views.bodies import validated
from accounts.api.views.public import PublicView
from hummbl.api.throttling import AuthThrottle


class VerifyView(PublicView):
    """`POST /api/auth/verify`."""

    auth_action = "verify"
    auth_account = False

    @extend_schema(
        operation_id="verify",
        tags=["auth"],
        auth=[],
        request=VerifySerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Verify an address by the token of the link that was sent there."""
        addresses.verify(validated(VerifySerializer(data=request.data))["token"])
        return Response(status=204)


class VerifySendView(APIView):
    """`POST /api/auth/verify/send`."""

    throttle_classes = [AuthThrottle]
    auth_action = "verify_send"

    @session_only
    @extend_schema(
        operation_id="verify_send",
        tags=["auth"],
        request=None,
        responses={
            202: MessageSerializer,
            409: OpenApiResponse(description="The address is verified already."),
        },
    )
    def post(self, request: Request) -> Response:
        """Send a new link to your address."""
        user = user_of(request)
        addresses.send_link(request._request, user)  # noqa: SLF001
        sentence = f"A mail with a link is on its way to {user.email}."
        return Response({"message": sentence}, status=202)
