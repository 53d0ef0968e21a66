import pytest
from django.core.checks import run_checks

from hummbl import checks


def ids(check):
    return [message.id for message in check()]


@pytest.fixture
def production(settings):
    settings.PRODUCTION = True
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["hummbl.example.org"]
    settings.SECRET_KEY = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP"
    return settings


def test_all_is_well_here():
    assert [m for m in run_checks() if str(m.id).startswith("hummbl.")] == []


def test_production_is_fine_when_set_up(production):
    assert ids(checks.check_secrets) == []
    assert ids(checks.check_hosts) == []


@pytest.mark.parametrize("secret", ["short", "a" * 80])
def test_a_weak_secret_in_production(production, secret):
    production.SECRET_KEY = secret
    assert ids(checks.check_secrets) == ["hummbl.E001"]


@pytest.mark.parametrize("keys", [[], ["not-a-key"], ["canary" * 3]])
def test_unusable_encryption_keys(settings, keys):
    settings.ENCRYPTION_KEYS = keys
    (error,) = checks.check_secrets()
    assert error.id == "hummbl.E002"
    assert "canary" not in str(error)


def test_one_secret_for_two_purposes(settings):
    settings.SECRET_KEY = settings.ENCRYPTION_KEYS[0]
    assert ids(checks.check_secrets) == ["hummbl.E003"]


@pytest.mark.parametrize(("token", "found"), [("", []), ("short", ["hummbl.E012"]), ("x" * 20, [])])
def test_a_token_for_prometheus_that_can_be_guessed(settings, token, found):
    settings.PROMETHEUS_TOKEN = token
    assert ids(checks.check_secrets) == found


@pytest.mark.parametrize("hosts", [["hummbl.example.org"], ["localhost", "*"]])
def test_debug_with_a_public_host(settings, hosts):
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = hosts
    assert ids(checks.check_hosts) == ["hummbl.E004"]


def test_debug_on_this_machine_only(settings):
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    assert ids(checks.check_hosts) == []


def test_debug_in_production(production):
    production.DEBUG = True
    production.ALLOWED_HOSTS = ["localhost"]
    assert ids(checks.check_hosts) == ["hummbl.E004"]


def test_any_host_in_production(production):
    production.ALLOWED_HOSTS = ["*"]
    assert ids(checks.check_hosts) == ["hummbl.E005"]


def test_no_host_in_production(production):
    production.ALLOWED_HOSTS = []
    assert ids(checks.check_hosts) == ["hummbl.E006"]


def test_trusted_origins_over_plain_http_in_production(production):
    production.CSRF_TRUSTED_ORIGINS = ["http://hummbl.example.org"]
    assert ids(checks.check_hosts) == ["hummbl.W001"]


@pytest.mark.parametrize("name", ["secret_key", "encryption_keys"])
def test_a_secret_file_that_others_can_read(settings, tmp_path, name):
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o700)
    path = tmp_path / name
    path.write_text("x")
    path.chmod(0o600)
    assert ids(checks.check_files) == []
    path.chmod(0o640)
    assert ids(checks.check_files) == ["hummbl.E007"]


def test_a_data_folder_that_everyone_can_read(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o755)
    assert ids(checks.check_files) == ["hummbl.W002"]


@pytest.fixture
def database(settings, tmp_path, monkeypatch):
    """A folder that others may enter, with a SQLite file and what lies beside it."""
    settings.DATA_DIR = tmp_path / "elsewhere"
    settings.BASE_DIR = tmp_path
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db.sqlite3")}
    monkeypatch.setitem(settings.DATABASES, "default", sqlite)
    tmp_path.chmod(0o711)
    return tmp_path


@pytest.mark.parametrize("name", ["db.sqlite3", "db.sqlite3-wal", "db.sqlite3-counters"])
def test_a_database_that_everyone_can_read(database, name):
    path = database / name
    path.write_text("x")
    path.chmod(0o644)
    assert ids(checks.check_files) == ["hummbl.W004"]
    path.chmod(0o640)
    assert ids(checks.check_files) == []
    path.chmod(0o644)
    database.chmod(0o700)
    assert ids(checks.check_files) == []


def test_secrets_in_a_dotenv_that_everyone_can_read(production, database):
    dotenv = database / ".env"
    dotenv.write_text("SECRET_KEY=x")
    dotenv.chmod(0o644)
    assert ids(checks.check_files) == ["hummbl.W003"]
    dotenv.chmod(0o600)
    assert ids(checks.check_files) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXY_COUNT", -1),
        ("SESSION_TTL", 0),
        ("WORKER_CONCURRENCY", 0),
        ("LEASE_SECONDS", 0.5),
        ("EXECUTION_TIMEOUT", 0),
    ],
)
def test_numbers_that_cannot_work(settings, name, value):
    setattr(settings, name, value)
    assert ids(checks.check_numbers) == ["hummbl.E008"]


@pytest.mark.parametrize("name", ["AUDIT", "SESSIONS", "EXECUTIONS", "EVENTS", "SPEND"])
def test_how_long_things_are_kept(settings, name):
    """None keeps for good. Of no days at all only sessions, which have ended by then."""
    for days, works in ((None, True), (0.5, True), (-1, False), (40_000, False)):
        setattr(settings, f"RETENTION_{name}", days)
        assert ids(checks.check_numbers) == ([] if works else ["hummbl.E011"])
    setattr(settings, f"RETENTION_{name}", 0)
    assert ids(checks.check_numbers) == ([] if name == "SESSIONS" else ["hummbl.E011"])


@pytest.mark.parametrize("rate", ["5", "many/m", "0/m", "5/year", "-1/m"])
def test_limits_that_cannot_work(settings, rate):
    settings.RATE_LIMIT_API = rate
    assert ids(checks.check_numbers) == ["hummbl.E009"]


@pytest.mark.parametrize("rate", ["5/m", "100/10m", "1/s", "", "0"])
def test_limits_that_work(settings, rate):
    settings.RATE_LIMIT_API = rate
    assert ids(checks.check_numbers) == []
