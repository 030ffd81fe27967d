"""An order book takes what links to what it has, and is never repaired by guessing."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.errors import BrokenBook, ChecksumMismatch, ConfigError, SequenceGap
from rxws.gaps import Verdict
from rxws.market import BookDelta, BookSnapshot, Level, Quote, Side
from rxws.orderbook import OrderBook


def levels(*texts: str) -> tuple[Level, ...]:
    """Read levels that are written "price:size"."""
    pairs = (text.split(":") for text in texts)
    return tuple((Decimal(price), Decimal(size)) for price, size in pairs)


def snapshot(bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = (), **fields: Any) -> BookSnapshot:
    """A whole book of BTCUSDT."""
    return BookSnapshot(**{"venue": "v", "symbol": "BTCUSDT", **fields}, bids=bids, asks=asks)


def delta(bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = (), **fields: Any) -> BookDelta:
    """What changed in it."""
    return BookDelta(**{"venue": "v", "symbol": "BTCUSDT", **fields}, bids=bids, asks=asks)


def filled(**arguments: Any) -> OrderBook:
    """A book of three levels a side, numbered 7."""
    book = OrderBook(**arguments)
    book.apply(snapshot(levels("9:1", "8:2", "7:3"), levels("10:1", "11:2", "12:3"), sequence=7, time_ns=70))
    return book


def test_a_book_begins_empty() -> None:
    """With nothing to show, of no symbol, and not whole."""
    book = OrderBook()

    assert (book.bids, book.asks, book.best_bid, book.best_ask, book.top(None)) == ([], [], None, None, ([], []))
    assert (book.venue, book.symbol, book.sequence, book.time_ns, book.is_whole) == ("", "", None, None, False)


def test_a_snapshot_is_the_whole_book() -> None:
    """Best first on both sides, in whatever order it comes; and it takes the place of all that was there."""
    book = filled()
    assert book.apply(snapshot(levels("1:1", "3:3", "2:2"), levels("6:6", "4:4"), sequence=3, time_ns=30)) is Verdict.OK

    assert (book.bids, book.asks) == (list(levels("3:3", "2:2", "1:1")), list(levels("4:4", "6:6")))
    assert (book.best_bid, book.best_ask) == (levels("3:3")[0], levels("4:4")[0])
    assert (book.venue, book.symbol, book.sequence, book.time_ns, book.is_whole) == ("v", "BTCUSDT", 3, 30, True)


def test_sizes_of_a_change_are_absolute_and_zero_removes() -> None:
    """New levels, other sizes, levels that go, and one that goes though it was never there."""
    book = filled()
    change = delta(levels("9:0", "8:5", "8.5:4"), levels("10:0.00", "99:0", "13:1"), sequence=9, previous=7, time_ns=90)

    assert book.apply(change) is Verdict.OK
    assert book.bids == list(levels("8.5:4", "8:5", "7:3"))
    assert book.asks == list(levels("11:2", "12:3", "13:1"))
    assert (book.sequence, book.time_ns) == (9, 90)


def test_an_empty_level_of_a_snapshot_is_none() -> None:
    """A size of zero removes there too."""
    book = OrderBook()
    book.apply(snapshot(levels("9:0", "8:1"), levels("10:0.0")))
    assert (book.bids, book.asks, book.best_ask) == (list(levels("8:1")), [], None)


def test_digits_stay_as_the_venue_wrote_them() -> None:
    """A price that is written otherwise later is the same level."""
    book = OrderBook()
    book.apply(snapshot(levels("1.10:2.50"), levels("1.20:0.10")))
    assert [str(each) for each in book.bids[0]] == ["1.10", "2.50"]
    book.apply(delta(levels("1.1:3.00")))
    assert [[str(each) for each in level] for level in book.bids] == [["1.10", "3.00"]]
    book.apply(delta(levels("1.100:0")))
    assert book.bids == []


def test_a_depth_is_a_view() -> None:
    """Levels below it are kept, and come up when those above go."""
    book = filled(depth=2)
    assert (book.bids, book.asks) == (list(levels("9:1", "8:2")), list(levels("10:1", "11:2")))

    book.apply(delta(levels("9:0"), levels("10:0")))

    assert (book.bids, book.asks) == (list(levels("8:2", "7:3")), list(levels("11:2", "12:3")))
    assert book.top(1) == (list(levels("8:2")), list(levels("11:2")))
    assert book.top(None) == book.top(9) == (list(levels("8:2", "7:3")), list(levels("11:2", "12:3")))


def test_a_snapshot_of_it_is_a_value_of_all_or_of_some() -> None:
    """Of all levels though it shows fewer; another book begins with it."""
    book = filled(depth=1)
    known = {"sequence": 7, "time_ns": 70}

    assert book.snapshot() == snapshot(levels("9:1", "8:2", "7:3"), levels("10:1", "11:2", "12:3"), **known)
    assert book.snapshot(1) == snapshot(levels("9:1"), levels("10:1"), **known)
    copy = OrderBook()
    copy.apply(book.snapshot())
    assert copy.snapshot() == book.snapshot()


@pytest.mark.parametrize("count", [0, -1, 1.0, True, "1"])
def test_a_count_that_cannot_be_is_refused(count: Any) -> None:
    """Where it is given, and by the name that it has there."""
    for field, call in (
        ("depth", lambda: OrderBook(depth=count)),
        ("depth", lambda: filled().snapshot(count)),
        ("count", lambda: filled().top(count)),
    ):
        with pytest.raises(ConfigError) as refused:
            call()
        assert str(refused.value) == (
            f"{field}: {count!r} is out of range; take a whole number, 1 or more, or None for no limit"
        )


def test_a_checksum_is_a_function() -> None:
    """What is not is refused when the book is made."""
    wrong: Any = 7
    with pytest.raises(ConfigError, match="checksum: 7 is not callable; take a function of bids and asks"):
        OrderBook(checksum=wrong)


def test_changes_before_a_snapshot_are_taken() -> None:
    """But the book is not whole before it comes."""
    book = OrderBook()
    book.apply(delta(levels("9:1"), sequence=5, previous=4))
    assert (book.best_bid, book.is_whole, book.symbol) == (levels("9:1")[0], False, "BTCUSDT")
    with pytest.raises(SequenceGap):
        book.apply(delta(sequence=9, previous=8))
    book.apply(snapshot(sequence=20))
    assert (book.best_bid, book.is_whole) == (None, True)


@pytest.mark.parametrize("link", [{"previous": 8}, {"first": 9}, {"previous": 8, "first": 9}])
def test_a_gap_breaks_the_book_until_a_snapshot(link: dict[str, int]) -> None:
    """It raises with what is missing, leaves all as it was, and so do those behind it, the right ones too."""
    book = filled()
    before = book.snapshot()
    with pytest.raises(SequenceGap) as gap:
        book.apply(delta(levels("9:0", "1:1"), levels("10:0"), sequence=9, time_ns=90, **link))

    assert (gap.value.symbol, gap.value.last, gap.value.next) == ("BTCUSDT", 7, 9)
    assert (book.snapshot(), book.is_whole) == (before, False)
    for following in (
        delta(levels("9:0"), sequence=8, previous=7),
        delta(levels("9:0")),
        delta(sequence=9, previous=8),
    ):
        with pytest.raises(BrokenBook) as broken:
            book.apply(following)
        assert type(broken.value) is BrokenBook
        assert book.snapshot() == before
    assert book.apply(snapshot(levels("5:5"), sequence=2)) is Verdict.OK
    assert book.is_whole
    assert book.apply(delta(levels("5:6"), sequence=3, previous=2)) is Verdict.OK
    assert book.bids == list(levels("5:6"))


def test_a_duplicate_changes_nothing() -> None:
    """What is older than the snapshot, or was there already."""
    book = filled()
    book.apply(delta(levels("9:5"), sequence=9, first=8, previous=7))
    before = book.snapshot()
    for again in (
        delta(levels("9:1"), sequence=9, first=8, previous=7, time_ns=99),
        delta(levels("9:1"), sequence=6, first=5),
    ):
        assert book.apply(again) is Verdict.DUPLICATE
        assert (book.snapshot(), book.is_whole) == (before, True)


def test_a_venue_may_count_anew_or_show_that_it_is_alive() -> None:
    """Numbers that go back, or stand still, on a right link are no gap: OKX's resets and keep-alives."""
    book = filled()
    assert book.apply(delta(sequence=7, previous=7)) is Verdict.OK
    assert book.apply(delta(levels("9:4"), sequence=3, previous=7)) is Verdict.RESET
    assert (book.best_bid, book.sequence, book.is_whole) == (levels("9:4")[0], 3, True)
    assert book.apply(delta(levels("9:5"), sequence=4, previous=3)) is Verdict.OK
    with pytest.raises(SequenceGap):
        book.apply(delta(sequence=9, previous=7))


def test_what_has_no_numbers_is_taken_unchecked() -> None:
    """Coinbase's books have none."""
    book = OrderBook()
    book.apply(snapshot(levels("9:1")))
    for size in ("2", "3"):
        assert book.apply(delta(levels(f"9:{size}"))) is Verdict.OK
    assert (book.best_bid, book.sequence, book.is_whole) == (levels("9:3")[0], None, True)


def weighed(bids: Iterable[Level], asks: Iterable[Level]) -> int:
    """A checksum: the sum of the sizes, the asks' ones in thousands."""
    return int(sum(size for _, size in bids) + 1000 * sum(size for _, size in asks))


def test_a_checksum_that_differs_breaks_the_book() -> None:
    """Of a change as of a snapshot; the next snapshot that is right makes it whole."""
    book = OrderBook(checksum=weighed)
    book.apply(snapshot(levels("9:1", "8:2"), levels("10:4"), checksum=4003))
    book.apply(delta(levels("9:5"), checksum=4007))
    book.apply(delta(levels("9:6")))  # one without a checksum is not verified
    with pytest.raises(ChecksumMismatch) as wrong:
        book.apply(delta(levels("9:7"), checksum=1))
    assert (wrong.value.symbol, wrong.value.expected, wrong.value.computed) == ("BTCUSDT", 1, 4009)
    assert not book.is_whole
    with pytest.raises(BrokenBook):
        book.apply(delta(levels("9:5"), checksum=4007))
    with pytest.raises(ChecksumMismatch):
        book.apply(snapshot(levels("9:1"), checksum=2))
    assert not book.is_whole
    with pytest.raises(BrokenBook):
        book.apply(delta())
    book.apply(snapshot(levels("9:1"), checksum=1))
    assert book.is_whole


def test_a_checksum_is_of_the_best_levels_first() -> None:
    """It is given all of them, whatever depth the book shows."""
    seen: list[tuple[list[Level], list[Level]]] = []

    def noted(bids: Iterable[Level], asks: Iterable[Level]) -> int:
        seen.append((list(bids), list(asks)))
        return 1

    OrderBook(depth=1, checksum=noted).apply(snapshot(levels("1:1", "2:2"), levels("4:4", "3:3"), checksum=1))
    assert seen == [(list(levels("2:2", "1:1")), list(levels("3:3", "4:4")))]


def test_a_checksum_before_the_first_snapshot_is_not_verified() -> None:
    """A book that knows only what has changed since is not the venue's."""
    book = OrderBook(checksum=weighed)

    assert book.apply(delta(levels("9:1"), sequence=8, checksum=-1)) is Verdict.OK
    assert not book.is_whole


def test_without_a_function_no_checksum_is_verified() -> None:
    """They are a venue's own."""
    book = OrderBook()
    book.apply(snapshot(checksum=1))
    assert book.is_whole


@pytest.mark.parametrize(
    "event", [snapshot(symbol="ETHUSDT"), delta(symbol="ETHUSDT"), delta(venue="w"), snapshot(venue="w")]
)
def test_what_is_of_another_book_is_refused(event: BookSnapshot | BookDelta) -> None:
    """By the first event a book is one symbol's of one venue; nothing changes."""
    book = filled()
    before = book.snapshot()
    with pytest.raises(ConfigError) as refused:
        book.apply(event)

    said = f"event: it is of {event.symbol} of {event.venue}, and this is the book of BTCUSDT of v"
    assert str(refused.value) == said
    assert (book.snapshot(), book.is_whole) == (before, True)


def test_what_is_no_event_of_a_book_is_refused() -> None:
    """A quote, say."""
    quote: Any = Quote(venue="v", symbol="BTCUSDT", bid=None, bid_size=None, ask=None, ask_size=None, time_ns=None)
    with pytest.raises(ConfigError) as refused:
        OrderBook().apply(quote)
    assert str(refused.value) == "event: a Quote changes no book; take BookSnapshot and BookDelta"


def test_a_book_shows_itself_in_a_line() -> None:
    """Its best prices, and how much there is."""
    assert repr(filled()) == "<OrderBook BTCUSDT: 9 / 10, 3 bids, 3 asks>"
    assert repr(OrderBook()) == "<OrderBook : – / –, 0 bids, 0 asks>"


def test_a_symbol_steers_no_terminal() -> None:
    """It is the server's word, in a line and in an error."""
    book = OrderBook()
    book.apply(snapshot(symbol="\x1b[2J"))
    assert repr(book) == "<OrderBook \\x1b[2J: – / –, 0 bids, 0 asks>"
    with pytest.raises(ConfigError) as refused:
        book.apply(snapshot(symbol="\x07"))
    assert str(refused.value) == "event: it is of \\x07 of v, and this is the book of \\x1b[2J of v"


def test_a_price_that_is_huge_is_shown_short() -> None:
    """A line stays a line, whatever a server sends."""
    book = OrderBook()
    book.apply(snapshot(levels("1E+999999999:1")))
    assert repr(book) == "<OrderBook BTCUSDT: 1E+999999999 / –, 1 bids, 0 asks>"


PRICES = st.integers(1, 30)
CHANGES = st.lists(st.tuples(PRICES, st.integers(0, 3)), max_size=8)
STEPS = st.lists(
    st.tuples(st.sampled_from(["change"] * 6 + ["snapshot", "gap", "again"]), CHANGES, CHANGES), max_size=30
)


@given(steps=STEPS, depth=st.none() | st.integers(1, 5))
def test_a_book_is_as_a_naive_one(steps: list[tuple[str, list[Any], list[Any]]], depth: int | None) -> None:
    """Two dictionaries that are sorted anew each time, through snapshots, changes, gaps and repetitions."""
    book = OrderBook(depth=depth)
    naive: dict[Side, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
    number, is_broken, is_whole = 0, False, False
    for what, some_bids, some_asks in steps:
        bids, asks = ([(Decimal(price), Decimal(size)) for price, size in side] for side in (some_bids, some_asks))
        if what == "snapshot":
            number += 1
            naive, is_broken, is_whole = {"buy": {}, "sell": {}}, False, True
            bids, asks = list(dict(bids).items()), list(dict(asks).items())
            book.apply(snapshot(tuple(bids), tuple(asks), sequence=number))
        elif is_broken:
            with pytest.raises(BrokenBook):
                book.apply(delta(tuple(bids), tuple(asks), sequence=number + 1, previous=number))
            continue
        elif what == "again" and number:
            again = delta(tuple(bids), tuple(asks), sequence=number, first=number)
            assert book.apply(again) is Verdict.DUPLICATE
            continue
        elif what == "gap" and number:
            with pytest.raises(SequenceGap):
                book.apply(delta(tuple(bids), tuple(asks), sequence=number + 3, previous=number + 2))
            is_broken = True
            continue
        else:
            number += 1
            book.apply(delta(tuple(bids), tuple(asks), sequence=number, previous=number - 1))
        for side, changed in (("buy", bids), ("sell", asks)):
            naive[side].update(changed)
            naive[side] = {price: size for price, size in naive[side].items() if size}

        wanted_bids = sorted(naive["buy"].items(), reverse=True)
        wanted_asks = sorted(naive["sell"].items())
        assert (book.bids, book.asks) == (wanted_bids[:depth], wanted_asks[:depth])
        assert (book.best_bid, book.best_ask) == (next(iter(wanted_bids), None), next(iter(wanted_asks), None))
        assert book.top(None) == (wanted_bids, wanted_asks)
        assert book.is_whole is is_whole
    assert book.is_whole is (is_whole and not is_broken)
