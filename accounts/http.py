"""The type of a request behind `login_required`."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class UserRequest(HttpRequest):
    """A request of someone who is signed in, for annotations only."""

    user: User
    htmx: HtmxDetails
