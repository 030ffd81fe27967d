"""Real traffic of five venues: every frame is understood, every digit kept, every link and checksum verified."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count, pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from rxws import gaps
from rxws.errors import BrokenBook, ChecksumMismatch, SequenceGap
from rxws.exchanges import binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.market import BookDelta, BookSnapshot, Trade
from rxws.orderbook import OrderBook
from rxws.venue import Kind
from tests.exchanges.recorded import FOLDER, VENUES, recording

EACH = pytest.mark.parametrize("name", VENUES)
BookEvent = BookSnapshot | BookDelta

# Of each recording: how many frames of each kind, how many events of each type, and frames of each class of topics.
COUNTS: dict[str, tuple[dict[str, int], dict[str, int], dict[str, int]]] = {
    "binance_spot": (
        {"DATA": 265},
        {"BookDelta": 177, "Quote": 84, "Trade": 2, "Candle": 2},
        {"depth@100ms": 177, "bookTicker": 84, "aggTrade": 2, "kline_1m": 2},
    ),
    "binance_usdm": (
        {"DATA": 1535},
        {"BookDelta": 764, "Quote": 613, "Trade": 91, "Candle": 67},
        {"depth@100ms": 764, "bookTicker": 613, "aggTrade": 91, "kline_1m": 67},
    ),
    "deribit": (
        {"DATA": 135, "ACKNOWLEDGEMENT": 1},
        {"Ticker": 89, "BookSnapshot": 10, "BookDelta": 36},
        {"ticker": 89, "book": 46},
    ),
    "coinbase_exchange": (
        {"DATA": 3493, "ACKNOWLEDGEMENT": 3},
        {"BookDelta": 3415, "BookSnapshot": 10, "Ticker": 34, "Trade": 34},
        {"level2_batch": 3425, "ticker": 34, "matches": 34},
    ),
    "okx": (
        {"DATA": 392, "ACKNOWLEDGEMENT": 18},
        {"BookDelta": 287, "BookSnapshot": 3, "Trade": 74, "Ticker": 28},
        {"books": 290, "trades": 74, "tickers": 28},
    ),
}


def class_of(topic: str) -> str:
    """Return a topic without its symbol."""
    return topic.partition("@")[2] or topic.replace(":", ".").partition(".")[0]


def test_every_recording_is_read() -> None:
    """None lies there without a test."""
    assert {path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.gz")} == set(VENUES) == set(COUNTS)


@EACH
def test_every_frame_is_known(name: str) -> None:
    """So many of each kind, none unknown; so many of each type of event, and of each class of topics."""
    told = recording(name)
    frames = [told.venue.classify(frame) for frame in told.received]

    kinds = Counter(frame.kind.name for frame in frames)
    events = Counter(type(event).__name__ for event in told.events)
    topics = Counter(class_of(frame.topic) for frame in frames if frame.topic)
    assert (kinds, events, topics) == COUNTS[name]
    assert not any(frame.ends or frame.answer for frame in frames)


@EACH
def test_data_are_events_and_nothing_else_is(name: str) -> None:
    """Each frame of data gives one or more, of the symbol in its topic; an answer gives none."""
    venue = recording(name).venue
    for frame in recording(name).received:
        found = venue.classify(frame)
        events = venue.decode(frame)
        assert bool(events) is (found.kind is Kind.DATA), frame
        for event in events:
            assert event.venue == venue.NAME
            assert event.symbol.lower() in (found.topic or "").lower()


@EACH
def test_bytes_are_as_text(name: str) -> None:
    """A frame gives the same, whichever way it came; when it came is noted on each event."""
    venue = recording(name).venue
    for frame in recording(name).received:
        assert venue.classify(frame.encode()) == venue.classify(frame)
        events = venue.decode(frame)
        assert venue.decode(frame.encode()) == events
        assert venue.decode(frame, 7) == [msgspec.structs.replace(event, arrival_ns=7) for event in events]


# Digits: what stands in the frames, seen by other means than the modules'.


def decimals(value: Any) -> Iterator[Decimal]:
    """Yield all of them that an event holds."""
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from decimals(each)


def picked(told: dict[str, Any], names: str) -> list[str]:
    """Return some fields."""
    return [told[name] for name in names.split()]


def of_binance(frame: Any) -> list[str]:
    """The texts of the prices and sizes."""
    told = frame["data"]
    match told.get("e"):
        case "depthUpdate":
            return [text for level in told["b"] + told["a"] for text in level]
        case "aggTrade":
            return picked(told, "p q")
        case "kline":
            return picked(told["k"], "o h l c v")
        case _:
            return picked(told, "b B a A")


def of_okx(frame: Any) -> list[str]:
    """The texts of the prices and sizes."""
    texts: list[str] = []
    for told in frame.get("data", []):
        if "px" in told:
            texts += picked(told, "px sz")
        elif "last" in told:
            texts += picked(told, "last askPx askSz bidPx bidSz open24h high24h low24h vol24h")
        else:
            texts += [text for level in told["bids"] + told["asks"] for text in level[:2]]
    return texts


def of_coinbase(frame: Any) -> list[str]:
    """The texts of the prices and sizes."""
    match frame["type"]:
        case "snapshot":
            return [text for level in frame["bids"] + frame["asks"] for text in level]
        case "l2update":
            return [text for change in frame["changes"] for text in change[1:]]
        case "ticker":
            return picked(frame, "price open_24h high_24h low_24h volume_24h best_bid best_ask")
        case "subscriptions":
            return []
        case _:
            return picked(frame, "price size")


def of_deribit(frame: Any) -> list[str]:
    """The texts of the prices and sizes; a level that goes has none, nor has a side without an offer."""
    if "params" not in frame:
        return []
    told = frame["params"]["data"]
    if "change_id" in told:
        return [text for action, *level in told["bids"] + told["asks"] for text in gone(action, level)]
    tops = [(told[f"best_{side}_price"], told[f"best_{side}_amount"]) for side in ("bid", "ask")]
    offers = [text for price, size in tops if price and size and float(price) and float(size) for text in (price, size)]
    return offers + [text for text in (told["last_price"], *picked(told["stats"], "volume low high")) if text]


def gone(action: str, level: list[str]) -> list[str]:
    """What an event says of a level."""
    if action == "delete":
        assert float(level[1]) == 0.0
        return [level[0], "0"]
    return level


TEXTS: dict[str, Callable[[Any], list[str]]] = {
    "binance_spot": of_binance,
    "binance_usdm": of_binance,
    "deribit": of_deribit,
    "coinbase_exchange": of_coinbase,
    "okx": of_okx,
}


@EACH
def test_every_digit_is_kept(name: str) -> None:
    """The numbers of each event are those of its frame, to the last zero."""
    venue, seen = recording(name).venue, 0
    for frame in recording(name).received:
        wanted = TEXTS[name](json.loads(frame, parse_float=str, parse_int=str))
        events = venue.decode(frame)
        numbers = [
            number
            for event in events
            for field in event.__struct_fields__
            for number in decimals(getattr(event, field))
        ]
        assert Counter(map(Decimal.as_tuple, map(Decimal, wanted))) == Counter(map(Decimal.as_tuple, numbers)), frame
        seen += len(numbers)

    assert seen > 300


# Links


def books(name: str) -> dict[str, list[BookEvent]]:
    """Return the events of each symbol's book."""
    found: dict[str, list[BookEvent]] = {}
    for event in recording(name).events:
        if isinstance(event, BookSnapshot | BookDelta):
            found.setdefault(event.symbol, []).append(event)
    return found


# The recordings whose books are linked, how many books there are, and how many links in all: the first message of a
# book has none. OKX had no such numbers in 2022.
LINKED = pytest.mark.parametrize(
    ("name", "symbols", "links"),
    [("binance_spot", 4, 173), ("binance_usdm", 4, 760), ("deribit", 10, 36)],
)


@LINKED
def test_every_link_holds(name: str, symbols: int, links: int) -> None:
    """A book takes all that was recorded, message by message."""
    checked = 0
    for events in books(name).values():
        book = OrderBook()
        for number, event in enumerate(events):
            assert book.apply(event) is gaps.Verdict.OK
            assert book.sequence == event.sequence
            checked += number > 0
        assert book.is_whole is isinstance(events[0], BookSnapshot)

    assert (len(books(name)), checked) == (symbols, links)


@LINKED
def test_every_message_that_is_missing_is_noticed(name: str, symbols: int, links: int) -> None:
    """Whichever is left out, the very next one of its symbol raises, with the numbers on both sides."""
    noticed = 0
    for events in books(name).values():
        for (before, _), (_, after) in pairwise(pairwise(events)):
            book = OrderBook()
            book.apply(before)
            with pytest.raises(SequenceGap) as missing:
                book.apply(after)
            assert isinstance(after, BookDelta)
            assert (missing.value.symbol, missing.value.last) == (after.symbol, before.sequence)
            assert missing.value.next == (after.sequence if after.first is None else after.first)
            with pytest.raises(BrokenBook):
                book.apply(after)
            noticed += 1

    # The first of a book has none before it, and behind the last nothing comes.
    assert noticed == links - sum(len(events) > 1 for events in books(name).values())


@LINKED
def test_every_link_that_is_wrong_is_noticed(name: str, symbols: int, links: int) -> None:
    """One number beside the right one is a gap, in each message."""
    noticed = 0
    for events in books(name).values():
        for before, event in pairwise(events):
            assert isinstance(event, BookDelta)
            book = OrderBook()
            book.apply(before)
            with pytest.raises(SequenceGap):
                book.apply(beside(event))
            noticed += 1

    assert noticed == links


def beside(event: BookDelta) -> BookDelta:
    """Return a message whose link is one too far on."""
    if event.previous is None:
        assert event.first is not None
        return msgspec.structs.replace(event, first=event.first + 1)
    return msgspec.structs.replace(event, previous=event.previous + 1, first=event.first and event.first + 10**9)


def test_coinbases_books_have_nothing_to_check() -> None:
    """No message has a number, a link or a checksum, and the module says so."""
    events = [event for told in books("coinbase_exchange").values() for event in told]

    assert len(events) == 3425
    assert {(event.sequence, event.checksum) for event in events} == {(None, None)}
    assert coinbase_exchange.BOOK_RULE is None


@pytest.mark.parametrize(("name", "trades"), [("binance_usdm", 91), ("coinbase_exchange", 34)])
def test_trades_are_numbered_without_a_hole(name: str, trades: int) -> None:
    """The rule for trades finds nothing missing, and finds what is left out."""
    rule, states, seen = recording(name).venue.TRADE_RULE, {}, []
    assert rule is gaps.consecutive_trades
    for event in recording(name).events:
        if isinstance(event, Trade):
            step = rule(states.get(event.symbol), event)
            states[event.symbol] = step.state
            seen.append(step.verdict)

    assert seen == [gaps.Verdict.OK] * trades


# OKX's checksums


def test_every_checksum_of_okx_is_right() -> None:
    """Of three books, after each of 290 messages."""
    checked = 0
    for events in books("okx").values():
        book = OrderBook(checksum=okx.checksum)
        for event in events:
            assert event.checksum
            book.apply(event)
            checked += 1

    assert checked == 290


def test_every_checksum_of_okx_that_is_wrong_is_noticed() -> None:
    """One bit of it, in any message; and the book is broken until a snapshot comes."""
    noticed = 0
    for events in books("okx").values():
        book = OrderBook()
        for event in events:
            assert event.checksum is not None
            wrong = msgspec.structs.replace(event, checksum=event.checksum ^ 1)
            checked = copied(book)
            with pytest.raises(ChecksumMismatch) as mismatch:
                checked.apply(wrong)
            assert (mismatch.value.expected, mismatch.value.computed) == (event.checksum ^ 1, event.checksum)
            assert not checked.is_whole
            book.apply(event)
            noticed += 1

    assert noticed == 290


def test_every_digit_among_the_best_levels_counts() -> None:
    """A size that differs in its last digit is noticed, in any message that tells one of the best 25 levels."""
    noticed = 0
    for events in books("okx").values():
        book = OrderBook()
        for event in events:
            before = copied(book)
            book.apply(event)
            best = {price for side in book.top(25) for price, _ in side}
            told = [level for level in (*event.bids, *event.asks) if level[0] in best and level[1]]
            if told:
                with pytest.raises(ChecksumMismatch):
                    before.apply(altered(event, told[-1]))
                noticed += 1

    assert noticed == 285


@pytest.mark.parametrize("symbol", ["BTC-USDT", "BTC-USD-220527", "UNI-USD-SWAP"])
def test_a_checksum_covers_25_levels_of_each_side(symbol: str) -> None:
    """Prices and sizes of those, and nothing of the rest."""
    snapshot = books("okx")[symbol][0]
    for side in (snapshot.bids, snapshot.asks):
        for place, level in enumerate(side[:40]):
            book = OrderBook(checksum=okx.checksum)
            if place < 25:
                with pytest.raises(ChecksumMismatch):
                    book.apply(altered(snapshot, level))
            else:
                book.apply(altered(snapshot, level))


def copied(book: OrderBook) -> OrderBook:
    """Return a book that checks, and knows what `book` does."""
    copy = OrderBook(checksum=okx.checksum)
    if book.symbol:
        copy.apply(book.snapshot())
    return copy


def altered(event: BookEvent, level: tuple[Decimal, Decimal]) -> BookEvent:
    """Return an event in which a level has another last digit."""
    price, size = level
    other = (price, size + Decimal(1).scaleb(size.as_tuple().exponent))  # type: ignore[arg-type]
    bids = tuple(other if each == level else each for each in event.bids)
    asks = tuple(other if each == level else each for each in event.asks)
    return msgspec.structs.replace(event, bids=bids, asks=asks)


# What the clients sent


def test_binances_url_is_that_of_the_recorded_client() -> None:
    """Character by character."""
    url = recording("binance_spot").url
    topics = parse_qs(urlsplit(url).query)["streams"][0].split("/")

    assert binance.url(topics) == url


def test_the_futures_url_is_routed_by_class() -> None:
    """What a client asked for at one URL in 2021 is had at two since 2026."""
    topics = parse_qs(urlsplit(recording("binance_usdm").url).query)["streams"][0].split("/")
    by_class = {
        kind: [topic for topic in topics if binance_usdm.endpoint(topic) == kind] for kind in ("public", "market")
    }

    assert {topic.partition("@")[2] for topic in by_class["public"]} == {"depth@100ms", "bookTicker"}
    assert {topic.partition("@")[2] for topic in by_class["market"]} == {"aggTrade", "kline_1m"}
    for kind, those in by_class.items():
        assert binance_usdm.url(those) == f"wss://fstream.binance.com/{kind}/stream?streams={'/'.join(those)}"


def test_deribits_request_is_that_of_the_recorded_client() -> None:
    """The same JSON, but that it asks for maintenance too; and the recorded answer confirms all of it."""
    told = recording("deribit")
    (sent,) = told.sent
    wanted = json.loads(sent)
    topics = wanted["params"]["channels"].copy()
    wanted["params"]["channels"].append("platform_state")
    (request,) = deribit.subscribe(topics, count(0))

    assert json.loads(request.payload) == wanted
    replies = [reply for frame in told.received if (reply := deribit.reply(frame, [request]))]
    assert [(set(reply.confirmed), reply.rejected) for reply in replies] == [(set(topics), ())]


def test_okxs_requests_are_those_of_the_recorded_client() -> None:
    """The same but for the number, and each answer confirms one topic of one request."""
    told = recording("okx")
    assert len(told.sent) == 3
    for sent, number in zip(told.sent, count(1), strict=False):
        frame = json.loads(sent)
        topics = [f"{each['channel']}:{each['instId']}" for each in frame["args"]]
        (request,) = okx.subscribe(topics, count(number))
        assert json.loads(request.payload) == {"id": str(number), **frame}
        replies = [reply for frame in told.received if (reply := okx.reply(frame, [request]))]
        assert {topic for reply in replies for topic in reply.confirmed} == set(topics)


def test_coinbases_requests_ask_for_what_the_recorded_client_did() -> None:
    """The same channels and products, and the recorded answers confirm them in turn."""
    told = recording("coinbase_exchange")
    pending = []
    for sent in told.sent:
        frame = json.loads(sent)
        (channel,) = frame["channels"]
        pending += coinbase_exchange.subscribe([f"{channel}:{each}" for each in frame["product_ids"]], count(1))
        (asked,) = json.loads(pending[-1].payload)["channels"]
        assert asked == {"name": channel, "product_ids": frame["product_ids"]}

    for frame in told.received:
        while reply := coinbase_exchange.reply(frame, pending):
            assert reply.confirmed == reply.request.topics
            pending.remove(reply.request)
    assert pending == []


def test_times_are_those_of_the_recording() -> None:
    """Nanoseconds of the venue's clock: within the half minute that was recorded, but for trades of before."""
    begins = {"binance_spot": 1633998512, "binance_usdm": 1626992741, "deribit": 1626993723, "okx": 1652459225}
    begins["coinbase_exchange"] = 1618677817
    for name, begin in begins.items():
        times = [event.time_ns / 1e9 for event in recording(name).events if event.time_ns is not None]
        assert begin - 600 < min(times) <= max(times) < begin + 60, name
