"""What a generated market really is, to compare with what a client made of the messages."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, TypeAlias

from rxws.errors import ConfigError
from rxws.testing._book import Cursor, Levels
from rxws.testing._instrument import Instrument
from rxws.testing._protocols.binance import Binance
from rxws.testing._protocols.generated import Generated
from rxws.testing._protocols.topics import DeltaTopic
from rxws.testing._venue import Venue

__all__ = ["TrueBook", "Truth"]

_Levels: TypeAlias = tuple[tuple[Decimal, Decimal], ...]


class TrueBook(NamedTuple):
    """A book as it is: prices and sizes, exact, the best first."""

    bids: _Levels
    asks: _Levels


class Truth:
    """The books of a generated market."""

    _venue: Venue

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded, as the venue writes it; of a recording, nothing."""
        protocol = self._venue.protocol
        return tuple(protocol.instruments) if isinstance(protocol, Generated) else ()

    def book(self, symbol: str, topic: str | None = None) -> TrueBook:
        """Return the true book, as of the last message that was told of it, or was dropped.

        A quote or a trade may be ahead of what a book's topic tells; a client that has applied all
        messages of that topic has this book.

        Args:
            symbol: as the venue writes it.
            topic: as of which topic's last message; None: of the one that was told last, or of
                `snapshot`, if that came later.

        Raises:
            ConfigError: it is not traded, or nobody listens to such a topic of its book.
        """
        instrument = self._instrument(symbol)
        cursor = instrument.book.newest() if topic is None else self._cursor(instrument, topic)
        bids, asks = instrument.book.levels(cursor)
        return TrueBook(_exact(instrument, bids), _exact(instrument, asks))

    def snapshot(self, symbol: str, limit: int = 1_000) -> bytes:
        """Return the body with which Binance answers `GET /api/v3/depth` or `GET /fapi/v1/depth`.

        As over HTTP, it lies in the middle of what the next event tells.

        Args:
            symbol: such as "BTCUSDT".
            limit: how many levels a side, 1 to 5,000.

        Raises:
            ConfigError: it is not traded, the limit is out of range, or the exchange is not Binance.
        """
        protocol = self._venue.protocol
        if not isinstance(protocol, Binance):
            raise ConfigError("frames", "only Binance's books come over HTTP; take 'binance' or 'binance_usdm'")
        if not 1 <= limit <= 5_000:
            raise ConfigError("limit", f"{limit} is out of range; take 1 to 5000")
        return protocol.snapshot(self._instrument(symbol), limit, self._venue.now_ms())

    def _instrument(self, symbol: str) -> Instrument:
        protocol = self._venue.protocol
        if not isinstance(protocol, Generated) or symbol not in protocol.instruments:
            raise ConfigError("symbol", f"{symbol!r} is not traded; take one of {list(self.symbols)}")
        return protocol.instruments[symbol]

    def _cursor(self, instrument: Instrument, name: str) -> Cursor:
        protocol = self._venue.protocol
        assert isinstance(protocol, Generated)
        topic = protocol.opened(name)
        if not isinstance(topic, DeltaTopic) or topic.instrument is not instrument:
            raise ConfigError("topic", f"{name!r} is no topic of this book that somebody listens to")
        return topic.cursor


def _exact(instrument: Instrument, levels: Levels) -> _Levels:
    price, size = instrument.prices.decimal, instrument.sizes.decimal
    return tuple((price(at), size(amount)) for at, amount in levels)
