"""Encryption of secrets at rest.

AES-256-GCM, with the id of the row that holds the secret as associated data: a ciphertext copied
to another row does not decrypt. Layout of a blob::

    version (1 byte) | key id (4 bytes) | nonce (12 bytes) | ciphertext and tag

The key id is the beginning of the key's SHA-256, so that several keys can be in force at once:
the first of ``settings.ENCRYPTION_KEYS`` encrypts, all of them decrypt.
"""

import base64
import binascii
import hashlib
import os
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from hummbl.errors import AppError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
KEY_BYTES = 32
KEY_ID_BYTES = 4
NONCE_BYTES = 12
_HEADER_BYTES = len(VERSION) + KEY_ID_BYTES + NONCE_BYTES


LOST: Final = "it was encrypted with a key that is no longer in ENCRYPTION_KEYS"
FOREIGN: Final = "it was changed or belongs to another record"
DAMAGED: Final = "it is damaged"


class DecryptionError(AppError):
    """A stored secret cannot be read with the keys in force; `reason` completes the sentence."""

    status = 500
    code = "decryption_failed"

    def __init__(self, reason: str, *, what: str = "This stored secret") -> None:
        super().__init__(f"{what} cannot be read any more: {reason}. Enter it again.")
        self.reason = reason


def generate_key() -> str:
    """A new random key in the form that ``ENCRYPTION_KEYS`` takes (URL-safe base64)."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def encrypt(plaintext: str, *, associated: uuid.UUID) -> bytes:
    """Encrypt ``plaintext`` for the row ``associated`` with the first key."""
    key_id, key = next(iter(_keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    header = VERSION + key_id + nonce
    return header + _cipher(key).encrypt(nonce, plaintext.encode(), associated.bytes)


def decrypt(blob: bytes | memoryview, *, associated: uuid.UUID) -> str:
    """The plaintext of what :func:`encrypt` made for the same row.

    Raises :class:`DecryptionError` when the key is not among those in force, or when the blob was
    changed or belongs to another row. Nothing is lost: with the right key it reads again.
    """
    from cryptography.exceptions import InvalidTag

    blob = bytes(blob)
    if len(blob) <= _HEADER_BYTES or blob[:1] != VERSION:
        raise DecryptionError(DAMAGED)
    key = _keys().get(blob[1 : 1 + KEY_ID_BYTES])
    if key is None:
        raise DecryptionError(LOST)
    nonce = blob[1 + KEY_ID_BYTES : _HEADER_BYTES]
    try:
        return _cipher(key).decrypt(nonce, blob[_HEADER_BYTES:], associated.bytes).decode()
    except InvalidTag:
        raise DecryptionError(FOREIGN) from None


def key_id_of(blob: bytes | memoryview) -> str:
    """The id, in hexadecimal, of the key that ``blob`` was encrypted with; it is not secret."""
    return bytes(blob)[1 : 1 + KEY_ID_BYTES].hex()


def key_ids() -> list[str]:
    """The ids of the keys in force, the one that encrypts first."""
    return [key_id.hex() for key_id in _keys()]


def has_key(blob: bytes | memoryview) -> bool:
    """Whether the key of ``blob`` is in force, by its header alone.

    Next to free, for lists. That the rest is whole, only :func:`decrypt` knows.
    """
    return bytes(blob)[1 : 1 + KEY_ID_BYTES] in _keys()


def needs_rotation(blob: bytes | memoryview) -> bool:
    """Whether ``blob`` was encrypted with another key than the first one."""
    return key_id_of(blob) != key_ids()[0]


def _cipher(key: bytes) -> "AESGCM":
    # Seven megabytes, which a worker without stored secrets has no use for.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _keys() -> dict[bytes, bytes]:
    return _parse(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=8)
def _parse(keys: tuple[str, ...]) -> dict[bytes, bytes]:
    if not keys:
        raise ImproperlyConfigured("ENCRYPTION_KEYS is empty: set at least one key.")
    raw_keys = [_decode(key) for key in keys]
    return {hashlib.sha256(raw).digest()[:KEY_ID_BYTES]: raw for raw in raw_keys}


def _decode(key: str) -> bytes:
    try:
        raw = base64.b64decode(key.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if len(raw) != KEY_BYTES:
        # The value itself stays out of the message: it may be a real key with a typo.
        raise ImproperlyConfigured(
            "Each of ENCRYPTION_KEYS must be 32 random bytes in URL-safe base64."
        ) from None
    return raw
