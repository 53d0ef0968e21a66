"""The ASGI entry point: `gunicorn hummbl.asgi:application`; `gunicorn.conf.py` has the rest."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from hummbl.body import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hummbl.settings")

application = BodyLimit(get_asgi_application(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
