from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rxws.live.bars import Bar
from rxws.live.candles import Candles


def bar(opened: int, close: float = 1.0) -> Bar:
    """A candle of which only this matters."""
    return Bar(opened, 1.0, 2.0, 0.5, close, 0.0, "", "")


@given(
    st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 30), st.floats(0, 9))), max_size=60),
    st.integers(1, 12),
)
def test_what_is_told_as_changed_makes_the_same_candles(steps: list[tuple[int, float] | None], bound: int) -> None:
    """Whoever puts in what has changed, and keeps as many, has them all, in time, each as it was last told."""
    candles, copy, told = Candles(bound), dict[int, Bar](), dict[int, float]()
    taken = 0
    for step in [*steps, None]:
        if step is None:
            copy |= {each.open_ns: each for each in candles.changed()}
            copy = dict(sorted(copy.items())[-bound:])
            assert list(copy.values()) == candles.bars()
            continue
        late = candles.late
        candles.take(bar(*step))
        taken += 1
        if candles.late == late:
            told[step[0]] = step[1]
    assert len(candles) <= bound
    assert [(each.open_ns, each.close) for each in candles.bars()] == sorted(told.items())[-bound:]
    assert not candles.changed()


def test_one_that_is_older_than_all_is_counted_where_there_is_no_room() -> None:
    """With room it is put in its place."""
    candles = Candles(2)
    for opened in (5, 3, 4, 1):
        candles.take(bar(opened))
    assert [each.open_ns for each in candles.bars()] == [4, 5]
    assert candles.late == 1


def test_span_and_newest() -> None:
    """Of all that are kept."""
    candles = Candles(2)
    assert (candles.span(), candles.newest()) == (None, None)
    for opened, low, high in ((1, 0.1, 90.0), (2, 3.0, 5.0), (3, 2.0, 4.0)):
        candles.take(Bar(opened, 3.0, high, low, 3.5, 0.0, "", ""))
    assert candles.span() == (2.0, 5.0)
    assert candles.newest() == candles.bars()[-1]
