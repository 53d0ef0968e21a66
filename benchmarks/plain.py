"""The list of workflows as a plain ModelSerializer gives it, for comparison.

Same process, middleware, authentication, query and fields; what differs is Django REST framework's
own serializer, pagination and renderer.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hummbl.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

from hummbl.body import BodyLimit

settings.ROOT_URLCONF = "benchmarks.plain_urls"
application = BodyLimit(get_asgi_application(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
