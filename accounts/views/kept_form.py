"""What somebody sent, kept in the page that asks for their password first.

It is encrypted, for it may hold a provider key or a new password, and bound to the session and
to the address that it was sent to: it is of no use to anyone else, nor anywhere else.
"""

import base64
import binascii
import json
from typing import Final

from django.http import HttpRequest, QueryDict

from accounts.models import Session
from hummbl import encryption

FIELD: Final = "kept_form"
_CSRF: Final = "csrfmiddlewaretoken"


def keep(request: HttpRequest, session: Session) -> str:
    """The posted form as one hidden field; as it is when it was kept before."""
    kept = request.POST.get(FIELD)
    if kept is not None:
        return kept
    form = request.POST.copy()
    form.pop(_CSRF, None)
    text = json.dumps([request.path, form.urlencode()])
    return base64.b64encode(encryption.encrypt(text, associated=session.pk)).decode()


def restore(request: HttpRequest, session: Session) -> bool:
    """Put the kept form in the place of the posted one; False when it is not for here."""
    try:
        blob = base64.b64decode(request.POST[FIELD], validate=True)
        address, form = json.loads(encryption.decrypt(blob, associated=session.pk))
    except (binascii.Error, ValueError, encryption.DecryptionError):
        return False
    if address != request.path:
        return False
    request.POST = QueryDict(form)
    return True
