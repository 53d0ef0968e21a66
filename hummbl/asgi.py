"""The ASGI entry point: `gunicorn hummbl.asgi:application`; `gunicorn.conf.py` has the rest."""

import os

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hummbl.settings")
django.setup(set_prefix=False)

from hummbl.body import BodyLimit  # noqa: E402
from hummbl.live import Handler  # noqa: E402

application = BodyLimit(Handler(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
