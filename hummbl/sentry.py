"""Error reports to Sentry, when SENTRY_DSN is set.

The SDK leaks by default: local variables, request bodies and the prompts of provider SDKs. All of
that is off, and what remains passes through :func:`hummbl.scrubbing.scrub`.
"""

import sys
from typing import TYPE_CHECKING, Any, cast

from hummbl.scrubbing import scrub

if TYPE_CHECKING:
    from sentry_sdk._types import DataCollectionUserOptions
    from sentry_sdk.transport import Transport
    from sentry_sdk.types import Event, Hint

# What the SDK may add to an event by itself. Set, it takes the place of `send_default_pii=False`.
DATA_COLLECTION: "DataCollectionUserOptions" = {
    "user_info": False,
    "cookies": {"mode": "off"},
    "http_headers": {
        "request": {"mode": "allowlist", "terms": ["user-agent", "content-type", "x-request-id"]}
    },
    "http_bodies": [],
    "url_query_params": {"mode": "off"},
    "graphql": {"document": False, "variables": False},
    "gen_ai": {"inputs": False, "outputs": False},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
}


def init(
    dsn: str, *, environment: str, release: str, transport: "type[Transport] | None" = None
) -> None:
    """Start the SDK; does nothing, and imports nothing, without a DSN."""
    if not dsn:
        return
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration

    options: dict[str, Any] = {"transport": transport} if transport else {}
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release,
        # Automatic ones would import and instrument every provider SDK: 90 MB and all prompts.
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration()],
        include_local_variables=False,
        data_collection=DATA_COLLECTION,
        max_request_body_size="never",
        before_send=before_send,
        **options,
    )


def forward(event: "Event") -> None:
    """Send an event that the SDK does not see by itself; nothing happens without a DSN."""
    if sdk := sys.modules.get("sentry_sdk"):
        sdk.capture_event(event)


def before_send(event: "Event", _hint: "Hint") -> "Event":
    """The event without secrets."""
    return cast("Event", scrub(event))
