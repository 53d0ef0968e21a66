"""Django's sessions in the database, under a digest of the key that the browser holds.

Django stores the key itself: whoever reads the table, or a copy of it, could sign in as everyone
in it. Keys are of 256 random bits. Source: OWASP ASVS 5.0, 7.2.3 and 14.2.
"""

import secrets
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.utils import timezone

from accounts.models.secrets import digest_of

# What Django's column takes: 160 bits of the digest.
_LENGTH = 40


class SessionStore(db.SessionStore):
    """Django's, but for what the rows are found by."""

    def exists(self, session_key: str) -> bool:
        """Whether there is a session with that key."""
        return super().exists(_at_rest(session_key))

    async def aexists(self, session_key: str) -> bool:
        """See `exists`."""
        return await super().aexists(_at_rest(session_key))

    def create_model_instance(self, data: Any) -> Any:
        """The row as it is to be written."""
        return _hidden(super().create_model_instance(data))

    async def acreate_model_instance(self, data: Any) -> Any:
        """See `create_model_instance`."""
        return _hidden(await super().acreate_model_instance(data))

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session with that key, or this one."""
        key = session_key or self.session_key
        if key:
            super().delete(_at_rest(key))

    async def adelete(self, session_key: str | None = None) -> None:
        """See `delete`."""
        key = session_key or self.session_key
        if key:
            await super().adelete(_at_rest(key))

    def _get_session_from_db(self) -> Any:
        rows = self.model.objects.filter(expire_date__gt=timezone.now())
        found = rows.filter(session_key=_at_rest(str(self.session_key))).first()
        if found is None:
            # The key is not taken over from a stranger: a new one is made when it is needed.
            self._session_key = None
        return found

    async def _aget_session_from_db(self) -> Any:
        return await sync_to_async(self._get_session_from_db)()

    def _get_new_session_key(self) -> str:
        return secrets.token_urlsafe(32)

    async def _aget_new_session_key(self) -> str:
        return self._get_new_session_key()


def _at_rest(key: str) -> str:
    return digest_of(key)[:_LENGTH]


def _hidden(row: Any) -> Any:
    row.session_key = _at_rest(row.session_key)
    return row
