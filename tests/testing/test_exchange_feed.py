"""The market of the simulated exchange: recorded, endless, live."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from rxws.errors import ConfigError
from rxws.testing._feed import Feed

NOW = 1_800_000_000_000
MINUTE = 60_000


def play(feed: Feed, count: int, start: int = NOW, step: int = 20) -> list[tuple[str, Any]]:
    """The next `count` messages, one every `step` milliseconds."""
    return [feed.next(start + at * step) for at in range(count)]


def test_times_are_those_of_now_and_keep_their_distance() -> None:
    """E is when it is told; T is as long before it as it was when it was recorded."""
    frame = {"stream": "x@aggTrade", "data": {"e": "aggTrade", "E": 1_000, "T": 846, "s": "X"}}

    ((_, data),) = play(Feed([frame]), 1)

    assert (data["E"], data["T"]) == (NOW, NOW - 154)


@pytest.mark.parametrize("frames", ["spot", "usdm"])
def test_no_time_goes_back_through_many_loops(frames: Any) -> None:
    """Event and trade times of a stream never decrease, over five loops of the recording."""
    feed = Feed(frames)
    last: dict[tuple[str, str], int] = defaultdict(int)

    for stream, data in play(feed, 5 * 400):
        for key in ("E", "T"):
            assert data.get(key, last[stream, key]) >= last[stream, key]
            last[stream, key] = data.get(key, last[stream, key])
        if "k" in data:
            assert data["k"]["t"] >= last[stream, "t"]
            last[stream, "t"] = data["k"]["t"]


def test_a_wall_clock_that_steps_back_does_not_turn_time_back() -> None:
    """What is told after the clock was set back carries the latest time there was."""
    feed = Feed("usdm", {"ctkusdt@aggTrade"})
    feed.next(NOW)

    _, data = feed.next(NOW - 10_000)

    assert data["E"] == NOW


def test_the_order_is_that_of_the_recording_for_ever() -> None:
    """Without klines every loop tells the same streams in the same order."""
    feed = Feed("usdm", {"ctkusdt@aggTrade", "sushiusdt@aggTrade", "akrousdt@bookTicker"})
    length = len(feed._frames)

    streams = [stream for stream, _ in play(feed, 3 * length)]

    assert streams == streams[:length] * 3


def test_ids_go_on_where_the_recording_starts_again() -> None:
    """Aggregate trade ids stay consecutive over loops, if they are so in the recording."""
    frames = [
        {"stream": "x@aggTrade", "data": {"e": "aggTrade", "s": "X", "a": a, "f": f, "l": f + 1}}
        for a, f in ((10, 100), (11, 102), (12, 104))
    ]

    told = [data for _, data in play(Feed(frames), 9)]

    assert [data["a"] for data in told] == list(range(10, 19))
    assert [data["f"] for data in told] == list(range(100, 118, 2))


def test_only_the_chosen_streams_are_played() -> None:
    """`streams` chooses, in the order of the recording."""
    feed = Feed("spot", ["nknusdt@kline_1m", "nknusdt@aggTrade"])

    assert feed.streams == ("nknusdt@aggTrade", "nknusdt@kline_1m")
    assert {stream for stream, _ in play(feed, 20)} == set(feed.streams)


def test_a_message_can_be_asked_of_some_streams_only() -> None:
    """`among` passes the others over; unknown names alone mean all."""
    feed = Feed("usdm")

    told = {feed.next(NOW, among={"keepusdt@aggTrade", "unknown"})[0] for _ in range(20)}
    any_of = {feed.next(NOW, among={"unknown"})[0] for _ in range(50)}

    assert told == {"keepusdt@aggTrade"}
    assert len(any_of) > 1


def test_a_candle_is_closed_when_its_time_is_over_and_the_next_opens() -> None:
    """Each minute's last kline says x, once, right after its T; no minute is left out."""
    feed = Feed("usdm", {"ctkusdt@kline_1m"})

    klines = [data for _, data in play(feed, 8_000, step=61)]
    closed = [data for data in klines if data["k"]["x"]]

    assert [data["k"]["t"] for data in closed] == [NOW - NOW % MINUTE + at * MINUTE for at in range(len(closed))]
    assert len(closed) == 8
    for data in closed:
        assert data["k"]["T"] == data["k"]["t"] + MINUTE - 1
        assert 0 < data["E"] - data["k"]["T"] <= 61


def test_a_candle_says_what_happened_in_it() -> None:
    """Open, high, low and close bracket one another, sums only grow, and the ids span the trades."""
    feed = Feed("usdm", {"sushiusdt@kline_1m"})
    before: dict[str, Any] = {"t": 0}

    for _, data in play(feed, 2_000, step=300):
        kline = data["k"]
        low, high = Decimal(kline["l"]), Decimal(kline["h"])
        assert low <= Decimal(kline["o"]) <= high
        assert low <= Decimal(kline["c"]) <= high
        assert Decimal(kline["V"]) <= Decimal(kline["v"])
        if kline["t"] == before["t"]:
            assert Decimal(kline["v"]) >= Decimal(before["v"])
            assert kline["n"] >= before["n"]
        if kline["n"]:
            assert Decimal(kline["v"]) > 0
            assert kline["f"] <= kline["L"]
        else:
            assert (kline["f"], kline["L"]) == (-1, -1)
            assert Decimal(kline["v"]) == 0
        before = kline


def test_what_is_traded_in_one_candle_is_not_in_the_next() -> None:
    """A candle begins with nothing, and takes in what changed between two recorded klines."""

    def recorded(trades: int, volume: str) -> dict[str, Any]:
        sums = dict.fromkeys("vqVQ", volume)
        kline = {"s": "X", "i": "1s", "t": 0, "c": "1.0", "n": trades, "L": trades, **sums}
        return {"stream": "x@kline_1s", "data": {"e": "kline", "s": "X", "k": kline}}

    feed = Feed([recorded(10, "20.0"), recorded(12, "23.0")])

    told = [feed.next(NOW + ms)[1]["k"] for ms in (0, 10, 1_000, 1_000, 1_010)]

    assert [(kline["n"], kline["v"], kline["x"]) for kline in told] == [
        (1, "2.0", False),
        (3, "5.0", False),
        (3, "5.0", True),
        (1, "2.0", False),
        (3, "5.0", False),
    ]


def test_candles_can_be_shorter_than_they_are_called() -> None:
    """`candle` is the length in seconds, also between klines that are further apart."""
    feed = Feed("spot", {"nknusdt@kline_1m", "nknusdt@bookTicker"}, candle=0.25)

    told = [data["k"] for stream, data in play(feed, 400, step=50) if stream.endswith("kline_1m")]
    closed = [kline["t"] for kline in told if kline["x"]]

    assert {kline["T"] - kline["t"] for kline in told} == {249}
    assert [later - first for first, later in pairwise(closed)] == [250] * (len(closed) - 1)
    assert len(closed) > 10


def test_a_long_pause_is_not_made_up_for_without_end() -> None:
    """After a week asleep a hundred candles are closed, not ten thousand."""
    feed = Feed("usdm", {"ctkusdt@kline_1m"})
    feed.next(NOW)

    later = [feed.next(NOW + 7 * 86_400_000)[1]["k"]["x"] for _ in range(150)]

    assert later == [True] * 101 + [False] * 49


def test_a_week_begins_on_monday() -> None:
    """Weekly candles are cut at Monday, 00:00 UTC."""
    kline = {"s": "X", "i": "1w", "t": 0, "n": 0, "c": "1", "v": "0", "q": "0", "V": "0", "Q": "0"}
    feed = Feed([{"stream": "x@kline_1w", "data": {"e": "kline", "s": "X", "k": kline}}])

    ((_, data),) = play(feed, 1)

    assert data["k"]["t"] == 1_799_625_600_000  # Monday, 2027-01-11
    assert data["k"]["T"] == data["k"]["t"] + 7 * 86_400_000 - 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"frames": "coinm"}, "frames"),
        ({"frames": [{"stream": "x@trade"}]}, "frames"),
        ({"frames": []}, "streams"),
        ({"streams": {"btcusdt@trade"}}, "streams"),
        ({"streams": ()}, "streams"),
        ({"candle": 0.0}, "candle"),
    ],
)
def test_what_cannot_be_played_is_refused(arguments: dict[str, Any], field: str) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigError) as refused:
        Feed(**arguments)

    assert refused.value.field == field


def test_a_monthly_candle_is_refused() -> None:
    """A month has no fixed length."""
    kline = {"i": "1M", "n": 0, "c": "1", "v": "0", "q": "0", "V": "0", "Q": "0"}
    feed = Feed([{"stream": "x@kline_1M", "data": {"s": "X", "k": kline}}])

    with pytest.raises(ConfigError, match="1M"):
        feed.next(NOW)


def test_symbols_are_played_under_other_names() -> None:
    """In the streams' names and in all that is told of them; others stay."""
    feed = Feed("spot", symbols={"NKNUSDT": "btcusdt"})
    assert "btcusdt@kline_1m" in feed.streams
    assert not any(stream.startswith("nknusdt") for stream in feed.streams)
    told = [(stream, data) for stream, data in play(feed, 200) if stream.startswith("btcusdt")]
    assert {data["s"] for _, data in told} == {"BTCUSDT"}
    assert {data["k"]["s"] for stream, data in told if "kline" in stream} == {"BTCUSDT"}
    with pytest.raises(ConfigError) as raised:
        Feed("spot", symbols={"btcusdt": "nknusdt"})
    assert raised.value.field == "symbols"
