"""How random secrets are kept."""

import hashlib


def digest_of(secret: str) -> str:
    """The SHA-256 of a random secret, which is all that a table keeps of it.

    Fast on purpose: 256 random bits cannot be guessed, a slow hash is for passwords.
    """
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
