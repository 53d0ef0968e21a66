"""Quantiles of sketches against exact ones."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from observability import sketch
from observability.buffer import Cell
from observability.series import Summary

# What the documentation promises, with the last digits of floating point.
BOUND = 0.011
SHARES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1.0)

numbers = st.one_of(
    st.floats(min_value=1e-9, max_value=1e12),
    st.floats(min_value=-1e12, max_value=-1e-9),
    st.just(0.0),
    st.integers(min_value=-1000, max_value=1000).map(float),
    st.integers(min_value=-59, max_value=59).map(lambda power: 2.0**power),
)
samples = st.lists(numbers, min_size=1, max_size=200)


def exact(values, share):
    return sorted(values)[int(share * (len(values) - 1))]


def assert_close(found, values):
    for share, estimate in zip(SHARES, found, strict=True):
        true = exact(values, share)
        assert abs(estimate - true) <= BOUND * abs(true), (share, estimate, true)


@given(samples)
def test_quantiles_are_within_the_bound(values):
    assert_close(sketch.quantiles([sketch.pack(sketch.of(values))], SHARES), values)


@given(st.lists(samples, min_size=1, max_size=6))
def test_merging_changes_nothing(parts):
    whole = {}
    for part in parts:
        sketch.merge(whole, sketch.of(part))
    values = [value for part in parts for value in part]
    assert whole == sketch.of(values)
    assert_close(sketch.quantiles([sketch.pack(whole)], SHARES), values)


@given(st.dictionaries(st.integers(-6100, 6100), st.integers(1, 1 << 40), max_size=300))
def test_packing_changes_nothing(whole):
    packed = sketch.pack(whole)
    assert sketch.unpack(packed) == whole
    assert list(sketch.unpack(packed)) == sorted(whole)


@given(samples, samples)
def test_taking_away_what_was_added(one, other):
    whole = sketch.of(one)
    sketch.merge(whole, sketch.of(other))
    assert sketch.without(whole, sketch.of(other)) == sketch.of(one)


@given(st.lists(samples, min_size=1, max_size=5))
def test_a_summary_of_packed_parts(parts):
    """As they are read: each packed, from several rows, and clamped to what occurred."""
    summary = Summary()
    for part in parts:
        packed = sketch.pack(sketch.of(part))
        summary.add(len(part), math.fsum(part), min(part), max(part), packed)
    values = [value for part in parts for value in part]
    assert_close([summary.percentile(share) for share in SHARES], values)
    assert summary.percentile(0.0) >= min(values)
    assert summary.percentile(1.0) <= max(values)
    assert summary.sketch == sketch.of(values)


@given(st.lists(samples, min_size=2, max_size=5))
def test_cells_gather_and_add_up(parts):
    whole = Cell()
    for part in parts:
        cell = Cell()
        cell.extend(part[:1], sketched=True)
        cell.extend(part[1:], sketched=True)
        whole.add(cell)
    values = [value for part in parts for value in part]
    assert (whole.count, whole.min, whole.max) == (len(values), min(values), max(values))
    assert whole.sum == pytest.approx(math.fsum(values), rel=1e-9, abs=1e-3)
    assert whole.sketch == sketch.of(values)


@given(numbers)
def test_a_value_and_its_bucket(value):
    key = sketch.key_of(value)
    assert abs(sketch.value_of(key) - value) <= BOUND * abs(value)
    assert sketch.key_of(-value) == -key
    assert sketch.of([value]) == {key: 1}


@given(numbers, numbers)
def test_keys_are_in_the_order_of_values(one, other):
    assume(one <= other)
    assert sketch.key_of(one) <= sketch.key_of(other)


def test_powers_of_two_end_a_bucket():
    """The bounds that Prometheus is shown are exact."""
    for power in range(-59, 60):
        edge = sketch.key_of(2.0**power)
        assert edge == sketch.OFFSET + 32 * power
        assert sketch.key_of(math.nextafter(2.0**power, 0)) in {edge, edge - 1}
        assert sketch.key_of(2.0**power * (1 + 1e-12)) == edge + 1


@given(
    st.lists(
        st.dictionaries(st.integers(4000, 4040), st.integers(1, 1 << 33), min_size=1),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_dense_sketches_of_all_widths_add_up(parts, sparse_too):
    """What lies close together is packed and added in another way, with the same result."""
    if sparse_too:
        parts.append({-6000: 1, 0: 2, 6000: 70_000})
    whole = {}
    for part in parts:
        sketch.merge(whole, part)
    found = sketch.quantiles([sketch.pack(part) for part in parts], SHARES)
    expected = sketch.quantiles([sketch.pack(whole)], SHARES)
    assert found == expected


@pytest.mark.parametrize("value", [1e-30, 5e-324, -1e-30])
def test_what_is_hardly_anything_is_zero(value):
    assert sketch.key_of(value) == 0


def test_what_is_enormous_is_the_most():
    assert sketch.of([1e30, 1e300, 2.0**60]) == {sketch.key_of(sketch.MOST): 3}


def test_the_documented_error():
    assert pytest.approx(0.01083, abs=1e-5) == sketch.ERROR
