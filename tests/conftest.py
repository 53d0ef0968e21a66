"""The cast, the databases and the settings that every test shares."""

import gc
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from accounts.models import Session, User
from hummbl import cache, counters, mail
from observability import database, metrics, newcomers, releases, requests
from observability.errors.pending import pending
from tests import factories
from tests.signing_in import sign_in

pytest_plugins = ["tests.clock", "tests.database", "tests.llmock"]


def pytest_configure() -> None:
    """No thread writes metrics, not even while the database is made; statements are measured.

    An example of Hypothesis may take as long as the machine needs. Nothing of what tests are
    collected from is garbage: nobody looks for any meanwhile.
    """
    gc.disable()
    ours = hypothesis_settings.get_profile(hypothesis_settings.get_current_profile_name())
    hypothesis_settings.register_profile(
        "hummbl", ours, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    hypothesis_settings.load_profile("hummbl")
    django_settings.METRICS_FLUSH_SECONDS = 0
    database.measure()


def pytest_collection_finish() -> None:
    """What is collected stays: the garbage collector need not look through it ever again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """A test's rows need not outlive PostgreSQL: nothing waits for its disk."""
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                name = connection.ops.quote_name(connection.settings_dict["NAME"])
                cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            connection.close()
            connection.close_pool()


@pytest.fixture(autouse=True)
def _calm(settings):
    """No limits and a cheap hash, but where a test asks for the real ones."""
    for name in ("AUTH", "EXECUTE", "API", "PAGES", "MAIL", "TELEMETRY"):
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


@pytest.fixture(autouse=True)
def _fresh_metrics():
    """Nothing that was recorded before; no thread writes: `metrics.flush()` does."""
    for gathered in (metrics, requests, releases, pending, newcomers):
        gathered.reset()
    yield
    metrics.reset()


@pytest.fixture(autouse=True)
def _no_duties(monkeypatch):
    """Workers in this process do nothing beside their work; tests call what they mean."""
    monkeypatch.setattr("hummbl.duties._duties", {})


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
def empty_queue(transactional_db, is_postgres) -> Iterator[None]:
    """Procrastinate's tables are empty after the test: Django empties its own models' only."""
    yield
    if is_postgres:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture(params=["database", "procrastinate"])
def dispatcher(request, settings, is_postgres, empty_queue) -> str:
    """Runs the test under every dispatcher, whose name this is."""
    if request.param == "procrastinate" and not is_postgres:
        pytest.skip("Procrastinate needs PostgreSQL.")
    settings.EXECUTION_DISPATCHER = request.param
    return request.param


@pytest.fixture
def limits(db, settings):
    """`limits(AUTH="5/m")` turns rate limits on; nothing has been counted yet."""
    counters.clear()

    def turn_on(**values: str) -> None:
        for name, value in values.items():
            setattr(settings, f"RATE_LIMIT_{name}", value)

    return turn_on
