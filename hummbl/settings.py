"""All settings, read from the environment. `.env.example` lists every name with its default."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from hummbl import encryption, sentry
from hummbl import logging as hummbl_logging

# Lets `ModelForm[Workflow]` and `ModelAdmin[Workflow]` be written as the type checker wants them.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- Where we run -------------------------------------------------------------------------------

ENVIRONMENT = env.str("ENVIRONMENT", default="development")
if ENVIRONMENT not in {"development", "production"}:
    raise ImproperlyConfigured(
        f"ENVIRONMENT is {ENVIRONMENT!r}. Set it to development or production."
    )
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data")))


def _days(name: str, default: float) -> float | None:
    """A number of days, parts of one allowed; None, which is for good, when it is empty."""
    return env.float(name, default=default) if env.str(name, default="0") else None


def _secret(name: str, make: Callable[[], str]) -> str:
    """The secret from the environment; in development made once and kept in DATA_DIR, mode 0600."""
    value: str = env.str(name, default="")
    if value:
        return value
    if PRODUCTION:
        raise ImproperlyConfigured(f"Set {name}: production does not make its own secrets.")
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = DATA_DIR / name.lower()
    # A link is atomic: of two commands that start together, both read what the first one wrote.
    if not path.exists():
        draft = path.with_suffix(f".{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


SECRET_KEY = _secret("SECRET_KEY", lambda: secrets.token_urlsafe(64))
ENCRYPTION_KEYS = [
    key.strip()
    for key in _secret("ENCRYPTION_KEYS", encryption.generate_key).split(",")
    if key.strip()
]

# --- The web ------------------------------------------------------------------------------------

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
# With a bearer token, never with a cookie: credentials stay off.
CORS_URLS_REGEX = r"^/api/"
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SITE_URL = env.str("SITE_URL", default="").rstrip("/")

ROOT_URLCONF = "hummbl.urls"
ASGI_APPLICATION = "hummbl.asgi.application"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 8000

SESSION_TTL = env.int("SESSION_TTL", default=7 * 24 * 3600)
SESSION_IDLE_TTL = env.int("SESSION_IDLE_TTL", default=0)
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_AGE = SESSION_TTL
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "hummbl.pages.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # Browsers take a cookie of such a name only over TLS, from this host and for all of it.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SECURE_SSL_REDIRECT = True
    # Asked for by what is beside us, and not through the proxy.
    SECURE_REDIRECT_EXEMPT = [r"^api/health(/live|/ready)?$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- What is installed --------------------------------------------------------------------------

APPS = [
    "accounts.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "hummbl",
    "accounts",
    "observability",
    "workflows",
]

MIDDLEWARE = [
    "hummbl.middleware.RequestIdMiddleware",
    "observability.middleware.MetricsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "hummbl.middleware.CompressMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hummbl.middleware.PrivateMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.browser.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "hummbl.pages.ErrorPagesMiddleware",
    "hummbl.ratelimit.RateLimitMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["hummbl.templatetags.ui"],
        },
    },
]

# --- Data ---------------------------------------------------------------------------------------

POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds that what was sent may wait for its receipt
}


def _database() -> dict[str, Any]:
    """The database of DATABASE_URL, tuned for web threads and the worker on one machine."""
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    default = f"sqlite:///{DATA_DIR / 'db.sqlite3'}"
    database: dict[str, Any] = env.db("DATABASE_URL", default=default)
    options = database.setdefault("OPTIONS", {})
    if "sqlite" in database["ENGINE"]:
        Path(database["NAME"]).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=20,
            # A log that grew in a burst is cut to 64 MB when it begins anew.
            init_command="PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864",
        )
        database["TEST"] = {"NAME": str(Path(database["NAME"]).with_name("test.sqlite3"))}
    else:
        # Under ASGI a request has no thread of its own to keep a connection in; the pool does.
        database["CONN_MAX_AGE"] = 0
        # A machine that has lost its network is told so after 10 to 15 seconds, not after hours.
        # What DATABASE_URL says comes first.
        for name, value in POSTGRESQL_OPTIONS.items():
            options.setdefault(name, value)
        options["pool"] = {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=10),
            "timeout": 5,  # seconds; health must not wait longer for a database that is away
            # Else the pauses between attempts double for five minutes, and a database that is back
            # is found after as long as it was away; given up, the next request tries at once.
            "reconnect_timeout": 5,
        }
    return database


def _installed_apps(database: dict[str, Any]) -> list[str]:
    """All apps; the job queue's tables exist on PostgreSQL only, whatever the dispatcher."""
    queue = ["procrastinate.contrib.django"] if _is_postgresql(database) else []
    # First, as ours take its tables out of the admin again.
    return queue + APPS


def _is_postgresql(database: dict[str, Any]) -> bool:
    return "postgresql" in database["ENGINE"]


DATABASES = {"default": _database()}
INSTALLED_APPS = _installed_apps(DATABASES["default"])
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""  # our one task belongs to the worker
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# In the memory of each process, shared with no other: `hummbl/cache.py` says what that asks for.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 1000},
    }
}

# --- Accounts -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "landing"
REGISTRATION_OPEN = env.bool("REGISTRATION_OPEN", default=True)
REGISTRATION_DOMAINS = [
    domain.strip().lower().removeprefix("@").rstrip(".")
    for domain in env.list("REGISTRATION_DOMAINS", default=[])
]
REQUIRE_VERIFIED_EMAIL = env.bool("REQUIRE_VERIFIED_EMAIL", default=False)
# How old a sign-in may be, in seconds, when a sensitive change is made without the password.
REAUTHENTICATION_AGE = 15 * 60
# How long a link in a mail can be followed, in seconds.
EMAIL_LINK_TTL = 24 * 3600
PASSWORD_RESET_TIMEOUT = 3600
RETENTION_AUDIT = _days("RETENTION_AUDIT", 365)
RETENTION_SESSIONS = _days("RETENTION_SESSIONS", 0)

# --- E-mail -------------------------------------------------------------------------------------

# Ours come to an end however slowly the server speaks.
env.EMAIL_SCHEMES.update(
    dict.fromkeys(["smtp", "smtps", "smtp+tls", "smtp+ssl"], "hummbl.smtp.EmailBackend")
)
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="HUMMBL <hummbl@localhost>")
EMAIL_TIMEOUT = 10  # seconds for each word of the server; hummbl.smtp has how long they all take

# --- The API ------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.BearerAuthentication",
        "accounts.api.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["hummbl.api.throttling.ApiThrottle"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "hummbl.api.negotiation.AnyAccept",
    "DEFAULT_PARSER_CLASSES": ["hummbl.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["hummbl.api.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": "hummbl.api.metadata.AllowedMethods",
    "DEFAULT_PAGINATION_CLASS": "hummbl.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "hummbl.api.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "HUMMBL API",
    "DESCRIPTION": "Describe workflows of AI agents, run them and read every result and its cost.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # In production the schema is for those who have an account.
    "SERVE_PERMISSIONS": [
        "rest_framework.permissions.IsAuthenticated"
        if PRODUCTION
        else "rest_framework.permissions.AllowAny"
    ],
    # Without the hook that names lists of choices: they stay where they are used.
    "POSTPROCESSING_HOOKS": ["hummbl.api.schema.document_errors"],
}
RATE_LIMIT_AUTH = env.str("RATE_LIMIT_AUTH", default="5/m")
RATE_LIMIT_EXECUTE = env.str("RATE_LIMIT_EXECUTE", default="10/m")
RATE_LIMIT_API = env.str("RATE_LIMIT_API", default="100/m")
RATE_LIMIT_PAGES = env.str("RATE_LIMIT_PAGES", default="300/m")
RATE_LIMIT_MAIL = env.str("RATE_LIMIT_MAIL", default="10/h")
RATE_LIMIT_TELEMETRY = env.str("RATE_LIMIT_TELEMETRY", default="120/m")

# --- The engine and the providers ---------------------------------------------------------------

EXECUTION_DISPATCHER = env.str("EXECUTION_DISPATCHER", default="database")
if EXECUTION_DISPATCHER not in {"database", "procrastinate"}:
    raise ImproperlyConfigured(
        f"EXECUTION_DISPATCHER is {EXECUTION_DISPATCHER!r}. Set it to database or procrastinate."
    )
if EXECUTION_DISPATCHER == "procrastinate" and not _is_postgresql(DATABASES["default"]):
    raise ImproperlyConfigured(
        "EXECUTION_DISPATCHER is procrastinate, which needs PostgreSQL. Point DATABASE_URL at one, "
        "or set EXECUTION_DISPATCHER to database."
    )
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=300)
LEASE_SECONDS = env.float("LEASE_SECONDS", default=6.0)
EXECUTION_TIMEOUT = env.float("EXECUTION_TIMEOUT", default=3600.0)
RETENTION_EXECUTIONS = _days("RETENTION_EXECUTIONS", 90)
RETENTION_EVENTS = _days("RETENTION_EVENTS", 30)
RETENTION_SPEND = _days("RETENTION_SPEND", 365)
ALLOWED_PRIVATE_HOSTS = env.list("ALLOWED_PRIVATE_HOSTS", default=[])
SHARED_KEYS_ROLES = env.list("SHARED_KEYS_ROLES", default=["admin"])
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
ANTHROPIC_API_KEY = env.str("ANTHROPIC_API_KEY", default="")

# --- Metrics, errors and alerts -----------------------------------------------------------------

# Seconds between two writes of what a process has gathered; 0 leaves the writing to the caller.
METRICS_FLUSH_SECONDS = 5.0
RELEASE = env.str("RELEASE", default=VERSION)
RETENTION_METRICS = _days("RETENTION_METRICS", 90)
RETENTION_ERRORS = _days("RETENTION_ERRORS", 90)
RETENTION_ALERTS = _days("RETENTION_ALERTS", 90)
PROMETHEUS_TOKEN = env.str("PROMETHEUS_TOKEN", default="")
# A web process, in which `gunicorn.conf.py` has made the folder: others are spared the memory.
if PROMETHEUS_TOKEN and "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    INSTALLED_APPS.append("django_prometheus")
    MIDDLEWARE = [
        "observability.django_metrics.BeforeMiddleware",
        *MIDDLEWARE,
        "observability.django_metrics.AfterMiddleware",
    ]

# --- Pages --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
# In development files are served from where they are; nothing is collected.
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")) if PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "hummbl.storage.StaticStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION

# --- Logs and errors ----------------------------------------------------------------------------

LOG_FORMAT = env.str("LOG_FORMAT", default="json" if PRODUCTION else "console")
LOGGING = hummbl_logging.config(LOG_FORMAT)
SENTRY_DSN = env.str("SENTRY_DSN", default="")
sentry.init(SENTRY_DSN, environment=ENVIRONMENT, release=VERSION)
