"""The garbage collector of long-lived processes."""

import gc
import weakref

import pytest

from hummbl import garbage


class Circle:
    """What only the collector can free."""

    itself = None


@pytest.fixture
def collector():
    """As it was, afterwards."""
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_is_loaded_is_left_alone(collector):
    loaded = [[]]
    garbage.settle()
    assert gc.get_freeze_count() > 0
    assert not any(each is loaded for each in gc.get_objects())


def test_what_comes_later_is_still_collected(collector):
    garbage.settle()
    later = Circle()
    later.itself = later
    gone = weakref.ref(later)
    del later
    gc.collect()
    assert gone() is None
