"""`/api/channels`: where alerts are told of. The address of a webhook only ever goes in."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from accounts.api.views.bodies import validated
from hummbl.api.filters import read_filters
from hummbl.api.permissions import ADMIN_ONLY
from observability.alerts import sending
from observability.api.alert_fields import (
    ChannelChangesSerializer,
    ChannelSerializer,
    DeliverySerializer,
    NewChannelSerializer,
)
from observability.models import NotificationChannel

_TAKEN = OpenApiResponse(description="`name_taken`, or `too_many_channels`.")


class ChannelsView(GenericAPIView[NotificationChannel]):
    """`GET, POST /api/channels`."""

    permission_classes = ADMIN_ONLY
    serializer_class = ChannelSerializer
    queryset = NotificationChannel.objects.none()

    @extend_schema(
        operation_id="channels",
        summary="List notification channels",
        tags=["alerts"],
        responses=ChannelSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """All of them, newest first."""
        read_filters(request)
        page = self.paginate_queryset(NotificationChannel.objects.all()) or []
        return self.get_paginated_response(ChannelSerializer(page, many=True).data)

    @extend_schema(
        operation_id="channel_create",
        summary="Add a notification channel",
        tags=["alerts"],
        request=ChannelSerializer,
        responses={201: NewChannelSerializer, 409: _TAKEN},
    )
    def post(self, request: Request) -> Response:
        """An e-mail channel, or a webhook; `secret` signs what a webhook is sent."""
        data = validated(ChannelSerializer(data=request.data))
        channel, secret = NotificationChannel.create(by=user_of(request), **data)
        return Response({**ChannelSerializer(channel).data, "secret": secret}, status=201)


class ChannelView(APIView):
    """`GET, PATCH, DELETE /api/channels/{id}`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="channel",
        summary="Get a notification channel",
        tags=["alerts"],
        responses=ChannelSerializer,
    )
    def get(self, _request: Request, pk: UUID) -> Response:
        """One channel."""
        return Response(ChannelSerializer(_channel(pk)).data)

    @extend_schema(
        operation_id="channel_update",
        summary="Change a notification channel",
        tags=["alerts"],
        request=ChannelChangesSerializer(partial=True),
        responses={200: ChannelSerializer, 409: _TAKEN},
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        """What the body leaves out stays; so does the secret of a webhook."""
        channel = _channel(pk)
        body = ChannelChangesSerializer(channel, data=request.data, partial=True)
        channel.change(by=user_of(request), **validated(body))
        return Response(ChannelSerializer(channel).data)

    @extend_schema(
        operation_id="channel_delete",
        summary="Delete a notification channel",
        tags=["alerts"],
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete it for good. Rules that name no other channel tell all of them from then on."""
        _channel(pk).delete(by=user_of(request))
        return Response(status=204)


class ChannelTestView(APIView):
    """`POST /api/channels/{id}/test`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="channel_test",
        summary="Test a notification channel",
        tags=["alerts"],
        request=None,
        responses=DeliverySerializer,
    )
    def post(self, _request: Request, pk: UUID) -> Response:
        """Send a message now, and say what became of it. Takes ten seconds or so at most."""
        return Response(DeliverySerializer(sending.test(_channel(pk))).data)


def _channel(pk: UUID) -> NotificationChannel:
    return get_object_or_404(NotificationChannel, pk=pk)
