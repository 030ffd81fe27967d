"""Coinbase Exchange: answers that are the whole state, errors that name a product in words."""

from __future__ import annotations

import json
from itertools import count

import pytest

from rxws.errors import ConfigError
from rxws.exchanges import coinbase_exchange as coinbase
from rxws.market import BookDelta, BookSnapshot, LastTrade, Ticker, Trade
from rxws.venue import Frame, Kind, Rate, Reply, Request

BTC = Request(1, "subscribe", ("matches:BTC-USD", "ticker:BTC-USD"), "")
ETH = Request(2, "subscribe", ("matches:ETH-USD",), "")
BOOK = Request(3, "subscribe", ("level2_batch:BTC-USD",), "")
END = Request(4, "unsubscribe", ("matches:BTC-USD",), "")


def state(**channels: list[str]) -> str:
    """What is subscribed, as it is told."""
    return json.dumps(
        {
            "type": "subscriptions",
            "channels": [{"name": name, "product_ids": those} for name, those in channels.items()],
        }
    )


def test_topics_are_channels_and_products() -> None:
    """Quotes come with the tickers, and heartbeats are a topic too."""
    assert coinbase.ticker("BTC-USD") == coinbase.quotes("BTC-USD") == "ticker:BTC-USD"
    assert coinbase.heartbeat("BTC-USD") == "heartbeat:BTC-USD"
    with pytest.raises(ConfigError, match="symbol: 'BTC USD' is no symbol"):
        coinbase.heartbeat("BTC USD")


def test_there_are_no_candles() -> None:
    """The error says what to do."""
    with pytest.raises(ConfigError) as refused:
        coinbase.candles("BTC-USD", "1m")
    assert str(refused.value) == "interval: Coinbase Exchange has no channel of candles; make them of its trades"


def test_what_it_puts_up_with() -> None:
    """Five seconds to subscribe, eight dials a second, and as many requests, twenty of them at once."""
    rules = coinbase.RULES
    assert rules.first_subscribe == 5.0
    assert (rules.send, rules.requests) == (None, Rate(20, 2.5))
    assert rules.dials is not None and (rules.dials.count, rules.dials.per) == (8, 1.0)
    assert (coinbase.GREETINGS, coinbase.HEARTBEAT, coinbase.SNAPSHOTS, coinbase.BOOK_RULE) == ((), None, None, None)


def test_a_request_names_each_channel_once() -> None:
    """With its products; numbers are not sent."""
    topics = ["matches:A-B", "ticker:A-B", "matches:C-D"]
    (request,) = coinbase.unsubscribe(topics, count(9))

    assert (request.id, request.topics) == (9, tuple(topics))
    assert json.loads(request.payload) == {
        "type": "unsubscribe",
        "channels": [
            {"name": "matches", "product_ids": ["A-B", "C-D"]},
            {"name": "ticker", "product_ids": ["A-B"]},
        ],
    }


@pytest.mark.parametrize("topic", ["", "matches", "matches:", ":BTC-USD"])
def test_a_topic_needs_a_channel_and_a_product(topic: str) -> None:
    """Before anything is sent."""
    for ask in (coinbase.endpoint, lambda topic: coinbase.subscribe([topic], count())):
        with pytest.raises(ConfigError) as refused:
            ask(topic)
        assert str(refused.value) == (
            f"topic: {topic!r} is none of this venue; take a channel and a symbol, like 'matches:BTC-USD'"
        )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (state(matches=["BTC-USD"], ticker=["BTC-USD"]), Reply(BTC, confirmed=BTC.topics)),
        # Part of a request is confirmed as that part.
        (state(ticker=["BTC-USD"]), Reply(BTC, confirmed=("ticker:BTC-USD",))),
        (state(matches=["ETH-USD"]), Reply(ETH, confirmed=ETH.topics)),
        # The answer calls that channel by another name, or by its own.
        (state(level2_50=["BTC-USD"]), Reply(BOOK, confirmed=BOOK.topics)),
        (state(level2_batch=["BTC-USD"]), Reply(BOOK, confirmed=BOOK.topics)),
        # That a topic is not there ends none, while an older request has asked for it and waits.
        (state(), None),
        (state(full=["BTC-USD"]), None),
        (
            '{"type":"error","message":"Failed","reason":"ETH-USD is not a valid product"}',
            Reply(ETH, rejected=ETH.topics, problem="Failed: ETH-USD is not a valid product"),
        ),
        ('{"type":"error","message":"Bad, ETH-USD."}', Reply(ETH, rejected=ETH.topics, problem="Bad, ETH-USD.")),
        # A name within another is none; then it is the oldest that may be meant, and none of its topics is blamed.
        (
            '{"type":"error","message":"WETH-USDC"}',
            Reply(BTC, innocent=BTC.topics, problem="WETH-USDC"),
        ),
        ('{"type":"match","product_id":"BTC-USD"}', None),
        ("pong", None),
    ],
)
def test_an_answer_is_for_the_oldest_that_it_fits(answer: str, said: Reply | None) -> None:
    """For want of numbers: a state for the request whose topics are there, an error for the one it names."""
    pending = [BTC, ETH, BOOK, END]
    assert coinbase.reply(answer, pending) == said
    assert coinbase.reply(answer.encode(), pending) == said
    assert coinbase.reply(answer, []) is None


def test_a_state_in_which_an_old_topic_still_is_ends_none() -> None:
    """Only its absence confirms the end."""
    assert coinbase.reply(state(matches=["BTC-USD"]), [END]) is None
    assert coinbase.reply(state(full=["BTC-USD"]), [END]) == Reply(END, confirmed=END.topics)


def test_an_answer_confirms_nothing_that_an_older_request_is_about_to_change() -> None:
    """The state is that behind the oldest: there the topic is that is to be ended, and asked for anew."""
    other, again = Request(1, "subscribe", ("matches:ETH-USD",), ""), Request(5, "subscribe", END.topics, "")
    answer = state(matches=["BTC-USD", "ETH-USD"])

    assert coinbase.reply(answer, [other, END, again]) == Reply(other, confirmed=other.topics)
    assert coinbase.reply(answer, [END, again]) is None
    assert coinbase.reply(answer, [again]) == Reply(again, confirmed=again.topics)


def test_one_bad_product_costs_those_that_were_asked_for_with_it_nothing() -> None:
    """The whole request failed: the others are to be asked for again."""
    request = Request(1, "subscribe", ("matches:BTC-USD", "matches:FAKE-USD", "ticker:FAKE-USD"), "")
    reply = coinbase.reply('{"type":"error","message":"m","reason":"FAKE-USD is not a valid product"}', [request])

    assert reply is not None
    assert reply.rejected == ("matches:FAKE-USD", "ticker:FAKE-USD")
    assert reply.innocent == ("matches:BTC-USD",)


def test_an_error_that_names_nothing_is_for_the_only_topic() -> None:
    """There nobody else can be meant."""
    assert coinbase.reply('{"type":"error","message":"slow"}', [ETH]) == Reply(ETH, rejected=ETH.topics, problem="slow")
    assert coinbase.classify('{"type":"error","message":"slow"}') == Frame(Kind.ERROR)


def test_an_error_that_says_what_failed_is_for_what_asked_so() -> None:
    """However old the others are."""
    subscribed = Request(1, "subscribe", ("matches:FAKE-USD",), "")
    ended = Request(2, "unsubscribe", ("matches:FAKE-USD", "ticker:BTC-USD"), "")
    for verb, request, innocent in (("subscribe", subscribed, ()), ("unsubscribe", ended, ("ticker:BTC-USD",))):
        said = {"type": "error", "message": f"Failed to {verb}", "reason": "FAKE-USD is not a valid product"}
        for pending in ([subscribed, ended], [ended, subscribed]):
            reply = coinbase.reply(json.dumps(said), pending)
            assert reply is not None
            assert (reply.request, reply.rejected, reply.innocent) == (request, ("matches:FAKE-USD",), innocent)
    assert coinbase.reply(json.dumps({"type": "error", "message": "Failed to unsubscribe"}), [subscribed]) is None


@pytest.mark.parametrize("said", ["Rate limit exceeded", "Too Many Requests"])
def test_who_asks_too_often_is_told_later(said: str) -> None:
    """It is no fault of the topics; and where nothing was asked, nobody is meant."""
    answer = json.dumps({"type": "error", "message": said})
    assert coinbase.reply(answer, [BTC, ETH]) == Reply(BTC, later=BTC.topics, problem=said)
    failed = {"type": "error", "message": "Failed to subscribe", "reason": said}
    reply = coinbase.reply(json.dumps(failed), [END, ETH])
    assert reply is not None and (reply.request, reply.later) == (ETH, ETH.topics)
    assert coinbase.reply(answer, []) is None


def test_a_heartbeat_proves_the_last_trade() -> None:
    """Of its product, at its time, if it has a readable one; nothing else does, nor a heartbeat of another shape."""
    beat = '{"type":"heartbeat","last_trade_id":9007199254740993,"product_id":"BTC-USD","sequence":9'
    at = ',"time":"1970-01-01T00:00:01.000000Z"}'
    proof = LastTrade(venue="coinbase_exchange", symbol="BTC-USD", sequence=9007199254740993, time_ns=None)

    assert coinbase.classify(beat + "}") == Frame(Kind.HEARTBEAT, "heartbeat:BTC-USD", proof=proof)
    told = coinbase.classify((beat + at).encode()).proof
    assert told is not None
    assert told.time_ns == 1_000_000_000
    assert coinbase.decode(beat + at) == []
    others = ('{"type":"match","last_trade_id":1,"product_id":"A"}', '{"type":"heartbeat"}', beat + ',"time":"x"}')
    for other in (*others, "pong", b"\xff"):
        assert coinbase.classify(other).proof is None


def test_the_last_match_of_before_is_a_trade() -> None:
    """A subscription begins with it; what the maker did, the taker did the other way round."""
    told = '{"type":"last_match","trade_id":21,"time":"2026-06-12T03:22:48.000001Z","product_id":"BTC-USD",'
    told += '"size":"0.10","price":"61250.20","side":"buy"}'
    (event,) = coinbase.decode(told)

    assert isinstance(event, Trade)
    assert (event.side, event.time_ns, str(event.price), str(event.size)) == (
        *("sell", 1781234568000001000),
        *("61250.20", "0.10"),
    )
    assert coinbase.classify(told) == Frame(Kind.DATA, "matches:BTC-USD")


def test_changes_of_both_sides_are_parted() -> None:
    """In their order; an offset from UTC is one, and nanoseconds are as far as a microsecond goes."""
    told = (
        '{"type":"l2update","product_id":"A-B","changes":[["sell","1.10","1"],["buy","1.00","0"],["sell","1.20","2"]],'
    )
    (event,) = coinbase.decode(told + '"time":"1970-01-01T01:00:00.000001999+01:00"}')

    assert isinstance(event, BookDelta)
    assert [str(price) for price, _ in event.asks] == ["1.10", "1.20"]
    assert [str(price) for price, _ in event.bids] == ["1.00"]
    assert event.time_ns in (1_000, 2_000)


def test_a_snapshot_may_have_a_time_and_a_ticker_may_lack_some() -> None:
    """As older and newer ones do."""
    (event,) = coinbase.decode(
        '{"type":"snapshot","product_id":"A-B","bids":[],"asks":[],"time":"1970-01-01T00:00:01Z"}'
    )
    assert isinstance(event, BookSnapshot)
    assert event.time_ns == 1_000_000_000
    told = '{"type":"ticker","product_id":"A-B","price":"1","open_24h":"1","volume_24h":"1","low_24h":"1",'
    (event,) = coinbase.decode(told + '"high_24h":"1","best_bid":"1","best_ask":"1"}')
    assert isinstance(event, Ticker)
    assert (event.time_ns, event.bid_size, event.ask_size) == (None, None, None)


def test_products_have_a_common_form() -> None:
    """And come back from it; contracts there are none."""
    assert (coinbase.common_symbol("BTC-USD"), coinbase.venue_symbol("BTC/USD")) == ("BTC/USD", "BTC-USD")
    with pytest.raises(ConfigError) as refused:
        coinbase.venue_symbol("BTC/USD:USD")
    assert str(refused.value) == ("symbol: 'BTC/USD:USD' is a contract, and Coinbase Exchange has none; take 'BTC/USD'")
    for symbol in ("BTC", "BTC-", "-USD", "BTC-USD-X"):
        with pytest.raises(ConfigError) as refused:
            coinbase.common_symbol(symbol)
        assert str(refused.value) == f"symbol: {symbol!r} is no product; take one like 'BTC-USD'"
