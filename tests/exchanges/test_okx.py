"""OKX: an answer for each topic, a heartbeat that is no JSON, books with links, resets and checksums."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import count
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.errors import ConfigError
from rxws.exchanges import okx
from rxws.market import BookDelta, BookSnapshot, Candle, Quote, Ticker, Trade
from rxws.venue import Frame, Heartbeat, Kind, Reply, Request

ONE = Request(7, "subscribe", ("books:BTC-USDT",), "")
TWO = Request(8, "subscribe", ("trades:BTC-USDT", "trades:FAKE-USDT"), "")
END = Request(9, "unsubscribe", ("books:BTC-USDT",), "")
WRONG = "Wrong URL or channel:trades,instId:FAKE-USDT doesn't exist."


def answer(event: str, **fields: Any) -> str:
    """What the server says of a request."""
    return json.dumps({"event": event, **fields, "connId": "c0ffee01"})


def of(topic: str) -> dict[str, str]:
    """A topic as an argument."""
    channel, _, symbol = topic.partition(":")
    return {"channel": channel, "instId": symbol}


def data(channel: str, *each: Any, **fields: Any) -> str:
    """Data of a channel."""
    return json.dumps({"arg": {"channel": channel, "instId": "BTC-USDT"}, **fields, "data": each})


def test_topics_are_channels_and_instruments() -> None:
    """What the public may have."""
    assert okx.quotes("BTC-USDT") == "bbo-tbt:BTC-USDT"
    assert okx.ticker("BTC-USDT") == "tickers:BTC-USDT"
    assert okx.candles("BTC-USDT", "1Dutc") == "candle1Dutc:BTC-USDT"


@pytest.mark.parametrize("topic", ["candle1m:A-B", "candle1Dutc:A-B", "trades-all:A-B"])
def test_candles_and_single_trades_are_had_elsewhere(topic: str) -> None:
    """Asked for at the other URL, they are refused: here before anything is sent."""
    assert okx.endpoint(topic) == "business"
    assert okx.url([topic]) == "wss://ws.okx.com:8443/ws/v5/business"
    for ask in (okx.url, lambda topics: okx.subscribe(topics, count())):
        with pytest.raises(ConfigError, match="topics: those of business and public are had at different URLs; take"):
            ask([topic, "books:A-B"])
    assert okx.endpoint("mark-price-candle:A-B") == "public"


@pytest.mark.parametrize("topic", ["", "books", "books:", ":BTC-USDT"])
def test_a_topic_needs_a_channel_and_an_instrument(topic: str) -> None:
    """Before anything is sent."""
    for ask in (okx.endpoint, lambda topic: okx.subscribe([topic], count())):
        with pytest.raises(ConfigError, match="take a channel and a symbol, like 'books:BTC-USDT'"):
            ask(topic)


def test_what_it_puts_up_with() -> None:
    """480 requests an hour, three dials a second; a ping before the thirty seconds are over, and a pong within them."""
    rules = okx.RULES
    assert rules.send is not None and (rules.send.count, rules.send.per) == (480, 3_600.0)
    assert rules.dials is not None and (rules.dials.count, rules.dials.per) == (3, 1.0)
    assert rules.dials.spacing * 3 >= 1.0
    assert rules.batch_bytes is not None and rules.batch_bytes < 65_536
    assert okx.HEARTBEAT == Heartbeat(25.0, "ping")
    assert rules.silence == rules.first_subscribe == 30.0
    assert okx.TRADE_RULE is None


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (answer("subscribe", id="7", arg=of("books:BTC-USDT")), Reply(ONE, confirmed=ONE.topics)),
        (answer("subscribe", arg=of("books:BTC-USDT")), Reply(ONE, confirmed=ONE.topics)),
        (answer("subscribe", id="8", arg=of("trades:BTC-USDT")), Reply(TWO, confirmed=("trades:BTC-USDT",))),
        (answer("unsubscribe", id="9", arg=of("books:BTC-USDT")), Reply(END, confirmed=END.topics)),
        (answer("unsubscribe", arg=of("books:BTC-USDT")), Reply(END, confirmed=END.topics)),
        (answer("subscribe", id="8", arg=of("books:BTC-USDT")), None),
        (answer("subscribe", id="5", arg=of("books:BTC-USDT")), None),
        (answer("subscribe", id="7"), None),
        # One that is wrong costs no other.
        (answer("error", id="8", code="60018", msg=WRONG), Reply(TWO, rejected=("trades:FAKE-USDT",), problem=WRONG)),
        (answer("error", code="60018", msg=WRONG), Reply(TWO, rejected=("trades:FAKE-USDT",), problem=WRONG)),
        (answer("error", id="7", code="60018", msg=WRONG), Reply(ONE, rejected=ONE.topics, problem=WRONG)),
        # It names none: with a number it is of that request, without one of nobody knows which.
        (answer("error", id="7", code="60012", msg="bad"), Reply(ONE, rejected=ONE.topics, problem="bad")),
        (answer("error", id="8", code="60012", msg="bad"), Reply(TWO, innocent=TWO.topics, problem="bad")),
        (answer("error", code="60012", msg="bad"), None),
        (answer("error", id="5", code="60012", msg="bad"), None),
        # It is no fault of theirs.
        (answer("error", id="8", code="60014", msg="often"), Reply(TWO, later=TWO.topics, problem="often")),
        (answer("notice", code="64008", msg="m"), None),
        ("pong", None),
    ],
)
def test_an_answer_is_of_one_topic(said: str, reply: Reply | None) -> None:
    """With a number of that request, without one of the oldest that asked so."""
    assert okx.reply(said, [ONE, TWO, END]) == reply
    assert okx.reply(said.encode(), [ONE, TWO, END]) == reply
    assert okx.reply(said, []) is None


def test_an_error_without_a_number_is_for_the_only_request() -> None:
    """There nobody else can be meant."""
    said = answer("error", code="60012", msg="bad")
    assert okx.classify(said) == Frame(Kind.ERROR)
    assert okx.reply(said, [ONE]) == Reply(ONE, rejected=ONE.topics, problem="bad")
    assert okx.reply(said, [TWO]) == Reply(TWO, innocent=TWO.topics, problem="bad")


def test_a_planned_end_is_one_notice_of_many() -> None:
    """By its code."""
    assert okx.classify(answer("notice", code="64008", msg="m")) == Frame(Kind.NOTICE, ends=True)
    assert okx.classify(answer("notice", code="64000", msg="m")) == Frame(Kind.NOTICE)
    assert okx.decode(answer("notice", code="64008", msg="m")) == []


def test_a_book_without_an_action_is_whole() -> None:
    """Five levels are sent as they are, each time."""
    (event,) = okx.decode(data("books5", {"asks": [["1.10", "2", "0", "1"]], "bids": [], "ts": "5", "seqId": 9}))

    assert isinstance(event, BookSnapshot)
    assert [(str(price), str(size)) for price, size in event.asks] == [("1.10", "2")]
    assert (event.sequence, event.time_ns, event.checksum) == (9, 5_000_000, None)


@pytest.mark.parametrize(("sent", "told"), [({"checksum": 0}, None), ({"checksum": -7}, -7), ({}, None)])
def test_a_checksum_of_zero_means_nothing(sent: dict[str, int], told: int | None) -> None:
    """So OKX has sent it since 2026-06-23."""
    book = {"asks": [], "bids": [], "ts": "5", "seqId": 8, "prevSeqId": 9, **sent}
    (event,) = okx.decode(data("books", book, action="update"))

    assert isinstance(event, BookDelta)
    assert (event.checksum, event.sequence, event.previous) == (told, 8, 9)


def test_the_documented_checksum_is_computed() -> None:
    """One side may be shorter; exponents are written out, as OKX writes them."""
    bids = [(Decimal("3366.1"), Decimal("7"))]
    asks = [(Decimal("3366.8"), Decimal("9")), (Decimal("3368"), Decimal("8"))]
    assert okx.checksum(bids, asks) == -1471518219  # of "3366.1:7:3366.8:9:3368:8"
    small = Decimal("0.0000001")  # which `str` writes as 1E-7
    assert okx.checksum([(small, small)], []) % 2**32 == crc32(b"0.0000001:0.0000001")
    assert okx.checksum([], []) == 0


@pytest.mark.parametrize(("bids", "asks"), [([], [["2", "1", "0", "1"]]), ([["1", "1", "0", "1"]], []), ([], [])])
def test_a_side_without_offers_is_none(bids: list[Any], asks: list[Any]) -> None:
    """Of the best bid and ask."""
    (event,) = okx.decode(data("bbo-tbt", {"asks": asks, "bids": bids, "ts": "5", "seqId": 9}))

    assert isinstance(event, Quote)
    assert (event.bid is None, event.bid_size is None) == (not bids, not bids)
    assert (event.ask is None, event.ask_size is None) == (not asks, not asks)


def test_an_empty_price_is_none() -> None:
    """As an instrument without offers or trades has it."""
    names = ("last", "askPx", "askSz", "bidPx", "bidSz", "open24h", "high24h", "low24h", "vol24h")
    (event,) = okx.decode(data("tickers", {"instId": "X", "ts": "5", **dict.fromkeys(names, "")}))

    assert isinstance(event, Ticker)
    assert (event.last, event.bid, event.ask, event.open, event.high, event.low, event.volume) == (None,) * 7
    assert (event.bid_size, event.ask_size, event.symbol, event.time_ns) == (None, None, "X", 5_000_000)


def test_each_of_several_trades_is_an_event() -> None:
    """They have no number that grows by one."""
    trade = {"instId": "X", "px": "1.10", "sz": "2", "side": "sell", "ts": "5"}
    for channel in ("trades", "trades-all"):
        events = okx.decode(data(channel, {**trade, "tradeId": "1"}, {**trade, "tradeId": "2"}))
        assert [(event.id, event.side, event.sequence) for event in events if isinstance(event, Trade)] == [
            ("1", "sell", None),
            ("2", "sell", None),
        ]


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [("1s", 1), ("15m", 900), ("4H", 14_400), ("1D", 86_400), ("1Dutc", 86_400), ("1W", 604_800), ("1Wutc", 604_800)],
)
def test_a_candle_is_as_long_as_its_channel_says(interval: str, seconds: int) -> None:
    """The begin of the day is the channel's matter too; closed is what says 1."""
    for confirmed, closed in (("1", True), ("0", False)):
        (event,) = okx.decode(data(f"candle{interval}", ["60000", "1", "4", "0.50", "2", "9", "8", "7", confirmed]))
        assert isinstance(event, Candle)
        assert (event.interval, event.closed, event.open_ns) == (interval, closed, 60_000_000_000)
        assert event.close_ns - event.open_ns == seconds * 1_000_000_000
        assert [str(each) for each in (event.open, event.high, event.low, event.close, event.volume)] == [
            *("1", "4", "0.50", "2", "9")
        ]
    assert okx.candles("A-B", interval) == f"candle{interval}:A-B"


def test_months_have_no_length_and_are_not_read() -> None:
    """Their candles are unknown, rather than wrong."""
    month = data("candle1M", ["60000", "1", "4", "1", "2", "9", "8", "7", "1"])
    assert (okx.classify(month), okx.decode(month)) == (Frame(Kind.UNKNOWN), [])
    with pytest.raises(ConfigError, match="interval: '1M' is none of OKX's; take one of 1s, 1m"):
        okx.candles("BTC-USDT", "1M")


CODES = st.from_regex(r"[A-Z0-9]{1,9}", fullmatch=True)


@given(base=CODES, quote=CODES)
def test_symbols_have_a_common_form(base: str, quote: str) -> None:
    """Pairs and perpetuals; those in dollars settle in what they are of."""
    settle = base if quote == "USD" else quote
    for symbol, common in (
        (f"{base}-{quote}", f"{base}/{quote}"),
        (f"{base}-{quote}-SWAP", f"{base}/{quote}:{settle}"),
    ):
        assert (okx.common_symbol(symbol), okx.venue_symbol(common)) == (common, symbol)


@pytest.mark.parametrize("symbol", ["BTC", "BTC-", "-USDT", "BTC-USD-261225", "BTC-USD-261225-100000-C"])
def test_what_expires_has_no_common_form(symbol: str) -> None:
    """Nor has what is no pair."""
    with pytest.raises(ConfigError) as refused:
        okx.common_symbol(symbol)
    assert str(refused.value) == f"symbol: {symbol!r} has no common form; take a pair, like 'BTC-USDT', or a perpetual"


@pytest.mark.parametrize("common", ["BTC/USDT:BTC", "BTC/USD:USD"])
def test_a_contract_that_settles_in_something_else_is_refused(common: str) -> None:
    """With what would be right."""
    with pytest.raises(ConfigError) as refused:
        okx.venue_symbol(common)
    assert str(refused.value) == f"symbol: {common!r} is none of OKX's; take 'BTC/USDT:USDT', or 'BTC/USD:BTC'"
