from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rxws.terminal.scale import Scale, decimals_of, labelled, ticks

numbers = st.floats(-1e299, 1e299)


@given(numbers, numbers, st.integers(1, 60), st.integers(1, 4))
def test_the_highest_stands_at_the_top_and_the_lowest_at_the_bottom(a: float, b: float, rows: int, parts: int) -> None:
    """And nothing stands outside, whatever the range."""
    scale = Scale(min(a, b), max(a, b), rows)
    if scale.is_flat:
        assert scale.part(a, parts) == scale.part(b, parts) == (rows * parts - 1) // 2
    else:
        assert scale.part(scale.high, parts) == 0
        assert scale.part(scale.low, parts) == rows * parts - 1
    assert 0 <= scale.part((a + b) / 2, parts) < rows * parts


@given(numbers, numbers, st.integers(1, 30))
def test_ticks_are_round_and_few(a: float, b: float, most: int) -> None:
    """They lie within the range, and each is written as it is."""
    scale = Scale(min(a, b), max(a, b), 10)
    found, decimals = ticks(scale, most)
    room = (scale.high - scale.low) * 1e-6
    assert len(found) <= most + 2
    assert all(scale.low - room <= price <= scale.high + room for price in found)
    assert found == sorted(set(found))
    assert decimals >= 0


def test_a_range_of_prices_has_ticks() -> None:
    """From satoshis to large numbers."""
    assert ticks(Scale(0.3512, 0.3528, 12), 4) == ([0.3515, 0.352, 0.3525], 4)
    assert ticks(Scale(97_123.5, 98_777.0, 12), 4)[0] == [97_500, 98_000, 98_500]
    assert ticks(Scale(6.37e-6, 6.39e-6, 12), 2) == ([6.37e-6, 6.38e-6, 6.39e-6], 8)
    assert ticks(Scale(5.0, 5.0, 12), 4) == ([], 0)


def test_a_price_is_written_as_exactly_as_it_is() -> None:
    """But not as a float that has been calculated."""
    assert decimals_of([7.6, 7.612], 12) == 3
    assert decimals_of([0.1 + 0.2], 12) == 1
    assert decimals_of([1 / 3], 4) == 4
    assert labelled(0.3528, 6) == "0.352800"
    assert labelled(-0.0, 1) == "0.0"
