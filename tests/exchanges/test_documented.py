"""The messages that stand above the decoders are what the decoders read, and each decoder has one."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal as D
from itertools import count
from types import ModuleType
from typing import Any, get_args

import msgspec
import pytest

from rxws.exchanges import _binance, _binance_data, binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.market import BookDelta, BookSnapshot, Candle, LastTrade, MarketEvent, Quote, Ticker, Trade
from rxws.venue import Frame, Kind, Request

NS = 1_000_000
TIME = 1781234567890 * NS
BTC = "BTC-PERPETUAL"
MODULES = (_binance, _binance_data, binance, binance_usdm, coinbase_exchange, deribit, okx)


@dataclass(frozen=True)
class Documented:
    """A message of the comments, what it is, and what is decoded from it or said by it of a request."""

    venue: ModuleType
    frame: Frame
    events: tuple[MarketEvent, ...] = ()
    asked: tuple[str, ...] = ()
    number: int = 1
    confirmed: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    problem: str = ""


ACKNOWLEDGEMENT, ERROR = Frame(Kind.ACKNOWLEDGEMENT), Frame(Kind.ERROR)
NO_TOP: dict[str, Any] = {"bid": None, "bid_size": None, "ask": None, "ask_size": None}


def data(topic: str | None) -> Frame:
    """Data of a topic."""
    return Frame(Kind.DATA, topic)


def binance_trade(number: int, price: str, size: str, side: Any, time: int) -> Trade:
    """A trade of BTCUSDT."""
    return Trade(
        venue="binance",
        symbol="BTCUSDT",
        price=D(price),
        size=D(size),
        side=side,
        id=str(number),
        time_ns=time * NS,
        sequence=number,
    )


BINANCE_SHARED = [
    Documented(binance, Frame(Kind.NOTICE, ends=True)),
    Documented(binance, Frame(Kind.NOTICE, ends=True)),
    Documented(binance, ACKNOWLEDGEMENT, asked=("x@trade", "y@trade"), confirmed=("x@trade", "y@trade")),
    Documented(
        *(binance, ERROR, (), ("x@trade",), 6), rejected=("x@trade",), problem="Invalid request: invalid stream"
    ),
    Documented(
        *(binance, ERROR, (), ("x@trade",)),
        rejected=("x@trade",),
        problem="Invalid JSON: expected value at line 1 column 1",
    ),
]
BINANCE_DATA = [
    Documented(
        binance,
        data("btcusdt@aggTrade"),
        (binance_trade(512340, "61250.10000000", "0.01500000", "sell", 1781234567888),),
    ),
    Documented(
        binance,
        data("btcusdt@trade"),
        (binance_trade(900103, "61250.11000000", "0.00200000", "buy", 1781234567889),),
    ),
    Documented(
        binance,
        data("btcusdt@kline_1m"),
        (
            Candle(
                venue="binance",
                symbol="BTCUSDT",
                interval="1m",
                open_ns=1781234460000 * NS,
                close_ns=1781234520000 * NS,
                open=D("61200.00000000"),
                high=D("61260.00000000"),
                low=D("61199.90000000"),
                close=D("61250.11000000"),
                volume=D("12.34500000"),
                closed=True,
                time_ns=1781234520004 * NS,
            ),
        ),
    ),
    Documented(
        binance,
        data("btcusdt@bookTicker"),
        (
            Quote(
                venue="binance",
                symbol="BTCUSDT",
                bid=D("61250.10000000"),
                bid_size=D("1.31000000"),
                ask=D("61250.11000000"),
                ask_size=D("0.40660000"),
                time_ns=None,
                sequence=7000001,
            ),
        ),
    ),
    Documented(
        binance_usdm,
        data("sushiusdt@bookTicker"),
        (
            Quote(
                venue="binance_usdm",
                symbol="SUSHIUSDT",
                bid=D("7.6110"),
                bid_size=D("2"),
                ask=D("7.6120"),
                ask_size=D("297"),
                time_ns=1626992741012 * NS,
                sequence=600859600576,
            ),
        ),
    ),
    Documented(
        binance,
        data("btcusdt@ticker"),
        (
            Ticker(
                venue="binance",
                symbol="BTCUSDT",
                last=D("61250.11000000"),
                bid=D("61250.10000000"),
                bid_size=D("1.31000000"),
                ask=D("61250.11000000"),
                ask_size=D("0.40660000"),
                open=D("61100.11000000"),
                high=D("61900.00000000"),
                low=D("59880.00000000"),
                volume=D("18234.50000000"),
                time_ns=TIME,
            ),
        ),
    ),
    Documented(
        binance,
        data("btcusdt@miniTicker"),
        (
            Ticker(
                venue="binance",
                symbol="BTCUSDT",
                **NO_TOP,
                last=D("61250.11000000"),
                open=D("60100.00000000"),
                high=D("61900.00000000"),
                low=D("59880.00000000"),
                volume=D("18234.50000000"),
                time_ns=TIME,
            ),
        ),
    ),
]
BINANCE = [
    # Unwrapped changes do not say which speed was asked for, nor best levels whose they are.
    Documented(
        binance,
        data(None),
        (
            BookDelta(
                venue="binance",
                symbol="BTCUSDT",
                bids=((D("61250.10000000"), D("1.31000000")),),
                asks=((D("61260.00000000"), D("0.00000000")),),
                first=1570,
                sequence=1600,
                time_ns=TIME,
            ),
        ),
    ),
    Documented(
        binance,
        data(None),
        (
            BookSnapshot(
                venue="binance",
                symbol="",
                bids=((D("61250.10000000"), D("1.31000000")),),
                asks=((D("61250.11000000"), D("0.40660000")),),
                sequence=1600,
            ),
        ),
    ),
]
USDM: dict[str, Any] = {
    "venue": "binance_usdm",
    "symbol": "BTCUSDT",
    "bids": ((D("61250.10"), D("10")),),
    "sequence": 160,
    "previous": 149,
    "first": 157,
    "time_ns": 1781234567885 * NS,
}
BINANCE_USDM = [
    Documented(binance_usdm, data(None), (BookDelta(**USDM, asks=((D("61250.20"), D("0")),)),)),
    # Unwrapped best levels look like changes.
    Documented(binance_usdm, data(None), (BookDelta(**USDM, asks=((D("61250.20"), D("4")),)),)),
    # It is fetched, and never comes by a stream.
    Documented(binance_usdm, Frame(Kind.UNKNOWN)),
]
COINBASE: dict[str, Any] = {"venue": "coinbase_exchange", "symbol": "BTC-USD"}
COINBASE_EXCHANGE = [
    Documented(
        coinbase_exchange,
        Frame(
            *(Kind.HEARTBEAT, "heartbeat:BTC-USD"),
            proof=LastTrade(**COINBASE, sequence=20, time_ns=1781234567890 * NS),
        ),
    ),
    Documented(
        *(coinbase_exchange, ACKNOWLEDGEMENT, ()),
        asked=("level2_batch:BTC-USD", "ticker:BTC-USD"),
        confirmed=("level2_batch:BTC-USD",),
    ),
    Documented(
        *(coinbase_exchange, ERROR, ()),
        asked=("ticker:FAKE-USD",),
        rejected=("ticker:FAKE-USD",),
        problem="Failed to subscribe: FAKE-USD is not a valid product",
    ),
    Documented(
        coinbase_exchange,
        data("level2_batch:BTC-USD"),
        (BookSnapshot(**COINBASE, bids=((D("61250.10"), D("0.45")),), asks=((D("61250.20"), D("1.00")),)),),
    ),
    Documented(
        coinbase_exchange,
        data("level2_batch:BTC-USD"),
        (BookDelta(**COINBASE, bids=((D("61250.10"), D("0.00")),), asks=(), time_ns=1781234567990 * NS),),
    ),
    Documented(
        coinbase_exchange,
        data("matches:BTC-USD"),
        (
            Trade(
                **COINBASE,
                price=D("61250.2"),
                size=D("0.1"),
                side="buy",
                id="21",
                sequence=21,
                time_ns=1781234568000 * NS,
            ),
        ),
    ),
    Documented(
        coinbase_exchange,
        data("ticker:BTC-USD"),
        (
            Ticker(
                **COINBASE,
                last=D("61250.2"),
                bid=D("61250.1"),
                bid_size=D("0.1"),
                ask=D("61250.2"),
                ask_size=D("0.2"),
                open=D("60100"),
                high=D("61900"),
                low=D("59880"),
                volume=D("9000"),
                time_ns=1781234568000 * NS,
            ),
        ),
    ),
]
PERPETUAL: dict[str, Any] = {"venue": "deribit", "symbol": BTC}
TOP: dict[str, Any] = {
    "bid": D("61250.0"),
    "bid_size": D("3460.0"),
    "ask": D("61250.5"),
    "ask_size": D("680.0"),
    "time_ns": TIME,
}
DERIBIT = [
    Documented(deribit, Frame(Kind.HEARTBEAT, answer=deribit.ANSWER)),
    Documented(deribit, Frame(Kind.HEARTBEAT)),
    Documented(deribit, Frame(Kind.NOTICE, "platform_state", ends=True)),
    Documented(deribit, Frame(Kind.NOTICE, "platform_state")),
    Documented(
        *(deribit, ACKNOWLEDGEMENT, ()),
        (f"book.{BTC}.100ms", f"quote.{BTC}"),
        number=11,
        confirmed=(f"book.{BTC}.100ms",),
        rejected=(f"quote.{BTC}",),
        problem="Deribit has no such channel",
    ),
    Documented(
        *(deribit, ERROR, (), (f"book.{BTC}.raw",), 14),
        rejected=(f"book.{BTC}.raw",),
        problem="raw_subscriptions_not_available_for_unauthorized",
    ),
    Documented(
        deribit,
        data(f"book.{BTC}.100ms"),
        (
            BookSnapshot(
                **PERPETUAL,
                bids=((D("61250.0"), D("3460.0")), (D("61249.5"), D("20.0"))),
                asks=((D("61250.5"), D("680.0")),),
                sequence=880001,
                time_ns=TIME,
            ),
        ),
    ),
    Documented(
        deribit,
        data(f"book.{BTC}.100ms"),
        (
            BookDelta(
                **PERPETUAL,
                bids=((D("61249.5"), D("0")),),
                asks=((D("61250.5"), D("700.0")),),
                sequence=880017,
                previous=880001,
                time_ns=TIME + 100 * NS,
            ),
        ),
    ),
    Documented(
        deribit,
        data(f"book.{BTC}.none.10.100ms"),
        (
            BookSnapshot(
                **PERPETUAL,
                bids=((D("61250.0"), D("3460.0")),),
                asks=((D("61250.5"), D("680.0")),),
                sequence=880001,
                time_ns=TIME,
            ),
        ),
    ),
    Documented(
        deribit,
        data(f"trades.{BTC}.100ms"),
        (
            Trade(
                **PERPETUAL,
                price=D("61250.0"),
                size=D("10.0"),
                side="sell",
                id="90001",
                sequence=5001,
                time_ns=TIME,
            ),
        ),
    ),
    Documented(deribit, data(f"quote.{BTC}"), (Quote(**PERPETUAL, **TOP),)),
    Documented(
        deribit,
        data(f"ticker.{BTC}.100ms"),
        (
            Ticker(
                **PERPETUAL,
                **TOP,
                last=D("61250.0"),
                open=None,
                high=D("62000.0"),
                low=D("60000.0"),
                volume=D("123.4"),
            ),
        ),
    ),
    Documented(
        deribit,
        data(f"chart.trades.{BTC}.1"),
        (
            Candle(
                **PERPETUAL,
                interval="1",
                open_ns=1781234520000 * NS,
                close_ns=1781234580000 * NS,
                open=D("61200.0"),
                high=D("61260.0"),
                low=D("61199.5"),
                close=D("61250.0"),
                volume=D("0.05"),
                closed=None,
                time_ns=1781234520000 * NS,
            ),
        ),
    ),
]
PAIR: dict[str, Any] = {"venue": "okx", "symbol": "BTC-USDT"}
OKX = [
    Documented(okx, Frame(Kind.NOTICE, ends=True)),
    # The numbers of the documents are words; those of the module are numbers.
    Documented(okx, ACKNOWLEDGEMENT),
    Documented(okx, ERROR),
    Documented(
        okx,
        data("books:BTC-USDT"),
        (
            BookSnapshot(
                **PAIR,
                bids=((D("61250.1"), D("26")),),
                asks=((D("61250.2"), D("340")),),
                sequence=123456,
                time_ns=TIME,
            ),
        ),
    ),
    Documented(
        okx,
        data("books:BTC-USDT"),
        (
            BookDelta(
                **PAIR,
                bids=(),
                asks=((D("61250.2"), D("0")),),
                sequence=123460,
                previous=123456,
                time_ns=TIME + 100 * NS,
            ),
        ),
    ),
    Documented(okx, Frame(Kind.UNKNOWN)),  # fetched: it never comes by a socket
    Documented(
        okx,
        data("bbo-tbt:BTC-USDT"),
        (
            Quote(
                **PAIR,
                bid=D("61250.1"),
                bid_size=D("26"),
                ask=D("61250.2"),
                ask_size=D("340"),
                sequence=123456,
                time_ns=TIME,
            ),
        ),
    ),
    Documented(
        okx,
        data("trades:BTC-USDT"),
        (Trade(**PAIR, price=D("61250.1"), size=D("0.25"), side="buy", id="700100200", time_ns=TIME),),
    ),
    Documented(
        okx,
        data("tickers:BTC-USDT"),
        (
            Ticker(
                **PAIR,
                last=D("61250.1"),
                bid=D("61250.1"),
                bid_size=D("5"),
                ask=D("61250.2"),
                ask_size=D("11"),
                open=D("60100"),
                high=D("61900"),
                low=D("59880"),
                volume=D("2222"),
                time_ns=TIME,
            ),
        ),
    ),
    Documented(
        okx,
        data("candle1m:BTC-USDT"),
        (
            Candle(
                **PAIR,
                interval="1m",
                open_ns=1781234460000 * NS,
                close_ns=1781234520000 * NS,
                open=D("61200"),
                high=D("61260"),
                low=D("61199.9"),
                close=D("61250.1"),
                volume=D("12.3"),
                closed=True,
                time_ns=1781234460000 * NS,
            ),
        ),
    ),
]
# In the order of each file.
EXPECTED: dict[ModuleType, list[Documented]] = dict(
    zip(
        MODULES,
        (BINANCE_SHARED, BINANCE_DATA, BINANCE, BINANCE_USDM, COINBASE_EXCHANGE, DERIBIT, OKX),
        strict=True,
    )
)


def blocks(source: str) -> Iterator[str]:
    """Yield each run of lines that are nothing but a comment, as one line of text."""
    for block in re.findall(r"(?:^#.*\n)+", source, re.MULTILINE):
        yield " ".join(line.removeprefix("#").strip() for line in block.splitlines())


def messages(text: str) -> Iterator[str]:
    """Yield the JSON objects of a text, as they stand there."""
    begin = text.find('{"')
    while begin >= 0:
        _, end = json.JSONDecoder().raw_decode(text, begin)
        yield text[begin:end]
        begin = text.find('{"', end)


def documented(module: ModuleType) -> list[str]:
    """Return the messages of a module's comments, in their order."""
    return [each for block in blocks(inspect.getsource(module)) for each in messages(block)]


CASES = [
    pytest.param(message, case, id=f"{module.__name__.rpartition('.')[2]}-{number}")
    for module, cases in EXPECTED.items()
    for number, (message, case) in enumerate(zip(documented(module), cases, strict=False))
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_message_of_the_comments_is_tested(module: ModuleType) -> None:
    """One that is written there without saying here what it means fails."""
    assert len(documented(module)) == len(EXPECTED[module])


@pytest.mark.parametrize(("message", "case"), CASES)
def test_a_documented_message_is_what_it_is(message: str, case: Documented) -> None:
    """Classified as that, and decoded into exactly those events, of text and of bytes."""
    for frame in (message, message.encode()):
        assert case.venue.classify(frame) == case.frame
        assert case.venue.decode(frame) == list(case.events)


@pytest.mark.parametrize(("message", "case"), CASES)
def test_a_documented_answer_says_that(message: str, case: Documented) -> None:
    """Of the request with its number what it says, and of no request nothing."""
    assert case.venue.reply(message, []) is None
    if not case.asked:
        return
    request = Request(case.number, "subscribe", case.asked, "")
    reply = case.venue.reply(message, [Request(99, "subscribe", ("other",), ""), request]) or case.venue.reply(
        message, [request]
    )

    assert (reply.request, reply.confirmed, reply.rejected) == (request, case.confirmed, case.rejected)
    assert (reply.problem, reply.innocent) == (case.problem, ())


def test_okxs_documented_answers_say_that() -> None:
    """With the number of a request of ours in place of the documents'."""
    _, acknowledged, refused, *_ = documented(okx)
    (request,) = okx.subscribe(["books:BTC-USDT", "tickers:FAKE-USDT"], count(3))

    said = okx.reply(acknowledged.replace("a1", "3"), [request])
    assert said is not None and said.confirmed == ("books:BTC-USDT",)
    said = okx.reply(refused.replace("a1", "3"), [request])
    assert said is not None and (said.rejected, said.innocent) == (("tickers:FAKE-USDT",), ())
    assert said.problem.startswith("Wrong URL or channel:tickers,instId:FAKE-USDT doesn't exist. Please use the")


def test_okxs_pong_is_no_json() -> None:
    """The one documented message that is not: above `classify`, as a word."""
    assert "# pong\n" in inspect.getsource(okx)
    assert okx.classify("pong") == okx.classify(b"pong") == Frame(Kind.HEARTBEAT)
    assert okx.decode("pong") == okx.decode(b"pong") == []


def test_wrapped_best_levels_of_the_futures_are_a_snapshot() -> None:
    """By the name of their stream they are told from changes."""
    _, top, fetched = documented(binance_usdm)
    wrapped = f'{{"stream":"btcusdt@depth20@100ms","data":{top}}}'
    known = {name: value for name, value in USDM.items() if name not in ("previous", "first")}

    assert binance_usdm.decode(wrapped) == [BookSnapshot(**known, asks=((D("61250.20"), D("4")),))]
    assert binance_usdm.SNAPSHOTS is not None
    assert binance_usdm.SNAPSHOTS.decode(fetched.encode(), "BTCUSDT") == BookSnapshot(
        venue="binance_usdm",
        symbol="BTCUSDT",
        bids=((D("61250.10"), D("1.31")),),
        asks=((D("61250.20"), D("0.4")),),
        sequence=1600,
        time_ns=1781234567885 * NS,
    )


def test_a_fetched_book_of_spot_is_of_the_shape_of_its_best_levels() -> None:
    """The documented message, with the symbol that was asked for."""
    _, depth = documented(binance)
    wrapped = f'{{"stream":"btcusdt@depth20@100ms","data":{depth}}}'
    assert binance.SNAPSHOTS is not None

    (event,) = binance.decode(wrapped)
    assert isinstance(event, BookSnapshot)
    assert (event.symbol, event.sequence) == ("BTCUSDT", 1600)
    assert binance.SNAPSHOTS.decode(depth.encode(), "BTCUSDT") == event


def test_a_fetched_book_of_okx_is_linked_to_its_changes() -> None:
    """By the number that the changes have, too; it is not needed as long as the stream begins with one of its own."""
    fetched = next(each for each in documented(okx) if each.startswith('{"code":"0"'))
    assert okx.SNAPSHOTS is not None
    assert not okx.SNAPSHOTS.are_needed
    assert okx.SNAPSHOTS.url("BTC-USDT").endswith("/api/v5/market/books?instId=BTC-USDT&sz=400&source=0")
    assert okx.SNAPSHOTS.decode(fetched.encode(), "BTC-USDT") == BookSnapshot(
        venue="okx",
        symbol="BTC-USDT",
        bids=((D("61250.1"), D("26")),),
        asks=((D("61250.2"), D("340")),),
        sequence=123456,
        time_ns=TIME,
    )


# What has no message of its own: what is around every message, and the lists within it.
AROUND = {"Envelope", "Named", "list[str]"}


def read_by(decoder: msgspec.json.Decoder[Any]) -> Any:
    """Return the type that a decoder makes, or makes lists of."""
    kind = decoder.type
    return get_args(kind)[0] if getattr(kind, "__origin__", None) is list and get_args(kind)[0] is not str else kind


def defined(module: ModuleType, kind: Any) -> str:
    """Return the line that defines a type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"class {kind.__name__}("
    (name,) = (name for name, value in vars(module).items() if value == kind)
    return f"{name}: TypeAlias = "


DECODERS = [
    pytest.param(module, kind, id=f"{module.__name__.rpartition('.')[2]}.{getattr(kind, '__name__', 'tuple')}")
    for module in MODULES
    for kind in {
        str(each): each
        for each in (read_by(value) for value in vars(module).values() if isinstance(value, msgspec.json.Decoder))
    }.values()
    if getattr(kind, "__name__", "") not in AROUND and str(kind) not in AROUND
]


def test_the_decoders_are_found() -> None:
    """Or the next test would say nothing."""
    assert len(DECODERS) == 26


@pytest.mark.parametrize(("module", "kind"), DECODERS)
def test_every_decoder_has_its_source_and_a_message_above_it(module: ModuleType, kind: Any) -> None:
    """In the comment right above the type that it makes."""
    above = inspect.getsource(module).partition(f"\n{defined(module, kind)}")[0]
    comment = re.search(r"(?:^#.*\n)+\Z", above + "\n", re.MULTILINE)

    assert comment is not None
    assert "# Source: " in comment[0]
    (text,) = blocks(comment[0])
    assert list(messages(text)) != []
