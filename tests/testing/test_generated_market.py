"""What makes up a generated market: the book that moves by chance, its cursors, candles, how numbers are written."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.testing._book import ASKS, BIDS, Book, Change, Cursor
from rxws.testing._digits import Digits
from rxws.testing._instrument import Instrument, Listing
from rxws.testing._limits import Limits
from rxws.testing._protocols.binance import Binance
from rxws.testing._protocols.okx import Okx
from rxws.testing._protocols.okx_channels import checksum

SIDES = (BIDS, ASKS)


def make(seed: int = 1, *, price: int = 6_125_000, levels: int = 20, jump: int = 0, unknown: float = 0.0) -> Book:
    """Make a book."""
    return Book(Random(seed), price, gap=3.0, levels=levels, size=100.0, first_id=1_000, jump=jump, unknown=unknown)


def instrument(symbol: str = "BTCUSDT", **changed: Decimal) -> Instrument:
    """Make an instrument."""
    tick, step = changed.get("tick", Decimal("0.01")), changed.get("step", Decimal("0.001"))
    listing = Listing(symbol=symbol, price=Decimal(61_250), tick=tick, step=step, size=Decimal(1))
    return Instrument(listing, 1, levels=20, first_id=0)


def apply(known: tuple[dict[int, int], dict[int, int]], told: tuple[list[Change], list[Change]]) -> None:
    """Apply what a cursor is told; the sizes before must be the known ones."""
    for side, changes in zip(known, told, strict=True):
        for price, before, now in changes:
            assert side.get(price, 0) == before
            if now:
                side[price] = now
            else:
                side.pop(price, None)


@given(seed=st.integers(0, 2**32), unknown=st.sampled_from([0.0, 0.3]), price=st.sampled_from([30, 6_125_000]))
def test_a_book_is_always_one(seed: int, unknown: float, price: int) -> None:
    """Bids below asks, no level without a size, none below a tick, enough of them and not too many."""
    book = make(seed, price=price, unknown=unknown)
    for _ in range(60):
        book.step()
        book.take(seed % 2, 50)
        (bids, asks), best = book.levels(), (book.best(BIDS)[0], book.best(ASKS)[0])
        assert 0 < best[0] < best[1]
        assert (bids[0][0], asks[0][0]) == best
        for levels, sign in ((bids, -1), (asks, 1)):
            prices = [price for price, _ in levels]
            assert prices == sorted(set(prices), reverse=sign < 0)
            assert min(prices) > 0 and all(size > 0 for _, size in levels)
            assert 1 <= len(levels) <= 41


@given(seed=st.integers(0, 2**32), steps=st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_cursors_that_are_told_at_different_times_all_know_the_truth(seed: int, steps: list[int]) -> None:
    """Each has the book as of when it was told last, and what it is told leads from one to the next."""
    book = make(seed, jump=5, unknown=0.1)
    cursors = [book.cursor() for _ in range(3)]
    known = [tuple(dict(side) for side in book.levels()) for _ in cursors]
    for at, count in enumerate(steps):
        for _ in range(count):
            book.step()
        which = at % 3
        last = cursors[which].told_id
        apply(known[which], book.told(cursors[which]))  # type: ignore[arg-type]
        assert cursors[which].told_id >= last
        for cursor, sides in zip(cursors, known, strict=True):
            assert tuple(map(dict, book.levels(cursor))) == sides
    assert book.newest() is cursors[(len(steps) - 1) % 3]


def test_numbers_of_updates_are_consecutive_or_skip() -> None:
    """Without a jump the first number after what was told is the next; with one it is later."""

    def firsts(jump: int) -> list[int]:
        book = make(jump=jump)
        cursor = book.cursor()
        gaps = []
        for _ in range(50):
            last = cursor.told_id
            book.step()
            gaps.append(cursor.first_id - last)
            book.told(cursor)
        return gaps

    assert set(firsts(0)) == {1}
    assert max(firsts(10)) > 1 and min(firsts(10)) >= 1


def test_levels_are_added_changed_and_deleted_and_the_price_moves() -> None:
    """All three happen often, and the best prices wander both ways."""
    book, actions, best = make(), set[str](), set[int]()
    cursor = book.cursor()
    for _ in range(2_000):
        book.step()
        bids, asks = book.told(cursor)
        actions |= {"add" if not before else "change" if now else "delete" for _, before, now in (*bids, *asks)}
        best.add(book.best(BIDS)[0])

    assert actions == {"add", "change", "delete"}
    assert min(best) < 6_125_000 < max(best)


def test_a_peek_is_seen_until_something_is_told() -> None:
    """The snapshot in the middle is the newest view, and leaves nothing behind."""
    book = make()
    cursor = book.cursor()
    before = book.levels()
    book.peek()
    newest = book.newest()
    assert newest is not None and newest is not cursor
    assert book.levels(newest) == book.levels() != before == book.levels(cursor)
    book.peek()
    assert len(book.cursors) == 2
    book.told(cursor)
    assert book.cursors == [cursor]
    book.peek()
    book.release(cursor)
    assert book.cursors == [] and book.newest() is None
    book.peek()
    assert book.cursors == []


def test_nothing_grows_where_nobody_is_told() -> None:
    """Without cursors and without anybody who follows trades, nothing is kept."""
    market = instrument()
    for _ in range(500):
        market.book.step()
        market.trade(0)
    fills = market.follow()
    assert not fills.orders and market.book.cursors == []
    assert market.next_order(fills, 0).first == market.trade_id - len(market.last.sizes) + 1


def test_a_cursor_that_is_never_told_keeps_each_price_once() -> None:
    """What it must know to be right is bounded by the prices that were touched."""
    book = make()
    cursor: Cursor = book.cursor()
    for _ in range(3_000):
        book.step()
    kept = sum(len(side) for side in cursor.before)
    assert kept < 1_500


def test_a_candle_ends_and_the_next_begins_where_it_closed() -> None:
    """After a long pause the candles between are made up for, up to a hundred."""
    market = instrument()
    candle = market.candle("1m", 60_000, 90_000)
    assert (candle.start, candle.end) == (60_000, 119_999)
    order = market.trade(100_000)
    assert market.ended("1m", 119_999) is None
    ended = market.ended("1m", 120_000)
    assert ended is not None and (ended.close, ended.last, ended.volume) == (order.price, order.last, order.size)
    following = market.candle("1m", 60_000, 120_000)
    assert (following.start, following.open, following.trades) == (120_000, order.price, 0)
    assert market.ended("1m", 10**9) is following
    count = 0
    while market.ended("1m", 10**9):
        count += 1
    assert count == 100
    market.trade(2 * 10**9)
    assert market.candle("1m", 60_000, 0).end > 2 * 10**9
    market.forget("1m")
    assert market.ended("1m", 3 * 10**9) is None


@pytest.mark.parametrize(
    ("unit", "style", "places", "count", "text"),
    [
        ("0.01", "fixed", 8, 6_125_001, "61250.01000000"),
        ("0.10", "fixed", None, 612_501, "61250.10"),
        ("1", "fixed", None, 12, "12"),
        ("0.1", "short", None, 612_500, "61250"),
        ("0.1", "short", None, 612_501, "61250.1"),
        ("0.5", "number", None, 122_501, "61250.5"),
        ("10", "number", None, 7, "70.0"),
        ("0.5", "exponent", None, 122_500, "6.125e4"),
        ("10", "exponent", None, 200, "2e3"),
        ("10", "exponent", None, 7, "70.0"),
        ("0.5", "exponent", None, 0, "0.0"),
    ],
)
def test_numbers_are_written_as_the_venue_writes_them(
    unit: str, style: str, places: int | None, count: int, text: str
) -> None:
    """Whole multiples of a unit, exact; the text and the number are the same."""
    digits = Digits(Decimal(unit), style, places)  # type: ignore[arg-type]

    assert digits.text(count) == text
    assert Decimal(text) == digits.decimal(count)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT", "ABCUSDT"])
def test_any_symbol_has_a_price_and_eight_places_are_enough(symbol: str) -> None:
    """Ticks, steps and values of spot fit into eight places."""
    market = Binance([symbol], 1, Limits.off()).instruments[symbol]

    for digits in (market.prices, market.sizes, market.values):
        assert len(digits.text(123_456_789).partition(".")[2]) == 8
        assert Decimal(digits.text(123_456_789)) == digits.decimal(123_456_789)


def test_the_checksum_is_that_of_the_documents_shape() -> None:
    """`bid:size:ask:size` in turn, as CRC32, signed."""
    market = Okx(["BTC-USDT"], 1, Limits.off()).instruments["BTC-USDT"]

    assert checksum(market, [(34_767, 7)], [(34_769, 9)]) == _signed(b"3476.7:0.0007:3476.9:0.0009")
    assert checksum(market, [(34_767, 7)], []) == _signed(b"3476.7:0.0007")


def _signed(text: bytes) -> int:
    from binascii import crc32

    unsigned = crc32(text)
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned
