import uuid

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from hummbl import encryption
from hummbl.encryption import DecryptionError, decrypt, encrypt, generate_key

ROW = uuid.UUID("018f0000-0000-7000-8000-000000000001")
OTHER_ROW = uuid.UUID("018f0000-0000-7000-8000-000000000002")
SECRET = "sk-canary-5f1c"


@pytest.fixture(autouse=True)
def keys(settings):
    settings.ENCRYPTION_KEYS = [generate_key()]
    return settings


def test_round_trip():
    assert decrypt(encrypt(SECRET, associated=ROW), associated=ROW) == SECRET
    assert decrypt(encrypt("ключ 🔑", associated=ROW), associated=ROW) == "ключ 🔑"
    assert decrypt(encrypt("", associated=ROW), associated=ROW) == ""


def test_the_blob_hides_the_secret_and_never_repeats():
    first, second = (encrypt(SECRET, associated=ROW) for _ in range(2))
    assert SECRET.encode() not in first
    assert first != second


def test_a_memoryview_from_the_database_decrypts():
    assert decrypt(memoryview(encrypt(SECRET, associated=ROW)), associated=ROW) == SECRET


def test_a_ciphertext_copied_to_another_row_does_not_decrypt():
    """security.md 15."""
    with pytest.raises(DecryptionError, match="belongs to another record"):
        decrypt(encrypt(SECRET, associated=ROW), associated=OTHER_ROW)


def test_a_lost_key_says_what_to_do_and_loses_nothing(settings):
    lost = settings.ENCRYPTION_KEYS
    blob = encrypt(SECRET, associated=ROW)
    settings.ENCRYPTION_KEYS = [generate_key()]
    with pytest.raises(DecryptionError, match="no longer in ENCRYPTION_KEYS") as caught:
        decrypt(blob, associated=ROW)
    assert SECRET not in str(caught.value)
    settings.ENCRYPTION_KEYS = [*settings.ENCRYPTION_KEYS, *lost]
    assert decrypt(blob, associated=ROW) == SECRET


def test_the_first_key_encrypts_and_all_decrypt(settings):
    old, new = settings.ENCRYPTION_KEYS[0], generate_key()
    blob = encrypt(SECRET, associated=ROW)
    settings.ENCRYPTION_KEYS = [new, old]
    assert decrypt(blob, associated=ROW) == SECRET
    assert encryption.needs_rotation(blob)
    rotated = encrypt(SECRET, associated=ROW)
    assert not encryption.needs_rotation(rotated)
    settings.ENCRYPTION_KEYS = [new]
    assert decrypt(rotated, associated=ROW) == SECRET


@given(st.text(max_size=60), st.uuids(), st.data())
def test_any_changed_byte_is_noticed(text, row, data):
    """security.md 15."""
    blob = bytearray(encrypt(text, associated=row))
    assert decrypt(blob, associated=row) == text
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DecryptionError):
        decrypt(bytes(blob), associated=row)


def test_the_header_says_which_key_it_takes(settings):
    """Enough for a list, which decrypts nothing."""
    blob = encrypt(SECRET, associated=ROW)
    assert encryption.has_key(memoryview(blob))
    assert encryption.key_ids() == [encryption.key_id_of(blob)]
    settings.ENCRYPTION_KEYS = [generate_key()]
    assert not encryption.has_key(blob)
    assert encryption.key_id_of(blob) not in encryption.key_ids()
    assert not encryption.has_key(b"")


@pytest.mark.parametrize("blob", [b"", b"\x01", b"plain text that was never encrypted"])
def test_what_was_never_encrypted_is_refused(blob):
    with pytest.raises(DecryptionError, match="damaged"):
        decrypt(blob, associated=ROW)


@pytest.mark.parametrize("bad", ["", "short", "é" * 44, "a" * 43, "QUJD" * 10])
def test_a_malformed_key_is_refused_without_repeating_it(settings, bad):
    settings.ENCRYPTION_KEYS = [bad]
    with pytest.raises(ImproperlyConfigured, match="32 random bytes") as caught:
        encrypt(SECRET, associated=ROW)
    assert not bad or bad not in str(caught.value)


def test_no_key_at_all_is_refused(settings):
    settings.ENCRYPTION_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS is empty"):
        encrypt(SECRET, associated=ROW)
