"""Deribit: answers that leave out what is not there, heartbeats that ask, numbers that are numbers."""

from __future__ import annotations

import json
from itertools import count

import pytest

from rxws.errors import ConfigError
from rxws.exchanges import deribit
from rxws.market import BookDelta, BookSnapshot, Candle, Quote, Ticker, Trade
from rxws.venue import Frame, Kind, Rate, Reply, Request

BTC = "BTC-PERPETUAL"
ONE = Request(7, "subscribe", ("quote.A",), "")
TWO = Request(8, "subscribe", ("book.A.100ms", "book.B.raw"), "")
END = Request(9, "unsubscribe", ("quote.A", "quote.B"), "")


def test_topics_are_its_channels() -> None:
    """A hundred milliseconds is the quickest that the public may have."""
    assert deribit.quotes(BTC) == f"quote.{BTC}"
    assert deribit.ticker(BTC) == f"ticker.{BTC}.100ms"
    assert [deribit.book(BTC, depth) for depth in (1, 20)] == [
        f"book.{BTC}.none.1.100ms",
        f"book.{BTC}.none.20.100ms",
    ]
    assert deribit.candles(BTC, "1D") == f"chart.trades.{BTC}.1D"


def test_a_channel_needs_a_name() -> None:
    """What else is no channel, Deribit says itself."""
    with pytest.raises(ConfigError, match="topic: '' is no channel; take one like 'quote.BTC-PERPETUAL'"):
        deribit.endpoint("")
    assert deribit.endpoint("platform_state") == "public"


def test_what_it_puts_up_with() -> None:
    """Three requests a second of at most 500 channels and 32 kB; a minute to subscribe."""
    rules = deribit.RULES
    assert (rules.send, rules.requests) == (None, Rate(10, 3.0))
    assert (rules.batch, rules.first_subscribe, rules.dials, rules.max_age) == (499, 60.0, None, None)
    assert rules.batch_bytes is not None and rules.batch_bytes < 32_000
    assert deribit.SNAPSHOTS is None


def test_heartbeats_are_asked_for_and_answered() -> None:
    """At the shortest interval; silence for two of them and five seconds is a loss. No request has the number 0."""
    (greeting,) = map(json.loads, deribit.GREETINGS)
    assert (greeting["method"], greeting["params"], greeting["id"]) == ("public/set_heartbeat", {"interval": 10}, 0)
    assert deribit.RULES.silence == 25.0
    asked = deribit.classify('{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}')
    assert asked.kind is Kind.HEARTBEAT and asked.answer is not None
    answer = json.loads(asked.answer)
    assert (answer["method"], answer["params"], answer["id"], answer["jsonrpc"]) == ("public/test", {}, 0, "2.0")
    for quiet in ('{"method":"heartbeat","params":{"type":"heartbeat"}}', '{"method":"heartbeat"}'):
        assert deribit.classify(quiet) == Frame(Kind.HEARTBEAT)
        assert deribit.decode(quiet) == []
    for told in ('{"id":0,"result":"ok"}', '{"id":0,"result":{"version":"1.2.26"}}'):
        assert deribit.classify(told) == Frame(Kind.ACKNOWLEDGEMENT)
        assert deribit.reply(told, [ONE, TWO]) is None


def test_each_subscription_asks_for_maintenance_too() -> None:
    """One request for it alone would cost an address as much as a hundred channels do; nothing ends it."""
    (request,) = deribit.subscribe(["quote.A"], count(1))
    assert json.loads(request.payload)["params"] == {"channels": ["quote.A", "platform_state"]}
    assert request.topics == ("quote.A",)
    (request,) = deribit.subscribe(["platform_state"], count(1))
    assert json.loads(request.payload)["params"] == {"channels": ["platform_state"]}
    (request,) = deribit.unsubscribe(["quote.A"], count(1))
    assert json.loads(request.payload)["params"] == {"channels": ["quote.A"]}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"id":7,"result":["quote.A"]}', Reply(ONE, confirmed=ONE.topics)),
        # Success, and what it does not know is not in it.
        ('{"id":7,"result":[]}', Reply(ONE, rejected=ONE.topics, problem="Deribit has no such channel")),
        (
            '{"id":8,"result":["other","book.A.100ms"]}',
            Reply(TWO, ("book.A.100ms",), ("book.B.raw",), problem="Deribit has no such channel"),
        ),
        # One that needs a login costs the whole request; the rest is innocent.
        (
            '{"id":8,"error":{"code":13778,"message":"raw"}}',
            Reply(TWO, rejected=("book.B.raw",), innocent=("book.A.100ms",), problem="raw"),
        ),
        ('{"id":7,"error":{"code":13778,"message":"raw"}}', Reply(ONE, rejected=ONE.topics, problem="raw")),
        ('{"id":7,"error":{"code":-32602,"message":"bad"}}', Reply(ONE, rejected=ONE.topics, problem="bad")),
        ('{"id":8,"error":{"code":-32602,"message":"bad"}}', Reply(TWO, innocent=TWO.topics, problem="bad")),
        # It is no fault of theirs.
        ('{"id":8,"error":{"code":10028,"message":"many"}}', Reply(TWO, later=TWO.topics, problem="many")),
        ('{"id":9,"result":["quote.A"]}', Reply(END, confirmed=END.topics)),
        ('{"id":10,"result":["quote.A"]}', None),
        ('{"id":10,"error":{"code":1,"message":"x"}}', None),
        ('{"error":{"code":11050,"message":"bad_request"}}', None),
        ('{"id":7,"result":"ok"}', None),
        ('{"id":7}', None),
        ("pong", None),
    ],
)
def test_an_answer_is_for_the_request_of_its_number(answer: str, said: Reply | None) -> None:
    """However many wait."""
    assert deribit.reply(answer, [ONE, TWO, END]) == said
    assert deribit.reply(answer.encode(), [END, TWO, ONE]) == said


@pytest.mark.parametrize("number", ["", '"id":null,'])
def test_an_error_without_a_number_is_for_the_only_request(number: str) -> None:
    """So a request that could not be read is answered."""
    answer = f'{{"jsonrpc":"2.0",{number}"error":{{"message":"bad_request","code":11050}}}}'

    assert deribit.classify(answer) == Frame(Kind.ERROR)
    assert deribit.reply(answer, [ONE]) == Reply(ONE, rejected=ONE.topics, problem="bad_request")
    assert deribit.reply(answer, []) is None
    assert deribit.reply(f'{{{number}"result":["quote.A"]}}', [ONE]) is None
    assert deribit.reply('{"id":10,"error":{"message":"bad_request","code":11050}}', [ONE]) is None


@pytest.mark.parametrize(
    ("data", "ends"),
    [('{"maintenance":true}', True), ('{"maintenance":false}', False), ('{"locked":true}', False), ("5", False)],
)
def test_maintenance_is_announced(data: str, ends: bool) -> None:
    """And nothing else of that channel is an end, whatever its shape."""
    told = f'{{"method":"subscription","params":{{"channel":"platform_state","data":{data}}}}}'
    assert deribit.classify(told) == Frame(Kind.NOTICE, "platform_state", ends=ends)
    assert deribit.decode(told) == []


def told(channel: str, data: str) -> str:
    """A notification."""
    return f'{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}'


def test_numbers_keep_their_digits_in_any_form() -> None:
    """With an exponent, and longer than a float."""
    data = '{"timestamp":1,"instrument_name":"A","best_bid_price":2.20e3,"best_bid_amount":1E-9,'
    data += '"best_ask_price":61250.123456789012345,"best_ask_amount":10}'
    (event,) = deribit.decode(told("quote.A", data))

    assert isinstance(event, Quote)
    assert [str(each) for each in (event.bid, event.bid_size, event.ask, event.ask_size)] == [
        *("2.20E+3", "1E-9"),
        *("61250.123456789012345", "10"),
    ]


@pytest.mark.parametrize(("price", "size"), [("null", "0.0"), ("0.0", "0.0"), ("null", "null"), ("1.0", "0.0")])
def test_a_side_without_offers_is_none(price: str, size: str) -> None:
    """As options often have; of quotes and of tickers."""
    data = f'{{"timestamp":1,"instrument_name":"A","best_bid_price":{price},"best_bid_amount":{size},'
    data += '"best_ask_price":3.0,"best_ask_amount":4.0}'
    for channel, kind in (("quote.A", Quote), ("ticker.A.raw", Ticker)):
        (event,) = deribit.decode(told(channel, data))
        assert isinstance(event, Quote | Ticker) and type(event) is kind
        assert (event.bid, event.bid_size) == (None, None)
        assert (str(event.ask), str(event.ask_size)) == ("3.0", "4.0")


def test_a_ticker_may_know_little() -> None:
    """An option that was never traded: nulls, and no statistics."""
    data = '{"timestamp":1,"instrument_name":"A","best_bid_price":null,"best_bid_amount":0,"best_ask_price":null,'
    data += '"best_ask_amount":0,"last_price":null,"stats":{"volume":null,"low":null,"high":null}}'
    (event,) = deribit.decode(told("ticker.A.100ms", data))

    assert isinstance(event, Ticker)
    assert (event.last, event.high, event.low, event.volume, event.open) == (None,) * 5


def test_trades_come_as_a_list() -> None:
    """Of one instrument or of many: an event each, with its own symbol and number."""
    trade = '{{"trade_seq":{},"trade_id":"{}","timestamp":5,"price":1.0,"amount":2.0,"direction":"buy",'
    data = ",".join(
        trade.format(number, number) + f'"instrument_name":"{name}"}}' for number, name in ((1, "A"), (9, "B"))
    )
    events = deribit.decode(told("trades.option.BTC.100ms", f"[{data}]"))

    assert [(event.symbol, event.sequence) for event in events if isinstance(event, Trade)] == [("A", 1), ("B", 9)]
    assert [event.time_ns for event in events] == [5_000_000] * 2


@pytest.mark.parametrize("channel", ["book.A.100ms", "book.A.agg2", "book.A.raw"])
def test_a_level_that_goes_has_no_size(channel: str) -> None:
    """Whatever stands beside its "delete"."""
    data = '{"type":"change","timestamp":1,"instrument_name":"A","prev_change_id":1,"change_id":5,'
    data += '"bids":[["delete",1.0,7.0],["new",2.0,3.0]],"asks":[]}'
    (event,) = deribit.decode(told(channel, data))

    assert isinstance(event, BookDelta)
    assert [(str(price), str(size)) for price, size in event.bids] == [("1.0", "0"), ("2.0", "3.0")]
    assert (event.previous, event.sequence) == (1, 5)


@pytest.mark.parametrize("channel", ["book.A.none.1.100ms", "book.A.5.20.agg2"])
def test_a_window_is_whole(channel: str) -> None:
    """Each message of it: grouped or not."""
    data = '{"timestamp":1,"instrument_name":"A","change_id":5,"bids":[[1.0,2.0]],"asks":[]}'
    (event,) = deribit.decode(told(channel, data))

    assert isinstance(event, BookSnapshot)
    assert (event.sequence, len(event.bids), event.asks) == (5, 1, ())


@pytest.mark.parametrize(("resolution", "minutes"), [("1", 1), ("720", 720), ("1D", 1_440)])
def test_a_candle_is_as_long_as_its_channel_says(resolution: str, minutes: int) -> None:
    """And does not say whether it is closed."""
    data = '{"tick":60000,"open":1.0,"high":1.0,"low":1.0,"close":1.0,"volume":0}'
    (event,) = deribit.decode(told(f"chart.trades.A-B_C.{resolution}", data))

    assert isinstance(event, Candle)
    assert (event.symbol, event.interval, event.closed) == ("A-B_C", resolution, None)
    assert event.close_ns - event.open_ns == minutes * 60_000_000_000


@pytest.mark.parametrize(
    ("symbol", "common"),
    [("BTC-PERPETUAL", "BTC/USD:BTC"), ("SOL_USDC-PERPETUAL", "SOL/USDC:USDC"), ("BTC_USDC", "BTC/USDC")],
)
def test_symbols_have_a_common_form(symbol: str, common: str) -> None:
    """And come back from it."""
    assert (deribit.common_symbol(symbol), deribit.venue_symbol(common)) == (common, symbol)


@pytest.mark.parametrize("symbol", ["BTC", "BTC-26DEC25", "BTC-26DEC25-100000-C", "_USDC", "BTC_", "BTC_USDC-X"])
def test_what_expires_has_no_common_form(symbol: str) -> None:
    """Nor has what is neither a perpetual nor a pair."""
    with pytest.raises(ConfigError) as refused:
        deribit.common_symbol(symbol)
    assert str(refused.value) == (
        f"symbol: {symbol!r} has no common form; take a perpetual, like 'BTC-PERPETUAL', or a pair"
    )


def test_a_contract_that_settles_in_something_else_is_refused() -> None:
    """With what would be right."""
    with pytest.raises(ConfigError) as refused:
        deribit.venue_symbol("BTC/USD:ETH")
    assert str(refused.value) == "symbol: 'BTC/USD:ETH' is none of Deribit's; take 'BTC/USD:BTC', or 'SOL/USDC:USDC'"
