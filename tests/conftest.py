"""The cast, the databases and the settings that every test shares."""

import pytest
from django.conf import settings as django_settings
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Session, User
from hummbl import cache, counters, mail
from tests import factories
from tests.signing_in import sign_in

pytest_plugins = ["tests.clock", "tests.database", "tests.llmock"]


@pytest.fixture(autouse=True)
def _calm(settings):
    """No limits and a cheap hash, but where a test asks for the real ones."""
    for name in ("AUTH", "EXECUTE", "API", "PAGES", "MAIL"):
        setattr(settings, f"RATE_LIMIT_{name}", "")
    # Else every client of a test looks for all static files anew.
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _session_rows(monkeypatch):
    """`force_login` leaves a session with its row, as signing in does."""
    monkeypatch.setattr(Client, "force_login", sign_in)


@pytest.fixture(autouse=True)
def _mail_at_once(monkeypatch):
    """A mail is in Django's outbox when the call returns, without a thread.

    Most tests never commit, so there is no waiting for that either.
    """
    monkeypatch.setattr("hummbl.mail.send", mail.deliver)


@pytest.fixture(autouse=True)
def _fresh_cache():
    """Nothing is left over from the test before."""
    cache.clear()


@pytest.fixture
def alice(db) -> User:
    """A user who owns things."""
    return factories.make_user("alice@example.com", name="Alice Example")


@pytest.fixture
def bob(db) -> User:
    """Another user, who must not see what is Alice's."""
    return factories.make_user("bob@example.com", name="Bob Example")


@pytest.fixture
def vera(db) -> User:
    """A viewer: reads what is shared, writes nothing."""
    return factories.make_user("vera@example.com", name="Vera Example", role="viewer")


@pytest.fixture
def adam(db) -> User:
    """The admin."""
    return factories.make_user("adam@example.com", name="Adam Example", role="admin")


@pytest.fixture
def api():
    """`api(alice)` is a client with her bearer token; `api()` one without."""

    def make(user: User | None = None) -> APIClient:
        client = APIClient()
        if user is not None:
            _, token = Session.open(user, ip="127.0.0.1", user_agent="tests")
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return make


@pytest.fixture
def bearer():
    """`bearer(secret)` is a client that sends an access token."""

    def make(secret: str) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make


@pytest.fixture
def is_postgres() -> bool:
    """Whether this run is on PostgreSQL."""
    return "postgresql" in django_settings.DATABASES["default"]["ENGINE"]


@pytest.fixture
def limits(db, settings):
    """`limits(AUTH="5/m")` turns rate limits on; nothing has been counted yet."""
    counters.clear()

    def turn_on(**values: str) -> None:
        for name, value in values.items():
            setattr(settings, f"RATE_LIMIT_{name}", value)

    return turn_on
