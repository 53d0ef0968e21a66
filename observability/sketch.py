"""A histogram that can be merged: quantiles of any values, wrong by 1.1 % at most.

A positive value v is counted in the bucket i = ceil(log_γ v) with γ = 2^(1/32), which holds
γ^(i-1) < v ≤ γ^i: the buckets of Prometheus' native histograms of schema 5. For a bucket stands
2γ^i/(γ+1), at most (γ-1)/(γ+1) = 1.083 % from all values in it. Negative values have
buckets of their own, and so has zero. Source: DDSketch (Masson, Rim, Lee, VLDB 2019).

A sketch is a plain dict of counts by key; keys grow with the values: 0 is zero, `OFFSET + i` a
positive bucket, and a negative value has the negated key of its positive twin.
"""

import math
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate, chain, repeat
from operator import sub
from typing import Final

GAMMA: Final = 2 ** (1 / 32)
ERROR: Final = (GAMMA - 1) / (GAMMA + 1)
OFFSET: Final = 4096
# |values| below the least are zero, those above the most are counted as the most.
LEAST: Final = 2.0**-60
MOST: Final = 2.0**60

Sketch = dict[int, int]
# Keys in order, and for each how many values have it or one before it.
Arrays = tuple[Sequence[int], Sequence[int]]

_MIDDLE: Final = 2 / (GAMMA + 1)
_CODES: Final = {2: "H", 4: "I", 8: "Q"}
_DENSE: Final = 16
_BIG: Final = sys.byteorder == "big"


def key_of(value: float) -> int:
    """The bucket of a finite value."""
    size = abs(value)
    if size < LEAST:
        return 0
    # log2 is exact at powers of two, which Prometheus is shown as bounds.
    key = OFFSET + math.ceil(32 * math.log2(min(size, MOST)))
    return key if value > 0 else -key


@cache  # there are not 8,000 keys
def value_of(key: int) -> float:
    """What stands for the values of a bucket."""
    if key == 0:
        return 0.0
    value = _MIDDLE * 2 ** ((abs(key) - OFFSET) / 32)
    return value if key > 0 else -value


def of(values: Iterable[float]) -> Counter[int]:
    """The sketch of these values."""
    return Counter(keys_of(list(values)))


def keys_of(values: Sequence[float]) -> list[int]:
    """The buckets of finite values."""
    if values and min(values) >= LEAST and max(values) <= MOST:
        # What nearly all are, without a call for each: `key_of` in a line.
        log2, ceil = math.log2, math.ceil
        return [OFFSET + ceil(32 * log2(value)) for value in values]
    return [key_of(value) for value in values]


def merge(into: Sketch, other: Mapping[int, int]) -> None:
    """Add the counts of another sketch."""
    for key, count in other.items():
        into[key] = into.get(key, 0) + count


def without(sketch: Mapping[int, int], part: Mapping[int, int]) -> Sketch:
    """What is left of a sketch when a part of it is taken away."""
    left = {key: count - part.get(key, 0) for key, count in sketch.items()}
    return {key: count for key, count in left.items() if count > 0}


def quantiles(packed: Sequence[bytes], shares: Iterable[float]) -> list[float]:
    """The values below which these shares (0 to 1) of packed sketches together lie: of n in order
    those at floor(share * (n-1)). There is at least one sketch, and none is empty.
    """
    keys, totals = _arrays(packed[0] if len(packed) == 1 else add_up(packed))
    last = totals[-1] - 1
    return [value_of(keys[bisect_left(totals, int(share * last) + 1)]) for share in shares]


def at_most(packed: Sequence[bytes], keys: Sequence[int]) -> list[int]:
    """How many values of packed sketches together have each of these keys or one before it."""
    if not packed:
        return [0] * len(keys)
    known, totals = _arrays(packed[0] if len(packed) == 1 else add_up(packed))
    places = [bisect_right(known, key) for key in keys]
    return [totals[place - 1] if place else 0 for place in places]


def add_up(packed: Sequence[bytes]) -> bytes:
    """Packed sketches, none of them empty, as one."""
    dense = [data for data in packed if data[0] & _DENSE]
    sparse = [data for data in packed if not data[0] & _DENSE]
    if not sparse:
        return _add_up(dense)
    merged = unpack(_add_up(dense)) if dense else {}
    for data in sparse:
        merge(merged, unpack(data))
    return pack(merged)


def _add_up(packed: Sequence[bytes]) -> bytes:
    """The same of dense sketches.

    Their totals, side by side, are the digits of a number: one addition adds all of them, where a
    dictionary would be asked a hundred times.
    """
    firsts = [int.from_bytes(data[1:3], "little", signed=True) for data in packed]
    # No total is more than the last.
    width = _width(sum(_count(data) for data in packed))
    digits = [_widened(data[3:], data[0] ^ _DENSE, width) for data in packed]
    base = min(firsts)
    ends = [first + len(each) // width for first, each in zip(firsts, digits, strict=True)]
    end, whole = max(ends), 0
    for first, each, over in zip(firsts, digits, ends, strict=True):
        # Beyond its last key all of a sketch's values lie below.
        longer = each + each[-width:] * (end - over)
        whole += int.from_bytes(longer, "little") << 8 * width * (first - base)
    head = bytes([width | _DENSE]) + base.to_bytes(2, "little", signed=True)
    return head + whole.to_bytes(width * (end - base), "little")


def _widened(data: bytes, width: int, wanted: int) -> bytes | bytearray:
    """Little-endian numbers of so many bytes, in more bytes each."""
    if width == wanted:
        return data
    wide = bytearray(len(data) // width * wanted)
    for place in range(width):
        wide[place::wanted] = data[place::width]
    return wide


def pack(sketch: Mapping[int, int]) -> bytes:
    """The sketch as bytes: the width of its totals in bytes, then the keys in order, then totals.

    A total is the count of a key and all before it, so that who reads need not add. Where the keys
    lie close together, as mostly, `_DENSE` is added to the width, and there is only the first key:
    the others follow one by one, some with a count of 0.
    """
    keys = sorted(sketch)
    width = _width(sum(sketch.values()))
    code = _CODES[width]
    span = keys[-1] - keys[0] + 1 if keys else 0
    # Dense is read faster, so it may be twice as long.
    is_dense = 0 < span * width <= 2 * len(keys) * (2 + width)
    every: Sequence[int] = range(keys[0], keys[-1] + 1) if is_dense else keys
    totals = array(code, accumulate(map(sketch.get, every, repeat(0))))
    head = bytes([width | _DENSE if is_dense else width])
    return head + _little(array("h", keys[:1] if is_dense else keys)) + _little(totals)


def unpack(data: bytes) -> Sketch:
    """The sketch of these bytes."""
    keys, totals = _arrays(data)
    counts = map(sub, totals, chain((0,), totals))
    return {key: count for key, count in zip(keys, counts, strict=True) if count}


def _arrays(data: bytes) -> Arrays:
    """The keys in order, of which some may have no values, and the totals."""
    width = data[0]
    if width & _DENSE:
        totals = _numbers(data[3:], width ^ _DENSE)
        first = data[1] | data[2] << 8
        if first >> 15:
            first -= 1 << 16
        return range(first, first + len(totals)), totals
    end = 1 + (len(data) - 1) // (2 + width) * 2
    keys = array("h", data[1:end])
    if _BIG:
        keys.byteswap()
    return keys, _numbers(data[end:], width)


def _count(data: bytes) -> int:
    """How many values a dense sketch has."""
    return int.from_bytes(data[-(data[0] ^ _DENSE) :], "little")


def _numbers(data: bytes, width: int) -> "array[int]":
    numbers = array(_CODES[width], data)
    if _BIG:
        numbers.byteswap()
    return numbers


def _width(count: int) -> int:
    """How many bytes hold this count."""
    return 2 if count < 1 << 16 else 4 if count < 1 << 32 else 8


def _little(numbers: "array[int]") -> bytes:
    if _BIG:
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()
