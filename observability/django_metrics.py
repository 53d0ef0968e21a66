"""django-prometheus' middleware, run in the request's own thread.

Loaded only where `settings` installs it: with a token, under gunicorn.
"""

from django_prometheus.middleware import PrometheusAfterMiddleware, PrometheusBeforeMiddleware


class BeforeMiddleware(PrometheusBeforeMiddleware):  # type: ignore[misc]
    """The outermost. As a coroutine it would change threads twice for each request."""

    async_capable = False


class AfterMiddleware(PrometheusAfterMiddleware):  # type: ignore[misc]
    """The innermost."""

    async_capable = False
