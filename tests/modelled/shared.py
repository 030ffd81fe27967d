"""Readers who share connections: of a `multiplex`, and of a feed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from rxws import feeds, multiplex
from rxws.errors import SubscriptionRejected
from rxws.events import TopicStatus
from rxws.feed import SharedFeed
from rxws.market import BookDelta, MarketEvent, Trade
from rxws.multiplex import Multiplex
from rxws.venue_observable import Failure
from tests.modelled.faults import Operation
from tests.modelled.kinds import Kind
from tests.modelled.readers import BookReader, Reader
from tests.modelled.trial import Trial

__all__ = ["Fed", "Multiplexed"]


class Shared(Kind):
    """What several readers have in common, who come and go."""

    mux: Multiplex
    readers: list[Reader]
    on_rejected: Failure = "raise"

    @abstractmethod
    def _come(self) -> str:
        """One more reads."""

    @property
    def operations(self) -> list[Operation]:
        return [self._come, self._come, self._come, self._go, self._go, self._renew, self._cut, self._end_lingering]

    @property
    def here(self) -> list[Reader]:
        """Who reads now."""
        return [reader for reader in self.readers if reader.is_here]

    def _go(self) -> str | None:
        if not self.here:
            return None
        reader = self.random.choice(self.here)
        reader.leave()
        return f"a reader of {reader.topic} goes"

    def _renew(self) -> str | None:
        topics = sorted(self.mux.statuses)
        if not topics:
            return None
        topic = self.random.choice(topics)
        return f"renew {topic}: {self.trial.as_client(self.mux.renew, topic)}"

    def _cut(self) -> str | None:
        topics = sorted(self.mux.statuses)
        if not topics or self.random.random() < 0.5:
            return None
        topic = self.random.choice(topics)
        return f"reconnect {topic}: {self.trial.as_client(self.mux.reconnect, topic)}"

    def _end_lingering(self) -> str:
        self.trial.as_client(self.mux.end_lingering)
        return "end_lingering"

    @property
    def wanted(self) -> set[str]:
        return {topic for reader in self.here for topic in self._of(reader)}

    def _of(self, reader: Reader) -> list[str]:
        return [reader.topic]

    @property
    def statuses(self) -> dict[str, TopicStatus]:
        return self.mux.statuses

    def marks(self) -> Callable[[Sequence[MarketEvent]], list[str]]:
        before = {reader: len(reader.seen) for reader in self.readers}

        def check(happened: Sequence[MarketEvent]) -> list[str]:
            found = []
            for reader, count in before.items():
                due = [event for event in happened if self.place.topic_of(event) == reader.topic and reader.is_here]
                came = reader.seen[count:]
                if came != due and not self._is_handed_books(reader):
                    found.append(f"{reader.topic}: of {len(due)} events {len(came)} came, or in another order")
            return found + [text for reader in self.here if (text := reader.whole())]

        return check

    def _is_handed_books(self, reader: Reader) -> bool:
        return isinstance(reader, BookReader) and not reader.seen

    def problems(self) -> list[str]:
        found = []
        for reader in self.readers:
            found.append(self.trial.strays(reader.topic, reader.seen))
            is_refused = self.place.is_refused(reader.topic) and self.on_rejected == "raise"
            found += [
                f"{reader.topic} ended by {error!r}"
                for error in reader.errors
                if not (is_refused and isinstance(error, SubscriptionRejected))
            ]
            if is_refused and reader.is_here and not self.trial.faults.cost_answers:
                found.append(f"{reader.topic} is refused, and its reader was not told")
        return [text for text in found if text]

    def leave(self) -> None:
        for reader in self.here:
            reader.leave()


class Multiplexed(Shared):
    """A `multiplex` with few topics a connection."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        random = self.random
        policies: tuple[Failure, ...] = ("raise", "tell")
        self.on_rejected = random.choice(policies)
        self.linger = random.choice((0.0, 2.0))
        self.pool = self.place.pool()
        self.readers = []
        self.mux = multiplex(
            self.place.module,
            base=trial.exchange.url,
            linger=self.linger,
            topics_per_connection=random.randint(1, 4),
            on_rejected=self.on_rejected,
        )

    def _come(self) -> str:
        random = self.random
        there = [reader.topic for reader in self.here]
        topic = random.choice(there if there and random.random() < 0.2 else self.pool)
        raises_at = random.randint(1, 6) if random.random() < 0.1 else None
        source = self.mux.observe(topic, lifecycle=random.random() < 0.3)
        self.readers.append(Reader(source, topic, self.trial, raises_at=raises_at))
        return f"a reader of {topic} comes" + (f", who raises at {raises_at}" if raises_at else "")


class Fed(Shared):
    """A shared feed's trades and books."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        self.linger = 2.0
        feed = getattr(feeds, self.place.module.NAME).configured(base=trial.exchange.url)
        self.feed: SharedFeed = feed.shared(linger=self.linger)
        self.mux = self.feed.multiplex
        self.methods = ["trades", "book", "book_events"] if self.place.books else ["trades"]
        self.readers = []

    def _come(self) -> str:
        symbols = [*self.place.symbols, self.place.unknown] if self.random.random() < 0.2 else self.place.symbols
        method, symbol = self.random.choice(self.methods), self.random.choice(symbols)
        source, topics = getattr(self.feed, method)(symbol), self.place.topics(symbol)
        if method == "trades":
            self.readers.append(Reader(source, topics[Trade], self.trial))
        else:
            self.readers.append(BookReader(source, topics[BookDelta], self.trial, symbol))
        return f"a reader of {method}({symbol}) comes"

    def _of(self, reader: Reader) -> list[str]:
        proof = self.place.module.PROOF if self.place.module.NAME == "coinbase_exchange" else None
        if proof is None or isinstance(reader, BookReader):
            return [reader.topic]
        return [reader.topic, proof(reader.topic.partition(":")[2])]
