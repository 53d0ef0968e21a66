"""Signing a test client in without the form and its slow hash."""

from django.conf import settings
from django.test import Client

from accounts.browser import ROW_KEY
from accounts.models import Session, User

# The original: tests patch it with `sign_in`.
_force_login = Client.force_login


def sign_in(client: Client, user: User, backend: str | None = None) -> None:
    """Leave the client with a fresh session and its row, as signing in does."""
    client.cookies.pop(settings.SESSION_COOKIE_NAME, None)
    _force_login(client, user, backend)
    kept = client.session
    session = Session.open_for_browser(
        user, str(kept.session_key), ip="127.0.0.1", user_agent="tests"
    )
    kept[ROW_KEY] = str(session.pk)
    kept.save()
