"""What the lists share: how a filter that htmx applied gets into the address."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django_htmx.http import push_url

from accounts.http import UserRequest

MAX_SEARCH = 200


def remember_filters(request: UserRequest, response: HttpResponse) -> HttpResponse:
    """Make the address say what the list shows, without the fields that are empty.

    An address that does not change is not pushed again: it would take one more step back.
    """
    given = [(name, value) for name, values in request.GET.lists() for value in values if value]
    address = f"{request.path}?{urlencode(given)}" if given else request.path
    if request.htmx.current_url_abs_path != address:
        push_url(response, address)
    return response
