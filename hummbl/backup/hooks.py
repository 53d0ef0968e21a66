"""What the apps above have to say about backups, told from their `AppConfig.ready()`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final

from hummbl.backup.archive import Manifest

_left_out: Final[set[str]] = set()
_before: Final[dict[str, Callable[[], None]]] = {}
_during: Final[dict[str, Callable[[], AbstractContextManager[None]]]] = {}
_after: Final[dict[str, Callable[[Manifest], object]]] = {}


def leave_out(*labels: str) -> None:
    """No backup holds the rows of these models (`app.Model`), and a restore leaves none."""
    _left_out.update(label.lower() for label in labels)


def before_restore(name: str, refuse: Callable[[], None]) -> None:
    """Call `refuse` before rows are replaced, unless forced; it raises BackupError."""
    _before[name] = refuse


def during_restore(name: str, hold: Callable[[], AbstractContextManager[None]]) -> None:
    """Replace rows within `hold()`: for what this process itself would write meanwhile."""
    _during[name] = hold


def after_restore(name: str, act: Callable[[Manifest], object]) -> None:
    """Call `act` when all rows are there, before anybody else sees them."""
    _after[name] = act


def is_left_out(label: str) -> bool:
    """Whether backups go without that model."""
    return label.lower() in _left_out


def refuse_if_in_use() -> None:
    """Raises BackupError when somebody says that the database is in use."""
    for refuse in _before.values():
        refuse()


@contextmanager
def held() -> Iterator[None]:
    """Nothing of this process writes beside the restore."""
    with ExitStack() as stack:
        for hold in _during.values():
            stack.enter_context(hold())
        yield


def finish(manifest: Manifest) -> None:
    """Let the apps do what they do after a restore."""
    for act in _after.values():
        act(manifest)
