import threading
import time

import pytest
from django.conf import settings
from django.core.cache import cache as django_cache
from django.core.cache.backends import locmem

from hummbl import cache

HOUR = 3600


class Maker:
    """Counts how often it is asked."""

    def __init__(self, value=None):
        self.value = value
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.value


def test_a_value_is_made_once():
    make = Maker("hello")
    assert [cache.get_or_set("greeting", "en", HOUR, make) for _ in range(3)] == ["hello"] * 3
    assert make.calls == 1


@pytest.mark.parametrize("value", [None, "", 0, False, []])
def test_nothing_is_a_value_too(value):
    make = Maker(value)
    for _ in range(2):
        assert cache.get_or_set("empty", "key", HOUR, make) == value
    assert make.calls == 1


def test_keys_and_names_do_not_meet():
    made = {
        (name, key): cache.get_or_set(name, key, HOUR, lambda pair=(name, key): pair)
        for name in ("a", "a:b")
        for key in ("b:c", "c", "")
    }
    assert all(value == pair for pair, value in made.items())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x" * 100_000, "x" * 99_999 + "y"),
        ("two words\nand a line", "two words and a line"),
        ("\x00", "\x01"),
        ("ü", "u"),
        ("\ud800", "\ud801"),
    ],
)
def test_any_text_is_a_key(one, other):
    for key in (one, other):
        assert cache.get_or_set("texts", key, HOUR, lambda key=key: key) == key
    assert cache.get_or_set("texts", one, HOUR, Maker("made again")) == one


def test_what_fails_is_not_kept():
    def fail():
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        cache.get_or_set("frail", "key", HOUR, fail)
    assert cache.get_or_set("frail", "key", HOUR, Maker("now")) == "now"
    assert cache.stats() == {"frail": {"hits": 0, "misses": 2}}


def test_it_is_made_again_when_its_time_is_over(monkeypatch):
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    make = Maker("value")
    cache.get_or_set("short", "key", 60, make)
    now[0] += 59
    cache.get_or_set("short", "key", 60, make)
    assert make.calls == 1
    now[0] += 2
    cache.get_or_set("short", "key", 60, make)
    assert make.calls == 2


def test_changing_what_came_out_changes_nothing_inside():
    cache.get_or_set("lists", "key", HOUR, lambda: [1]).append(2)
    cache.get_or_set("lists", "key", HOUR, lambda: [9]).append(3)
    assert cache.get_or_set("lists", "key", HOUR, lambda: [9]) == [1]


def test_hits_and_misses_are_counted_by_name():
    for key in ("a", "b", "a"):
        cache.get_or_set("one", key, HOUR, Maker())
    cache.get_or_set("other", "a", HOUR, Maker())
    assert cache.stats() == {
        "one": {"hits": 1, "misses": 2},
        "other": {"hits": 0, "misses": 1},
    }


def test_no_count_is_lost_between_threads():
    cache.get_or_set("busy", "key", HOUR, Maker())

    def read():
        for _ in range(500):
            cache.get_or_set("busy", "key", HOUR, Maker())

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.stats() == {"busy": {"hits": 2000, "misses": 1}}


def test_clearing_forgets_values_and_counts():
    cache.get_or_set("short", "key", HOUR, Maker("old"))
    cache.clear()
    assert cache.stats() == {}
    assert cache.get_or_set("short", "key", HOUR, Maker("new")) == "new"


def test_however_many_values_there_are_only_so_many_are_kept():
    bound = settings.CACHES["default"]["OPTIONS"]["MAX_ENTRIES"]
    for number in range(10_000):
        cache.get_or_set("many", str(number), HOUR, lambda number=number: number)
    kept = locmem._caches[""]
    assert isinstance(django_cache._connections[django_cache._alias], locmem.LocMemCache)
    assert 0 < len(kept) <= bound
    assert len(locmem._expire_info[""]) == len(kept)
    assert cache.get_or_set("many", "9999", HOUR, Maker("gone")) == 9999
