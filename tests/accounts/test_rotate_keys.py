"""manage.py rotate_keys."""

import io
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from hummbl import encryption, rotation
from tests.factories import make_key
from tests.processes import environment
from workflows.models import ApiKey

pytestmark = pytest.mark.django_db

OLD, NEW, OTHER = ("A" * 42 + f"{letter}=" for letter in "AEI")
SECRET = "sk-canary-5f1d7c3a9b"


@pytest.fixture(autouse=True)
def _old_key(settings):
    settings.ENCRYPTION_KEYS = [OLD]


def rotate(**options):
    """What it says."""
    out = io.StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def rotate_in_vain(**options):
    """What it says when it exits with 1."""
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("rotate_keys", stdout=out, **options)
    assert caught.value.returncode == 1
    return f"{out.getvalue()}{caught.value}"


def id_of(key):
    return encryption.key_id_of(encryption_of(key))


def encryption_of(key):
    return bytes(ApiKey.objects.get(pk=key.pk).ciphertext)


def secret_of(key):
    return ApiKey.objects.get(pk=key.pk).credential().secret


def test_every_key_moves_under_the_first_one(alice, bob, settings):
    """security.md 15: rotated by a command; afterwards the old key is not needed."""
    keys = [make_key(alice, secret=SECRET), make_key(bob, secret="sk-bob-00000000")]
    changed = ApiKey.objects.get(pk=keys[0].pk).updated_at
    old_id = encryption.key_ids()[0]
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    new_id = encryption.key_ids()[0]

    said = rotate()

    assert "2 stored secrets: 2 re-encrypted, nothing left to re-encrypt, 0 unreadable." in said
    assert f"key {old_id}, number 2 of ENCRYPTION_KEYS, is no longer used: you can remove" in said
    assert {id_of(key) for key in keys} == {new_id}
    settings.ENCRYPTION_KEYS = [NEW]
    assert [secret_of(key) for key in keys] == [SECRET, "sk-bob-00000000"]
    assert ApiKey.objects.get(pk=keys[0].pk).updated_at == changed
    entry = AuditEntry.objects.get(action="key.rotated")
    assert entry.data == {"rotated": 2, "unreadable": 0}
    assert entry.actor_id is None


def test_again_changes_nothing(alice, settings):
    key = make_key(alice)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    before = encryption_of(key)

    assert "1 stored secret: 0 re-encrypted, nothing left to re-encrypt" in rotate()
    assert encryption_of(key) == before


def test_a_dry_run_only_looks(alice, settings):
    key = make_key(alice)
    before = encryption_of(key)
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    said = rotate(dry_run=True)

    assert "1 stored secret: 0 re-encrypted, 1 to re-encrypt, 0 unreadable." in said
    assert "is still used by 1 stored secret." in said
    assert encryption_of(key) == before
    assert not AuditEntry.objects.filter(action="key.rotated").exists()


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry", "wet"])
def test_a_lost_key_is_named_and_holds_nothing_up(alice, bob, settings, dry_run):
    """security.md 15: a wrong key gives a clear error and loses nothing."""
    lost = make_key(alice, name="old\none", secret=SECRET)
    lost_id, before = id_of(lost), encryption_of(lost)
    settings.ENCRYPTION_KEYS = [OTHER]
    other = make_key(bob)
    settings.ENCRYPTION_KEYS = [NEW, OTHER]

    said = rotate_in_vain(dry_run=dry_run)

    (line,) = [line for line in said.splitlines() if line.startswith("Cannot be decrypted")]
    assert line == (
        f"Cannot be decrypted: alice@example.com, openai key “old\\none”, id {lost.pk}, "
        f"encryption key {lost_id}: it was encrypted with a key that is no longer in "
        "ENCRYPTION_KEYS"
    )
    assert "1 stored secret cannot be decrypted. Put the key with that id back" in said
    for secret in (SECRET, SECRET[-4:], before.hex(), OLD, NEW, OTHER):
        assert secret not in said
    assert encryption_of(lost) == before
    assert encryption.needs_rotation(encryption_of(other)) is dry_run
    settings.ENCRYPTION_KEYS = [NEW, OLD, OTHER]
    assert secret_of(lost) == SECRET


def test_a_ciphertext_of_another_row_is_found(alice, settings):
    """security.md 15: also one under the first key, which needs no rotation."""
    victim, thief = make_key(alice), make_key(alice, name="copy")
    ApiKey.objects.filter(pk=thief.pk).update(ciphertext=encryption_of(victim))

    said = rotate_in_vain()

    assert f"id {thief.pk}" in said
    assert "it was changed or belongs to another record" in said
    assert f"id {victim.pk}" not in said


def test_a_key_that_is_changed_meanwhile_is_kept(alice, settings, monkeypatch):
    """The new secret is written between the read and the write of the rotation."""
    key = make_key(alice)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    decrypt, changes = encryption.decrypt, ["sk-newer-00000001", "sk-newer-00000002"]

    def meanwhile(blob, *, associated):
        secret = decrypt(blob, associated=associated)
        if changes:
            # By a process that has the old list still.
            settings.ENCRYPTION_KEYS = [OLD]
            ApiKey.objects.get(pk=key.pk).replace_secret(changes.pop(0), by=alice)
            settings.ENCRYPTION_KEYS = [NEW, OLD]
        return secret

    monkeypatch.setattr(rotation.encryption, "decrypt", meanwhile)

    assert "1 stored secret: 1 re-encrypted, nothing left" in rotate()
    settings.ENCRYPTION_KEYS = [NEW]
    monkeypatch.undo()
    settings.ENCRYPTION_KEYS = [NEW]
    assert ApiKey.objects.get(pk=key.pk).credential().secret == "sk-newer-00000002"


def test_a_key_that_is_deleted_meanwhile_stays_deleted(alice, settings, monkeypatch):
    make_key(alice)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    decrypt = encryption.decrypt

    def meanwhile(blob, *, associated):
        ApiKey.objects.all().delete()
        return decrypt(blob, associated=associated)

    monkeypatch.setattr(rotation.encryption, "decrypt", meanwhile)

    assert "0 stored secrets: 0 re-encrypted" in rotate()
    assert not ApiKey.objects.exists()


def test_it_goes_on_where_it_was_cut_off(alice, settings, monkeypatch):
    keys = [make_key(alice, name=str(number)) for number in range(3)]
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    encrypt, left = encryption.encrypt, [1, 2]

    def until_cut_off(plaintext, *, associated):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return encrypt(plaintext, associated=associated)

    with monkeypatch.context() as patch:
        patch.setattr(rotation.encryption, "encrypt", until_cut_off)
        with pytest.raises(KeyboardInterrupt):
            rotate()
    assert AuditEntry.objects.get(action="key.rotated").data["rotated"] == 2
    assert len({id_of(key) for key in keys}) == 2

    assert "1 re-encrypted" in rotate()
    assert {id_of(key) for key in keys} == {encryption.key_ids()[0]}


def test_more_than_a_batch_in_as_many_queries_as_batches(
    alice, settings, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(rotation, "BATCH", 3)
    for number in range(7):
        make_key(alice, name=str(number))
    # 3 of 3, 3, 1 and 0 keys; the address and the secret of the channel that there is, each 1 and 0
    with django_assert_num_queries(8):
        assert "7 stored secrets" in rotate(dry_run=True)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "7 re-encrypted" in rotate()


def test_without_secrets(db):
    assert "0 stored secrets: 0 re-encrypted, nothing left to re-encrypt" in rotate()


WRITER = """
import django, sys
django.setup()
from workflows.models import ApiKey
keys = list(ApiKey.objects.select_related("user").order_by("pk"))
print("ready", flush=True)
for number in range(20):
    for key in keys:
        key.replace_secret(f"sk-{key.name}-{number:08}", by=key.user)
"""


@pytest.mark.django_db(transaction=True)
def test_while_another_process_writes_keys(alice, settings):
    """That process still has the old key first, so that it undoes what the rotation does."""
    keys = [make_key(alice, name=name) for name in "abcd"]
    settings.ENCRYPTION_KEYS = [OLD, NEW]
    command = [sys.executable, "-c", WRITER]
    env = environment(DJANGO_SETTINGS_MODULE="hummbl.settings")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    with subprocess.Popen(
        command, cwd=django_settings.BASE_DIR, env=env, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "ready\n"
        while writer.poll() is None:
            rotate()
    assert writer.returncode == 0

    said = rotate()

    assert "4 stored secrets" in said
    assert "nothing left to re-encrypt, 0 unreadable" in said
    settings.ENCRYPTION_KEYS = [NEW]
    assert [secret_of(key) for key in keys] == [f"sk-{name}-00000019" for name in "abcd"]
