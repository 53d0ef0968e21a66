"""`/metrics`, for Prometheus."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from observability import exposition, prometheus


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics, with `Authorization: Bearer $PROMETHEUS_TOKEN`; 404 where no token is set."""
    if not settings.PROMETHEUS_TOKEN:
        raise Http404
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not constant_time_compare(given, settings.PROMETHEUS_TOKEN):
        return HttpResponse(
            "Send Authorization: Bearer and the token in PROMETHEUS_TOKEN.\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
        )
    return HttpResponse(prometheus.exposition(), content_type=exposition.CONTENT_TYPE)
