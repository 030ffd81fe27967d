from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.errors import WrongShape
from rxws.live.bars import Bar, bar_of, instant_ns, number
from rxws.market import Candle

KLINE = {"t": 60_000, "s": "BTCUSDT", "i": "1m", "o": "1.5", "h": "3.0", "l": "1.0", "c": "2.0", "v": "9.0", "x": False}
BAR = Bar(60_000_000_000, 1.5, 3.0, 1.0, 2.0, 9.0, "BTCUSDT", "1m")


class K(msgspec.Struct):
    """What a typed program decodes."""

    t: int
    s: str
    i: str
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741  # Binance's name
    c: Decimal
    v: Decimal


class Kline(msgspec.Struct):
    e: str
    k: K


TYPED = msgspec.convert({"e": "kline", "k": KLINE}, Kline, strict=False)
CANDLE = Candle(
    venue="binance",
    symbol="BTCUSDT",
    interval="1m",
    open_ns=60_000_000_000,
    close_ns=120_000_000_000,
    open=Decimal("1.5"),
    high=Decimal(3),
    low=Decimal(1),
    close=Decimal(2),
    volume=Decimal(9),
    closed=False,
    time_ns=61_000_000_000,
    arrival_ns=61_000_000_000,
)


@pytest.mark.parametrize(
    "value",
    [
        {"e": "kline", "k": KLINE},
        {"stream": "btcusdt@kline_1m", "data": {"e": "kline", "k": KLINE}},
        {"exchange": "spot", "data": TYPED},
        TYPED,
        SimpleNamespace(e="kline", k=SimpleNamespace(**KLINE)),
        CANDLE,
    ],
    ids=["bare", "combined", "typed in a dict", "typed", "an object", "a Candle"],
)
def test_a_kline_is_taken_as_it_is(value: object) -> None:
    """Every shape that `filter_kline` passes."""
    assert bar_of(value) == (BAR._replace(venue="binance") if value is CANDLE else BAR)


@pytest.mark.parametrize("field", ["t", "o", "h", "l", "c"])
def test_a_missing_field_is_named_and_the_value_shown(field: str) -> None:
    """So that the mistake can be seen without a debugger."""
    kline = {name: value for name, value in KLINE.items() if name != field}
    with pytest.raises(WrongShape) as raised:
        bar_of({"e": "kline", "k": kline})
    assert raised.value.field == f"k.{field}"
    assert f"k.{field} is missing in {{'e': 'kline', 'k': {{" in str(raised.value)
    assert "candle=" in str(raised.value)


@pytest.mark.parametrize("value", [{"e": "trade", "p": "1"}, {"data": {"e": "trade"}}, 3.5, None, "text", []])
def test_what_is_no_kline_says_so(value: object) -> None:
    """A trade, a number, and whatever else a stream may bring by mistake."""
    with pytest.raises(WrongShape, match="kline") as raised:
        bar_of(value)
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("wrong", ["", "abc", None, True, [1]])
def test_a_price_that_is_no_number_says_so(wrong: object) -> None:
    """Also True, which Python would take for 1."""
    with pytest.raises(WrongShape, match=r"k\.h is no number"):
        bar_of({"k": {**KLINE, "h": wrong}})


def test_anything_else_comes_through_candle() -> None:
    """A tuple with and without a volume, or a `Candle`."""
    row = ("60000", "1.5", Decimal(3), 1, 2.0, 9)
    assert bar_of(row, lambda value: value) == BAR._replace(symbol="", interval="")
    assert bar_of(row, lambda value: value[:5]).volume == 0.0
    assert bar_of("any", lambda _: CANDLE) == BAR._replace(venue="binance")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ((60_000, 1, 2, 3), "has 4 of 5 fields"),
        ((60_000, 1, 2, 3, 4, 5, 6), "has 7 of 5 fields"),
        ({"o": 1}, "is a dict"),
        (None, "is a NoneType"),
        ((60_000, 1, "high", 3, 4), "high is no number"),
        (("then", 1, 2, 3, 4), "opened is no number"),
        ((datetime(2026, 1, 1), 1, 2, 3, 4), "opened has no time zone"),  # noqa: DTZ001  # that is the mistake
        ((float("nan"), 1, 2, 3, 4), "opened is no instant"),
    ],
)
def test_what_candle_returned_is_checked_too(made: object, words: str) -> None:
    """It names what is wrong with it."""
    with pytest.raises(WrongShape, match=words):
        bar_of("any", lambda _: made)  # type: ignore[arg-type,return-value]


def test_what_candle_raises_is_not_hidden() -> None:
    """It is the user's own mistake, with the user's own traceback."""
    with pytest.raises(ZeroDivisionError):
        bar_of(1, lambda value: (value / 0, 1, 2, 3, 4))


@given(st.datetimes(datetime(2001, 9, 10), datetime(2200, 1, 1)))  # noqa: DTZ001  # hypothesis takes naive bounds
def test_an_instant_is_the_same_however_it_is_written(naive: datetime) -> None:
    """Milliseconds, nanoseconds and datetimes mean the same, to the microsecond."""
    when = naive.replace(tzinfo=UTC)
    microseconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert instant_ns(when, "t", None) == microseconds * 1_000
    assert instant_ns(microseconds * 1_000, "t", None) == microseconds * 1_000
    assert instant_ns(microseconds // 1_000, "t", None) == microseconds // 1_000 * 1_000_000


@pytest.mark.parametrize("value", [1_783_468_800_000, 1_783_468_800_000_000, 1_783_468_800_000_000_000])
def test_an_instant_in_milli_micro_or_nanoseconds_is_the_same(value: int) -> None:
    """Venues write all three."""
    assert instant_ns(value, "t", {}) == 1_783_468_800_000_000_000


@pytest.mark.parametrize(
    "value", [-(10**14), 10**30, datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)]
)
def test_an_instant_that_no_calendar_has_is_refused(value: object) -> None:
    """An axis could not label it."""
    with pytest.raises(WrongShape, match="not within the years 2 to 9998"):
        instant_ns(value, "t", {})


def test_a_time_in_words_says_what_a_time_is() -> None:
    """And a price what a price is: not how candles are made."""
    with pytest.raises(WrongShape, match="aware datetime, or milli-"):
        instant_ns("2026-01-01", "t", {})
    with pytest.raises(WrongShape, match="take an int, a float"):
        number(None, "open", {})
