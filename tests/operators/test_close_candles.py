"""Candles of venues that do not say so are closed by the next one, or some seconds after their end."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as ops

from rxws.errors import ConfigError, ConnectionClosed
from rxws.events import ConnectionState
from rxws.market import Candle
from rxws.operators import close_candles, closed_kline
from tests.operators.hand import Hand, closed, opened
from tests.operators.seen import COMPLETED, Seen

SECOND = 1_000_000_000


def candle(minute: int, price: int = 1, says: bool | None = None, symbol: str = "BTC", interval: str = "1m") -> Candle:
    """Return the state of the candle of a minute."""
    at = Decimal(price)
    return Candle(
        venue="deribit",
        symbol=symbol,
        interval=interval,
        open_ns=minute * 60 * SECOND,
        close_ns=(minute + 1) * 60 * SECOND,
        open=Decimal(1),
        high=at,
        low=at,
        close=at,
        volume=at,
        closed=says,
        time_ns=minute * 60 * SECOND,
    )


def hand(grace: float | None = 2.0, **options: Any) -> Hand:
    """Return a source of candles."""
    return Hand(close_candles(grace, **options))


def told(fed: Hand) -> list[Any]:
    """When, which minute, at what price, closed or not; or what else passed."""
    return [
        (at, each.open_ns // (60 * SECOND), int(each.close), each.closed) if isinstance(each, Candle) else (at, each)
        for at, each in fed.messages
    ]


def test_a_candle_grows_and_is_closed_by_the_next() -> None:
    """Before that one, in its last state, once."""
    fed = hand().at(1.0, candle(0, 1)).at(30.0, candle(0, 2)).at(60.5, candle(1, 3)).at(61.0, candle(1, 4))
    assert told(fed) == [
        (1.0, 0, 1, False),
        (30.0, 0, 2, False),
        (60.5, 0, 2, True),
        (60.5, 1, 3, False),
        (61.0, 1, 4, False),
    ]


def test_without_a_next_one_it_is_closed_some_seconds_after_its_end() -> None:
    """Once; and the next one is then no news of it."""
    fed = hand().at(1.0, candle(0, 1)).at(100.0, candle(1, 2)).at(500.0)
    assert told(fed) == [(1.0, 0, 1, False), (62.0, 0, 1, True), (100.0, 1, 2, False), (122.0, 1, 2, True)]
    assert fed.timers == 0


def test_grace_may_be_none_or_nothing() -> None:
    """None waits for the next candle, however long."""
    fed = hand(None).at(1.0, candle(0)).at(5_000.0)
    assert (told(fed), fed.timers) == ([(1.0, 0, 1, False)], 0)
    assert told(fed.at(5_000.0, candle(80)))[1:] == [(5_000.0, 0, 1, True), (5_000.0, 80, 1, False)]
    assert told(hand(0).at(1.0, candle(0)).at(500.0)) == [(1.0, 0, 1, False), (60.0, 0, 1, True)]


def test_the_rest_of_a_candle_stays_as_it_was() -> None:
    """Only the flag is another."""
    [_, last] = hand().at(1.0, candle(0, 5)).at(500.0).values
    assert last == candle(0, 5, says=True)


def test_each_series_is_closed_by_itself() -> None:
    """One venue, symbol and interval each."""
    fed = hand().at(1.0, candle(0, symbol="A"), candle(0, symbol="B"), candle(0, interval="1h")).at(60.5)
    fed.at(60.5, candle(1, symbol="A"))
    now = [(each.symbol, each.interval, each.closed) for each in fed.values[3:]]
    assert now == [("A", "1m", True), ("A", "1m", False)]
    assert [each.closed for each in fed.at(62.0).values[5:]] == [True, True]
    assert fed.timers == 1


def test_a_candle_that_says_so_passes_as_it_is() -> None:
    """Closed or growing; nothing is made of it."""
    fed = hand().at(1.0, candle(0, says=False)).at(500.0, candle(0, says=True), candle(1, says=False)).at(900.0)
    assert told(fed) == [(1.0, 0, 1, False), (500.0, 0, 1, True), (500.0, 1, 1, False)]
    assert fed.timers == 0


def test_where_the_venue_says_it_after_all_that_is_its_end() -> None:
    """Of the one that grows, and of an earlier one; none is closed twice."""
    fed = hand(late=bool).at(1.0, candle(0, 1), candle(0, 2, says=True), candle(0, 3)).at(59.0, candle(1, 4)).at(60.0)
    assert told(fed) == [(1.0, 0, 1, False), (1.0, 0, 2, True), (59.0, 1, 4, False)]
    fed.at(61.0, candle(2, 5, says=True)).at(500.0)
    assert told(fed)[3:] == [(61.0, 1, 4, True), (61.0, 2, 5, True)]
    fed = hand(late=bool).at(61.0, candle(1, 4), candle(0, 2, says=True)).at(500.0)
    assert told(fed) == [(61.0, 1, 4, False), (61.0, 0, 2, True), (122.0, 1, 4, True)]


def test_what_is_no_candle_passes() -> None:
    """Whatever it is."""
    assert hand().at(1.0, {"e": "kline"}, None, opened()).values == [{"e": "kline"}, None, opened()]


def test_closed_kline_behind_it_passes_each_candle_once() -> None:
    """Which is what it is for."""
    fed = Hand(lambda _: lambda source: source.pipe(close_candles(), closed_kline))
    fed.at(1.0, candle(0, 1), candle(0, 2)).at(60.5, candle(1, 3)).at(500.0)
    assert told(fed) == [(60.5, 0, 2, True), (122.0, 1, 3, True)]


# Too late


def test_a_closed_candle_stays_closed() -> None:
    """What comes for it, or for an earlier one, does not pass, and is told."""
    late: list[Candle] = []
    fed = hand(late=late.append).at(61.0, candle(1, 1)).at(200.0, candle(1, 9), candle(0, 9), candle(3, 2))
    fed.at(200.0, candle(2, 9), candle(1, 9))
    assert told(fed) == [(61.0, 1, 1, False), (122.0, 1, 1, True), (200.0, 3, 2, False)]
    assert late == [candle(1, 9), candle(0, 9), candle(2, 9), candle(1, 9)]


def test_without_anybody_who_is_told_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    """Once a minute, escaped: the symbol is the venue's word."""
    hand().at(1.0, candle(0, symbol="\x1b[2J")).at(63.0, *3 * [candle(0, symbol="\x1b[2J")])
    assert [each.getMessage() for each in caplog.records] == [
        "'deribit': a candle of '\\x1b[2J', interval '1m', came after it was closed"
    ]


def test_what_late_raises_is_the_results_error() -> None:
    """Nothing is left behind."""
    fed = hand(late=lambda candle: candle.nothing).at(1.0, candle(0), candle(9, symbol="B")).at(63.0)
    fed.on_seen = lambda error: left.append(fed.is_left)
    left: list[bool] = []
    fed.at(63.0, candle(0))
    assert left == [True]  # before anybody hears of it
    assert isinstance(fed.values[-1], AttributeError)
    assert fed.is_left


# Lost connections


def test_a_lost_connection_closes_nothing() -> None:
    """Nor does the time; the candle that comes again is whole, and then it is closed by the time that it is."""
    fed = hand().at(50.0, candle(0, 1)).at(55.0, closed()).at(100.0)
    assert told(fed)[1:] == [(55.0, closed())]
    fed.at(100.0, candle(0, 7)).at(101.0)
    assert [each[1:] for each in told(fed)[2:]] == [(0, 7, False), (0, 7, True)]


def test_a_candle_that_comes_again_before_its_end_is_whole() -> None:
    """As if nothing had happened."""
    fed = hand().at(20.0, candle(0, 1)).at(25.0, closed()).at(40.0, candle(0, 3)).at(500.0)
    assert told(fed)[2:] == [(40.0, 0, 3, False), (62.0, 0, 3, True)]
    fed = hand().at(20.0, candle(0, 1)).at(25.0, closed()).at(40.0, candle(0, 3)).at(60.5, candle(1))
    assert told(fed)[3:] == [(60.5, 0, 3, True), (60.5, 1, 1, False)]


def test_whether_a_candle_was_whole_that_is_over_when_the_connection_is_back_nobody_knows() -> None:
    """It is said to be over with None, which closed_kline does not pass; the next one is as good as any."""
    fed = hand().at(50.0, candle(0, 1)).at(55.0, closed()).at(70.0, opened(), candle(1, 2)).at(500.0)
    assert told(fed)[3:] == [(70.0, 0, 1, None), (70.0, 1, 2, False), (122.0, 1, 2, True)]
    fed = hand().at(50.0, candle(0, 1)).at(55.0, closed()).at(70.0, candle(1, 2, says=True)).at(500.0)
    assert told(fed)[2:] == [(70.0, 0, 1, None), (70.0, 1, 2, True)]


def test_the_end_of_a_rotation_s_next_connection_is_no_loss() -> None:
    """The old one goes on."""
    kept = closed(ConnectionState.CONNECTED)
    fed = hand().at(50.0, candle(0, 1)).at(55.0, kept).at(500.0)
    assert told(fed)[1:] == [(55.0, kept), (62.0, 0, 1, True)]


# The clock


def test_the_wall_clock_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be set, and a machine may sleep: a minute later at most that is noticed; set back, it is waited for."""
    module = sys.modules["rxws.operators._closing"]
    wall = {"ahead": 0}
    monkeypatch.setattr(module, "wall_time_ns", lambda on: round(on.clock * SECOND) + wall["ahead"])
    fed = hand().at(1.0, candle(0), candle(60, symbol="B"))
    wall["ahead"] = -20 * SECOND
    fed.at(500.0)
    assert told(fed)[2:] == [(82.0, 0, 1, True)]
    wall["ahead"] = 3_600 * SECOND
    assert 0.0 < told(fed.at(600.0))[3][0] - 500.0 <= 60.0
    assert fed.timers == 0


def test_what_had_arrived_before_a_busy_loop_went_on_is_read_first() -> None:
    """Its timer fires before the socket is read."""
    fed = hand().at(50.0, candle(0, 1))
    fed.virtual.schedule_absolute(62.0, lambda *_: fed.virtual.schedule(lambda *_: fed.source.on_next(candle(0, 2))))
    fed.at(500.0)
    assert [each[1:] for each in told(fed)] == [(0, 1, False), (0, 2, False), (0, 2, True)]


def test_as_long_as_something_is_read_it_goes_on_reading() -> None:
    """Whatever it is: what closes the candle, or is its last state, may stand behind it."""
    fed, reads = hand().at(50.0, candle(0, 1)), list[int]()

    def read(*_: object) -> None:
        reads.append(1)
        fed.source.on_next(candle(0, 2) if len(reads) == 10 else "something")
        if len(reads) < 10:
            fed.virtual.schedule(read)

    fed.virtual.schedule_absolute(62.0, read)
    fed.at(500.0)
    assert [each[1:] for each in told(fed) if len(each) > 2] == [(0, 1, False), (0, 2, False), (0, 2, True)]


def test_history_is_closed_candle_by_candle() -> None:
    """The last of it at once, where it is over."""
    fed = hand()
    fed.virtual.advance_to(1_000.0)
    fed.at(1_000.0, candle(0), candle(1), candle(3)).at(1_001.0)
    assert [each[1:] for each in told(fed)] == [
        (0, 1, False),
        (0, 1, True),
        (1, 1, False),
        (1, 1, True),
        (3, 1, False),
        (3, 1, True),
    ]


def test_one_timer_is_for_the_soonest_of_all() -> None:
    """Also of one that comes later and ends sooner."""
    fed = hand().at(1.0, candle(4, symbol="A"), candle(0, symbol="B")).at(500.0)
    assert [(at, each.symbol) for at, each in fed.messages if each.closed] == [(62.0, "B"), (302.0, "A")]


# What all operators keep


def test_at_the_end_nothing_is_closed() -> None:
    """Nobody knows how the candle ended; no timer is left."""
    fed = hand().at(1.0, candle(0)).ends()
    assert (told(fed)[1:], fed.is_left) == ([(1.0, COMPLETED)], True)
    error = ConnectionClosed(1006)
    fed = hand().at(1.0, candle(0)).ends(error)
    assert (told(fed)[1:], fed.is_left) == ([(1.0, error)], True)


def test_who_leaves_gets_nothing_more() -> None:
    """Also at a candle that is closed with others, or by the next one."""
    fed = hand().at(1.0, candle(0, symbol="A"), candle(0, symbol="B"))
    fed.on_seen = lambda value: fed.seen.dispose()
    assert ([each.closed for each in fed.at(500.0).values], fed.is_left) == ([False, False, True], True)
    fed = Hand(lambda _: lambda source: source.pipe(close_candles(), ops.take(2)))
    fed.at(1.0, candle(0), candle(1))
    assert (told(fed)[1:], fed.is_left) == ([(1.0, 0, 1, True), (1.0, COMPLETED)], True)


def test_what_the_subscriber_raises_at_a_timers_candle_ends_it() -> None:
    """It is reported."""
    fed = hand().at(1.0, candle(0), candle(9, symbol="B"))
    fed.on_seen = lambda value: value.nothing
    with pytest.raises(AttributeError):
        fed.at(500.0)
    assert fed.is_left


def test_two_subscribers_are_independent() -> None:
    """Each has its own candles."""
    fed = hand().at(1.0, candle(0))
    second = Seen(fed.virtual, fed.stream)
    fed.at(2.0, candle(1)).at(500.0)
    assert [each.closed for each in fed.values] == [False, True, False, True]
    assert [each.closed for each in second.values] == [False, True]


def test_of_too_many_series_the_one_that_moved_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had is said to be unknown."""
    monkeypatch.setattr(sys.modules["rxws.operators._closing"], "MOST", 2)
    fed = hand().at(1.0, candle(0, symbol="A"), candle(0, symbol="B"), candle(0, symbol="A"), candle(0, symbol="C"))
    assert [(each.symbol, each.closed) for each in fed.values[3:]] == [("B", None), ("C", False)]
    assert [each.symbol for each in fed.at(500.0).values[5:]] == ["A", "C"]
    assert [each.symbol for each in fed.at(500.0, candle(9, symbol="D")).values[7:]] == ["D"]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-1, 1)), max_size=40))
def test_no_candle_is_closed_twice_or_grows_again(steps: list[tuple[int, int]]) -> None:
    """In the order of their beginnings, and the last state is the one that is closed."""
    fed, now = hand(late=bool), 0.0
    for price, (wait, off) in enumerate(steps):
        now += wait
        fed.at(now, candle(max(0, int(now // 60) + off), price))
    fed.at(now + 1_000.0)
    candles = [each for each in fed.values if isinstance(each, Candle)]
    begins = [each.open_ns for each in candles]
    assert begins == sorted(begins)
    ends = [each.open_ns for each in candles if each.closed]
    assert ends == sorted(set(begins))
    for each in candles:
        if each.closed:
            assert [other.close for other in candles if other.open_ns == each.open_ns][-1] == each.close
            assert [other.closed for other in candles if other.open_ns == each.open_ns][-1] is True
    assert fed.timers == 0


@pytest.mark.parametrize(("arguments", "field"), [({"grace": -1.0}, "grace"), ({"late": 5}, "late")])
def test_a_wrong_argument_is_named(arguments: Any, field: str) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError) as caught:
        close_candles(**arguments)
    assert caught.value.field == field
