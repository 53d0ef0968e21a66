"""Moving every stored secret under the first of ENCRYPTION_KEYS, while the service runs.

Each row is written by itself and only if its ciphertext is still the one that was read. So a
secret that somebody changes meanwhile is neither lost nor overwritten, nobody waits for more than
one row, and a run that is cut off is simply started again.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from hummbl import encryption
from hummbl.encryption import DecryptionError
from hummbl.models import Encrypted

BATCH = 200
# Every look but the first follows a write of somebody else's: more than a few mean something else.
MOST_LOOKS = 20


@dataclass(slots=True)
class Rotation:
    """What was done, and what the last look at every secret found."""

    rotated: int = 0
    # Readable, and not under the first key.
    outdated: int = 0
    # A line for each that cannot be decrypted.
    unreadable: list[str] = field(default_factory=list)
    # How many are under the key of that id.
    uses: Counter[str] = field(default_factory=Counter)

    @property
    def seen(self) -> int:
        """How many secrets there are."""
        return self.uses.total()

    def look(self, *, rotate: bool = False) -> None:
        """Decrypt every secret, and with `rotate` encrypt those anew that are outdated."""
        self.outdated, self.unreadable, self.uses = 0, [], Counter()
        for secret in _secrets():
            self.uses[secret.key_id] += 1
            try:
                plaintext = encryption.decrypt(secret.blob, associated=secret.pk)
            except DecryptionError as error:
                self.unreadable.extend(secret.described(error))
                continue
            if encryption.needs_rotation(secret.blob):
                self.outdated += 1
                if rotate:
                    self.rotated += secret.replace(plaintext)

    def rotate(self) -> None:
        """Encrypt whatever is outdated anew, until a look at everything finds nothing to do.

        A secret that somebody changed meanwhile may be under an old key again.
        """
        for _ in range(MOST_LOOKS):
            self.look(rotate=True)
            if not self.outdated:
                break


@dataclass(frozen=True, slots=True)
class _Secret:
    """A column of a row, as it was read."""

    model: type[Encrypted]
    column: str
    pk: Any
    blob: bytes

    @property
    def key_id(self) -> str:
        return encryption.key_id_of(self.blob)

    def described(self, error: DecryptionError) -> list[str]:
        """What the operator reads of it; nothing when the row is gone by now."""
        rows = self.model._base_manager.filter(pk=self.pk)  # noqa: SLF001
        return [
            f"{row.secret_label}, id {row.pk}, encryption key {self.key_id}: {error.reason}"
            for row in rows
        ]

    def replace(self, plaintext: str) -> int:
        """Write it under the first key if it is still what was read; 1 if so, else 0."""
        unchanged = self.model._base_manager.filter(pk=self.pk, **{self.column: self.blob})  # noqa: SLF001
        return unchanged.update(**{self.column: encryption.encrypt(plaintext, associated=self.pk)})


def _secrets() -> Iterator[_Secret]:
    """Every secret that is stored; rows that are added meanwhile come at the end."""
    for model in apps.get_models():
        if not issubclass(model, Encrypted):
            continue
        for column in model.encrypted_columns:
            rows = model._base_manager.order_by("pk").values_list("pk", column)  # noqa: SLF001
            batch = list(rows[:BATCH])
            while batch:
                for pk, blob in batch:
                    if blob:
                        yield _Secret(model, column, pk, bytes(blob))
                batch = list(rows.filter(pk__gt=batch[-1][0])[:BATCH])
