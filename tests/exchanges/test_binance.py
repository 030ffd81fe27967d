"""Binance spot, and what its futures share with it."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.errors import ConfigError, ConnectionClosed, RetryAfter, verdict
from rxws.exchanges import binance, binance_usdm
from rxws.exchanges._binance import INTERVALS, QUOTES
from rxws.market import BookSnapshot, Candle, Quote, Ticker, Trade
from rxws.venue import Frame, Kind, Reply, Request

BOTH = pytest.mark.parametrize("venue", [binance, binance_usdm], ids=lambda venue: venue.NAME)
ONE = Request(7, "subscribe", ("btcusdt@trade",), "")
TWO = Request(8, "subscribe", ("ethusdt@trade", "bnbusdt@trade"), "")


@BOTH
def test_topics_are_its_streams(venue: ModuleType) -> None:
    """In small letters, whatever the symbol is written in; books at their quickest."""
    assert venue.quotes("BTCUSDT") == "btcusdt@bookTicker"
    assert venue.ticker("btcusdt") == "btcusdt@ticker"
    assert [venue.candles("BTCUSDT", each) for each in INTERVALS] == [f"btcusdt@kline_{each}" for each in INTERVALS]
    assert venue.book("BTCUSDT") == "btcusdt@depth@100ms"
    assert [venue.book("BTCUSDT", depth) for depth in (5, 10, 20)] == [
        f"btcusdt@depth{depth}@100ms" for depth in (5, 10, 20)
    ]


def test_candles_of_a_second_are_of_spot_alone() -> None:
    """The futures have none, and would not say so."""
    assert binance.candles("BTCUSDT", "1s") == "btcusdt@kline_1s"
    with pytest.raises(ConfigError, match="interval: '1s' is none of Binance's; take one of 1m, 3m"):
        binance_usdm.candles("BTCUSDT", "1s")


def test_trades_of_spot_are_single_ones() -> None:
    """Those of the futures are told together."""
    assert (binance.trades("BTCUSDT"), binance_usdm.trades("BTCUSDT")) == ("btcusdt@trade", "btcusdt@aggTrade")


@BOTH
def test_what_it_puts_up_with(venue: ModuleType) -> None:
    """A thousand streams and a day a connection; 300 dials in five minutes; who sent too much waits two minutes."""
    rules = venue.RULES
    assert (rules.topics, rules.max_age, rules.first_subscribe) == (1_024, 86_400.0, None)
    assert (rules.dials.count, rules.dials.per) == (300, 300.0)
    assert (rules.send.count, rules.send.per) == ({"binance": 5, "binance_usdm": 10}[venue.NAME], 1.0)
    assert verdict(ConnectionClosed(1008), venue.TABLE) == RetryAfter(120.0)
    assert (venue.GREETINGS, venue.HEARTBEAT) == ((), None)


@BOTH
@pytest.mark.parametrize("topic", ["", "!", "btcusdt", "BTCUSDT@trade", "Btcusdt@trade", "@trade", "btcusdt@"])
def test_a_topic_that_would_be_silent_is_refused(venue: ModuleType, topic: str) -> None:
    """Binance acknowledges whatever it is asked for, and never sends anything."""
    says = f"topic: {topic!r} is no name of a stream; take one in small letters, like 'btcusdt@trade'"
    for ask in (venue.endpoint, lambda topic: venue.url([topic]), lambda topic: venue.subscribe([topic], count())):
        with pytest.raises(ConfigError) as refused:
            ask(topic)
        assert str(refused.value) == says


def test_a_url_is_written_as_urls_are() -> None:
    """Symbols that are not of ASCII, and the plus of a time zone, which else would be a space."""
    assert binance.url(["币安usdt@trade", "btcusdt@kline_1d@+08:00"]) == (
        "wss://stream.binance.com:9443/stream?streams=%E5%B8%81%E5%AE%89usdt@trade/btcusdt@kline_1d@%2B08:00"
    )
    assert binance.SNAPSHOTS is not None
    assert binance.SNAPSHOTS.url("币安usdt") == (
        "https://api.binance.com/api/v3/depth?symbol=%E5%B8%81%E5%AE%89USDT&limit=5000"
    )


@BOTH
def test_a_url_that_binance_would_refuse_is_refused(venue: ModuleType) -> None:
    """More than 8,000 characters; what is said then is to subscribe."""
    base = len(venue.url(["a@trade"])) - len("a@trade")
    fits = ["a" * (8_000 - base - len("@trade")) + "@trade"]
    assert len(venue.url(fits)) == 8_000
    with pytest.raises(ConfigError) as refused:
        venue.url([f"a{fits[0]}"])

    assert str(refused.value) == (
        "topics: 1 make a URL that Binance refuses, 8001 characters; "
        "send what `subscribe` returns on a connection to `connection_url()`"
    )


@BOTH
def test_requests_have_a_hundred_streams(venue: ModuleType) -> None:
    """And a number each; to end them is the same."""
    topics = [f"x{number}@aggTrade" for number in range(250)]
    requests = venue.subscribe(topics, count(41))

    assert [(request.id, len(request.topics)) for request in requests] == [(41, 100), (42, 100), (43, 50)]
    (request,) = venue.unsubscribe(["btcusdt@aggTrade"], count(5))
    assert request.payload == '{"method":"UNSUBSCRIBE","params":["btcusdt@aggTrade"],"id":5}'


@BOTH
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"result":null,"id":7}', Reply(ONE, confirmed=ONE.topics)),
        ('{"result":null,"id":8}', Reply(TWO, confirmed=TWO.topics)),
        ('{"error":{"code":2,"msg":"no"},"id":7}', Reply(ONE, rejected=ONE.topics, problem="no")),
        # Which of the two it is, it does not say: each is to be asked for by itself.
        ('{"error":{"code":2,"msg":"no"},"id":8}', Reply(TWO, innocent=TWO.topics, problem="no")),
        ('{"code":2,"msg":"no","id":8}', Reply(TWO, innocent=TWO.topics, problem="no")),
        # That there are too many is no fault of one of them.
        ('{"error":{"code":4,"msg":"many"},"id":8}', Reply(TWO, rejected=TWO.topics, problem="many")),
        ('{"error":{"code":2,"msg":"no"}}', None),
        ('{"code":3,"msg":"no","id":null}', None),
        ('{"result":null,"id":9}', None),
        ('{"result":null,"id":"7"}', None),
        ('{"result":null,"id":null}', None),
        ('{"result":["btcusdt@trade"],"id":7}', None),
        ('{"result":true,"id":7}', None),
        ('{"id":7}', None),
        ('{"e":"trade"}', None),
        ("pong", None),
    ],
)
def test_an_answer_is_for_the_request_of_its_number(venue: ModuleType, answer: str, said: Reply | None) -> None:
    """However many wait; one without a number is for none of several, and another's is for none."""
    assert venue.reply(answer, [ONE, TWO]) == said
    assert venue.reply(answer.encode(), [TWO, ONE]) == said


@BOTH
def test_an_error_without_a_number_is_for_the_only_request(venue: ModuleType) -> None:
    """Bare or wrapped, with a null or with nothing; an acknowledgement without a number is for none."""
    for answer in (
        '{"code":3,"msg":"no"}',
        '{"error":{"code":3,"msg":"no"},"id":null}',
        '{"error":{"code":3,"msg":"no"}}',
    ):
        assert venue.classify(answer) == Frame(Kind.ERROR)
        assert venue.reply(answer, [ONE]) == Reply(ONE, rejected=ONE.topics, problem="no")
        assert venue.reply(answer, []) is None
    assert venue.reply('{"result":null,"id":null}', [ONE]) is None
    assert venue.reply('{"error":{"code":3,"msg":"no"},"id":9}', [ONE]) is None


@BOTH
def test_numbers_have_all_their_digits(venue: ModuleType) -> None:
    """Of a request beyond 2^53, of a trade beyond 2^63."""
    large = Request(2**53 + 1, "subscribe", ("x@trade",), "")
    assert venue.reply(f'{{"result":null,"id":{2**53 + 1}}}', [large]) == Reply(large, confirmed=large.topics)
    assert venue.reply(f'{{"result":null,"id":{2**53}}}', [large]) is None
    trade = f'{{"e":"trade","s":"X","t":{2**64 + 3},"p":"1.10","q":"1e-7","T":1,"m":false}}'
    (event,) = venue.decode(trade)
    assert isinstance(event, Trade)
    assert (event.id, event.sequence) == (str(2**64 + 3), 2**64 + 3)
    assert (str(event.price), event.size, event.side) == ("1.10", Decimal("0.0000001"), "buy")


@BOTH
def test_a_planned_end_is_announced_wrapped_or_not(venue: ModuleType) -> None:
    """By the stream or by the event; nothing is decoded from it."""
    for notice in (
        '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}',
        '{"e":"serverShutdown","E":1}',
    ):
        assert venue.classify(notice) == Frame(Kind.NOTICE, ends=True)
        assert venue.decode(notice) == []


WRAPPED = {
    "aggTrade": '{"e":"aggTrade","s":"X","a":1,"p":"1","q":"2","T":1,"m":true}',
    "trade": '{"e":"trade","s":"X","t":1,"p":"1","q":"2","T":1,"m":true}',
    "bookTicker": '{"u":1,"s":"X","b":"1","B":"2","a":"3","A":"4"}',
    "ticker": '{"e":"24hrTicker","E":1,"s":"X","c":"1","o":"1","h":"1","l":"1","v":"1","b":"1","a":"1","A":"1"}',
    "miniTicker": '{"e":"24hrMiniTicker","E":1,"s":"X","c":"1","o":"1","h":"1","l":"1","v":"1"}',
    "kline_3d": '{"e":"kline","E":1,"s":"X","k":{"t":0,"T":9,"i":"3d","o":"1","c":"1","h":"1",'
    '"l":"1","v":"1","x":false}}',
}


@BOTH
@pytest.mark.parametrize("kind", WRAPPED)
def test_a_message_says_the_same_wrapped_and_not(venue: ModuleType, kind: str) -> None:
    """The combined form is another envelope around it, and the stream's name is its topic either way."""
    wrapped = f'{{"stream":"x@{kind}","data":{WRAPPED[kind]}}}'

    assert venue.decode(wrapped) == venue.decode(WRAPPED[kind]) != []
    assert venue.classify(wrapped) == venue.classify(WRAPPED[kind]) == Frame(Kind.DATA, f"x@{kind}")
    assert venue.decode(f" {WRAPPED[kind]}") == venue.decode(WRAPPED[kind])


@BOTH
@pytest.mark.parametrize("kind", ["ticker", "miniTicker"])
def test_tickers_of_all_symbols_come_as_a_list(venue: ModuleType, kind: str) -> None:
    """An event each; a list does not say which topic it is of, and an empty one says nothing."""
    both = f"[{WRAPPED[kind]},{WRAPPED[kind].replace('X', 'Y')}]"
    wrapped = f'{{"stream":"!{kind}@arr","data":{both}}}'

    assert [event.symbol for event in venue.decode(both)] == ["X", "Y"]
    assert venue.decode(wrapped) == venue.decode(both) == venue.decode(both.encode())
    assert all(isinstance(event, Ticker) for event in venue.decode(both))
    assert venue.classify(wrapped) == Frame(Kind.DATA, f"!{kind}@arr")
    assert venue.classify(both) == venue.classify(both.encode()) == Frame(Kind.DATA)
    assert (venue.classify("[]"), venue.decode("[]")) == (Frame(Kind.UNKNOWN), [])
    assert (venue.classify('[{"e":"x"}]'), venue.decode('[{"e":"x"}]')) == (Frame(Kind.UNKNOWN), [])


@BOTH
def test_a_tickers_window_is_another_thing_than_a_day(venue: ModuleType) -> None:
    """What `Ticker` says is of 24 hours; a stream of one hour is not taken for it."""
    hour = '{"stream":"btcusdt@ticker_1h","data":' + WRAPPED["ticker"].replace("24hr", "1h") + "}"

    assert (venue.classify(hour), venue.decode(hour)) == (Frame(Kind.UNKNOWN), [])


@BOTH
def test_a_candle_of_another_time_zone_is_one(venue: ModuleType) -> None:
    """Its stream's name has the zone behind the interval."""
    zoned = '{"stream":"x@kline_3d@+08:00","data":' + WRAPPED["kline_3d"] + "}"
    (event,) = venue.decode(zoned)

    assert isinstance(event, Candle)
    assert (event.interval, event.closed) == ("3d", False)
    assert (event.open_ns, event.close_ns) == (0, 10_000_000)
    assert venue.classify(zoned).topic == "x@kline_3d@+08:00"


@BOTH
def test_times_may_be_microseconds(venue: ModuleType) -> None:
    """Where the URL asks for them; which they are, they show by their size."""
    for time in (1781234567890, 1781234567890000):
        (event,) = venue.decode(WRAPPED["trade"].replace('"T":1,', f'"T":{time},'))
        assert event.time_ns == 1781234567890000000
    (event,) = venue.decode(WRAPPED["trade"].replace('"T":1,', '"T":1781234567890123,'))
    assert event.time_ns == 1781234567890123000


def test_quotes_of_spot_have_no_time() -> None:
    """Those of the futures do."""
    (event,) = binance.decode(WRAPPED["bookTicker"])
    assert isinstance(event, Quote)
    assert (event.time_ns, event.sequence) == (None, 1)


def test_a_fetched_book_has_the_symbol_that_changes_have() -> None:
    """Whatever letters it was asked for in."""
    body = b'{"lastUpdateId":7,"bids":[["1.10","2"]],"asks":[]}'

    assert binance.SNAPSHOTS.decode(body, "btcusdt") == BookSnapshot(
        venue="binance", symbol="BTCUSDT", bids=((Decimal("1.10"), Decimal(2)),), asks=(), sequence=7
    )


@pytest.mark.parametrize("venue", [binance, binance_usdm], ids=lambda venue: venue.NAME)
def test_a_symbol_has_no_dash_and_need_not_be_of_ascii(venue: ModuleType) -> None:
    """Binance would acknowledge the one of another venue, and never send anything."""
    with pytest.raises(ConfigError, match="like 'BTCUSDT'"):
        venue.trades("BTC-USDT")
    assert venue.quotes("BTCUSDT_261225") == "btcusdt_261225@bookTicker"
    assert venue.quotes("币安人生USDT") == "币安人生usdt@bookTicker"


CODES = st.from_regex(r"[A-Z0-9]{2,9}", fullmatch=True)


def test_no_quote_currency_ends_with_another() -> None:
    """So that a symbol can be parted in one way only."""
    assert [(one, other) for one in QUOTES for other in QUOTES if one != other and one.endswith(other)] == []


@given(base=CODES, quote=st.sampled_from(QUOTES))
def test_symbols_have_a_common_form(base: str, quote: str) -> None:
    """And come back from it, spot and perpetual."""
    assert binance.common_symbol(base + quote) == f"{base}/{quote}"
    assert binance.venue_symbol(f"{base}/{quote}") == base + quote
    assert binance_usdm.common_symbol(base + quote) == f"{base}/{quote}:{quote}"
    assert binance_usdm.venue_symbol(f"{base}/{quote}:{quote}") == base + quote


@pytest.mark.parametrize(
    ("convert", "symbol", "says"),
    [
        (binance.common_symbol, "BTCXYZ", "'BTCXYZ' does not end with a known quote currency; take one like 'BTCUSDT'"),
        (binance.common_symbol, "USDT", "'USDT' does not end with a known quote currency; take one like 'BTCUSDT'"),
        (
            binance.venue_symbol,
            "BTC/USDT:USDT",
            "'BTC/USDT:USDT' is a contract; take 'BTC/USDT', or the venue binance_usdm",
        ),
        (
            binance_usdm.common_symbol,
            "BTCUSDT_261225",
            "'BTCUSDT_261225' does not end with a known quote currency; take one like 'BTCUSDT'",
        ),
        (
            binance_usdm.venue_symbol,
            "BTC/USDT",
            "'BTC/USDT' is none that settles in its quote currency; take 'BTC/USDT:USDT'",
        ),
        (
            binance_usdm.venue_symbol,
            "BTC/USD:BTC",
            "'BTC/USD:BTC' is none that settles in its quote currency; take 'BTC/USDT:USDT'",
        ),
    ],
)
def test_a_symbol_without_the_other_form_is_refused(convert: Any, symbol: str, says: str) -> None:
    """With what would be right."""
    with pytest.raises(ConfigError) as refused:
        convert(symbol)

    assert str(refused.value) == f"symbol: {says}"
