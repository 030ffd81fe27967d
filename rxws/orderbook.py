"""An order book that is checked message by message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import TypeAlias

from sortedcontainers import SortedList

from rxws import gaps
from rxws.arguments import function, whole
from rxws.errors import BrokenBook, ChecksumMismatch, ConfigError, SequenceGap
from rxws.gaps import State, Verdict
from rxws.market import BookDelta, BookSnapshot, Level
from rxws.redaction import escaped

__all__ = ["Checksum", "OrderBook"]

Checksum: TypeAlias = Callable[[Iterable[Level], Iterable[Level]], int]
"""Of the bids and the asks, best first; it takes as many of them as it needs."""


class OrderBook:
    """The bids and asks of one symbol, from snapshots and changes.

    Every link that an event has is checked, and once there is a snapshot every checksum. What is broken is never
    repaired by guessing: the event raises, and so do all changes behind it, until a snapshot comes. The book keeps
    every level that it was told of, below `depth` too: they are the best ones when those above are gone. A price keeps
    the digits that it first came with.

    Changes are also taken before the first snapshot; `is_whole` is then false, for a book without one knows only what
    has changed since. A snapshot takes the place of all that was there: where it is fetched (`Venue.SNAPSHOTS`), hold
    the changes that came meanwhile back, and apply them behind it.

    Args:
        depth: how many levels of a side `bids` and `asks` show, 1 or more; None: all.
        checksum: the venue's own, such as `rxws.exchanges.okx.checksum`; None: checksums are not verified.

    Raises:
        ConfigError: an argument is wrong.

    >>> one, two = Decimal("61250.10"), Decimal("61250.20")
    >>> book = OrderBook()
    >>> whole_book = BookSnapshot(venue="v", symbol="BTCUSDT", bids=((one, Decimal(3)),), asks=((two, Decimal(1)),),
    ...                           sequence=7)
    >>> book.apply(whole_book)
    <Verdict.OK: 'ok'>
    >>> book.apply(BookDelta(venue="v", symbol="BTCUSDT", bids=((one, Decimal(5)),), asks=(), sequence=9, previous=7))
    <Verdict.OK: 'ok'>
    >>> book.best_bid, book.best_ask
    ((Decimal('61250.10'), Decimal('5')), (Decimal('61250.20'), Decimal('1')))
    """

    __slots__ = (
        "_asks",
        "_bids",
        "_checksum",
        "_depth",
        "_is_broken",
        "_is_whole",
        "_state",
        "sequence",
        "symbol",
        "time_ns",
        "venue",
    )

    def __init__(self, depth: int | None = None, checksum: Checksum | None = None) -> None:
        whole("depth", depth, optional=True)
        if checksum is not None:
            function("checksum", checksum, "bids and asks")
        self._depth = depth
        self._checksum = checksum
        self._bids, self._asks = Side(), Side()
        self._state: State | None = None
        self._is_broken = False
        self._is_whole = False
        self.venue = ""
        self.symbol = ""
        self.sequence: int | None = None
        self.time_ns: int | None = None

    def __repr__(self) -> str:
        bid, ask = self.best_bid, self.best_ask
        shown = " / ".join("–" if level is None else str(level[0]) for level in (bid, ask))
        return (
            f"<OrderBook {escaped(self.symbol)}: {shown}, {len(self._bids.sizes)} bids, {len(self._asks.sizes)} asks>"
        )

    @property
    def is_whole(self) -> bool:
        """Whether a snapshot has come, and nothing has been missed since."""
        return self._is_whole and not self._is_broken

    @property
    def bids(self) -> list[Level]:
        """The bids, the highest price first."""
        return list(islice(self._bids.downwards(), self._depth))

    @property
    def asks(self) -> list[Level]:
        """The asks, the lowest price first."""
        return list(islice(self._asks.upwards(), self._depth))

    @property
    def best_bid(self) -> Level | None:
        """The highest bid; None where there is none."""
        return self._bids.at(-1)

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask; None where there is none."""
        return self._asks.at(0)

    def top(self, count: int | None) -> tuple[list[Level], list[Level]]:
        """Return the best `count` bids and asks, 1 or more; None: all."""
        whole("count", count, optional=True)
        return list(islice(self._bids.downwards(), count)), list(islice(self._asks.upwards(), count))

    def snapshot(self, depth: int | None = None) -> BookSnapshot:
        """Return what stands in it now, as a value: of each side at most `depth` levels, 1 or more; None: all."""
        whole("depth", depth, optional=True)
        bids, asks = self.top(depth)
        return BookSnapshot(
            venue=self.venue,
            symbol=self.symbol,
            bids=tuple(bids),
            asks=tuple(asks),
            sequence=self.sequence,
            time_ns=self.time_ns,
        )

    def apply(self, event: BookSnapshot | BookDelta) -> Verdict:
        """Take the next event, and return what it was: one that is older than what is known changes nothing.

        Raises:
            SequenceGap: messages before it are missing; the book is as it was before.
            ChecksumMismatch: the book, with this event in it, is not as the venue's.
            BrokenBook: it is a change, and the book is broken since an earlier event.
            ConfigError: it is no event of this book.
        """
        if isinstance(event, BookSnapshot):
            self._check_whose(event)
            return self._begin(event)
        if not isinstance(event, BookDelta):
            raise ConfigError("event", f"a {type(event).__name__} changes no book; take BookSnapshot and BookDelta")
        self._check_whose(event)
        if self._is_broken:
            raise BrokenBook(event.symbol)
        verdict, state, following = gaps.links(self._state, event)
        if verdict is Verdict.GAP:
            self._is_broken = True
            raise SequenceGap(event.symbol, self._state.last if self._state is not None else 0, following)
        if verdict is not Verdict.DUPLICATE:
            self._state = state
            self._bids.change(event.bids)
            self._asks.change(event.asks)
            self._took(event)
        return verdict

    def _begin(self, event: BookSnapshot) -> Verdict:
        self._bids, self._asks = Side(event.bids), Side(event.asks)
        self._state = gaps.links(None, event).state
        self._is_broken, self._is_whole = False, True
        self._took(event)
        return Verdict.OK

    def _took(self, event: BookSnapshot | BookDelta) -> None:
        self.sequence, self.time_ns = event.sequence, event.time_ns
        if event.checksum is None or self._checksum is None or not self._is_whole:
            return
        computed = self._checksum(self._bids.downwards(), self._asks.upwards())
        if computed != event.checksum:
            self._is_broken = True
            raise ChecksumMismatch(event.symbol, event.checksum, computed)

    def _check_whose(self, event: BookSnapshot | BookDelta) -> None:
        if event.symbol != self.symbol or event.venue != self.venue:
            if self.symbol:
                found, whose = escaped(f"{event.symbol} of {event.venue}"), escaped(f"{self.symbol} of {self.venue}")
                raise ConfigError("event", f"it is of {found}, and this is the book of {whose}")
            self.venue, self.symbol = event.venue, event.symbol


class Side:
    """The levels of one side: sizes by price, and the prices in order, the lowest first."""

    __slots__ = ("prices", "sizes")

    def __init__(self, levels: Iterable[Level] = ()) -> None:
        self.sizes: dict[Decimal, Decimal] = {price: size for price, size in levels if size}
        self.prices: SortedList[Decimal] = SortedList(self.sizes)

    def change(self, levels: tuple[Level, ...]) -> None:
        """Set the sizes of these; a size of 0 removes the level."""
        sizes, prices = self.sizes, self.prices
        for price, size in levels:
            if size:
                # To hash a price is the dearest part, so that it is hashed once.
                before = len(sizes)
                sizes[price] = size
                if len(sizes) > before:
                    prices.add(price)
            elif sizes.pop(price, None) is not None:
                prices.remove(price)

    def at(self, place: int) -> Level | None:
        """Return the level at a place, 0 being the lowest price and -1 the highest; None where there is none."""
        if not self.prices:
            return None
        price = self.prices[place]
        return price, self.sizes[price]

    def upwards(self) -> Iterator[Level]:
        """Return the levels, the lowest price first."""
        return ((price, self.sizes[price]) for price in self.prices)

    def downwards(self) -> Iterator[Level]:
        """Return the levels, the highest price first."""
        return ((price, self.sizes[price]) for price in reversed(self.prices))
