"""The administrators' pages of notification channels."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import UserRequest
from accounts.views.access import admins_only
from accounts.views.forms import FORM_METHODS, form_page, refuse
from hummbl import mail
from hummbl.errors import AppError
from observability.alert_forms import ChannelForm
from observability.alerts import sending
from observability.models import Delivery, DeliveryState, NotificationChannel

PAGE = "observability/manage_channel.html"
SHOWN = 20


@admins_only
@require_safe
def manage_channels(request: UserRequest) -> HttpResponse:
    """All of them on one page, and what they were told last."""
    context = {
        "channels": NotificationChannel.objects.all(),
        "sends_mail": not mail.goes_nowhere(),
        "deliveries": Delivery.objects.select_related("alert")[:SHOWN],
    }
    return render(request, "observability/manage_channels.html", context)


@sensitive_post_parameters("url")
@never_cache
@admins_only
@require_http_methods(FORM_METHODS)
def manage_channel_create(request: UserRequest) -> HttpResponse:
    """A new channel. The secret of a webhook is in the answer to the form, and nowhere after that.

    The answer is no redirect, which would have to keep the secret meanwhile.
    """
    form = ChannelForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            channel, secret = NotificationChannel.create(by=request.user, **form.values())
        except AppError as error:
            refusal = refuse(form, error)
        else:
            if secret:
                context = {"channel": channel, "secret": secret}
                return render(request, "observability/channel_created.html", context, status=201)
            messages.success(request, f"“{channel.name}” was added.")
            return redirect("manage_channels")
    return form_page(request, PAGE, form, refusal)


@sensitive_post_parameters("url")
@never_cache
@admins_only
@require_http_methods(FORM_METHODS)
def manage_channel(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """A channel, to be changed."""
    channel = get_object_or_404(NotificationChannel, pk=pk)
    name = channel.name
    form = ChannelForm(request.POST or None, channel=channel)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            channel.change(by=request.user, **form.values())
        except AppError as error:
            refusal = refuse(form, error)
        else:
            messages.success(request, f"“{channel.name}” was changed.")
            return redirect("manage_channels")
    return form_page(request, PAGE, form, refusal, channel=channel, channel_name=name)


@admins_only
@require_POST
def manage_channel_test(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Send a message now; the answer stands below the channel."""
    channel = get_object_or_404(NotificationChannel, pk=pk)
    delivery = sending.test(channel)
    is_sent = delivery.state == DeliveryState.SENT
    if request.htmx:
        context = {"is_sent": is_sent, "delivery": delivery, "channel": channel}
        return render(request, "observability/_channel_test.html", context)
    if is_sent:
        messages.success(request, f"“{channel.name}”: the test message was sent.")
    else:
        messages.error(request, f"“{channel.name}”: {delivery.error}")
    return redirect("manage_channels")


@admins_only
@require_POST
def manage_channel_delete(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a channel for good."""
    channel = get_object_or_404(NotificationChannel, pk=pk)
    channel.delete(by=request.user)
    messages.success(request, f"“{channel.name}” was deleted.")
    return redirect("manage_channels")
