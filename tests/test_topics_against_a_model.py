"""Whatever happens to topics and connections at random, at last each reader gets what it wants, once, and no more.

A seed makes a venue, a kind of reader and some dozens of operations; a failure shows them. More than the suite runs:
``python -m tests.test_topics_against_a_model 1000 2000``.
"""

from __future__ import annotations

import asyncio
import logging
import random as chance
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from reactivex import Observable, abc

from rxws import feeds, multiplex, venue_observable
from rxws.desired import Topics
from rxws.errors import RxwsError, SubscriptionRejected
from rxws.events import Event, TopicStatus
from rxws.feed import SharedFeed
from rxws.market import BookDelta, BookSnapshot, MarketEvent, Quote, Ticker, Trade
from rxws.multiplex import Multiplex
from rxws.orderbook import OrderBook
from rxws.testing import Leftovers, SimulatedExchange
from rxws.testing.exchange import VenueName
from tests.leaping import leap
from tests.modelled import PLACES, Faults, Market, Operation, Place, by_message, exchange_of, is_subsequence, wire

SEEDS = range(60)

REQUESTS_ARE_COUNTED = True
"""Whether Deribit and Coinbase count an address's requests."""
ANNOUNCED = frozenset({"stream", "multiplex", "feed"})
"""The kinds of readers whose venue announces its end."""
REFUSED_IS_TOLD_AT_COINBASE = True
"""Whether on_rejected="tell" meets topics that Coinbase does not have."""
FIRST_IS_IN_ORDER = True
"""Whether the quote or ticker that a subscription begins with comes in its place, across a rotation too."""

OVERLAP = 8
"""How many operations without a fault follow a notice."""
LEAST, PATIENCE = 13, 60
"""How often ten seconds are waited for all to be well: more than the longest back-off, and twice a pause."""


class Records(logging.Handler):
    """What is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.seen.append(f"{record.name}: {record.getMessage()}")


class Bug(Exception):
    """What a reader raises."""


class Trial:
    """One seed at work.

    Args:
        seed: what decides.
        exchange: the venue.
        as_client: calls something as the client.
    """

    def __init__(self, seed: int, exchange: SimulatedExchange, as_client: Callable[..., Any]) -> None:
        name, kind = name_of(seed)
        self.random = Random(seed)
        self.exchange = exchange
        self.place: Place = PLACES[name]
        self.as_client = as_client
        self.market = Market(exchange, self.place)
        # Who reads the changes of a book cannot do without one of them.
        goes_on = kind != "feed"
        self.faults = Faults(exchange, self.place, self.random, announces=kind in ANNOUNCED, goes_on=goes_on)
        self.problems: list[str] = []
        self.done: list[str] = []

    def has_refused(self, on_rejected: str) -> bool:
        """Whether topics are wanted too that the venue does not have."""
        return REFUSED_IS_TOLD_AT_COINBASE or on_rejected == "raise" or self.place.module.NAME != "coinbase_exchange"

    def strays(self, topic: str, seen: Sequence[MarketEvent]) -> str:
        """What is wrong with all that came of a topic; nothing, if it is what was told, in order and once."""
        told = self.market.told[topic]
        if not FIRST_IS_IN_ORDER:
            first = [event for event in self.market.first[topic] if isinstance(event, Quote | Ticker)]
            seen, told = [[event for event in events if event not in first] for events in (seen, told)]
        return "" if is_subsequence(seen, told) else f"{topic}: what came is not what was told, in order and once"

    async def play(self, kind: Kind) -> None:
        """Do some dozens of things at random."""
        calm = 3
        for _ in range(self.random.randint(20, 45)):
            drawn = self.random.uniform(0.3 if calm else 0.0, 1.0)
            calm = max(0, calm - 1)
            others = self.faults.operations if drawn < 0.25 else kind.operations
            what = self._happen(kind) if drawn > 0.6 else self.random.choice(others)()
            if what is not None:
                self.done.append(f"{asyncio.get_running_loop().time() - 1_000.0:8.3f}  {what}")
                # Much is to happen while a connection takes over from another one.
                calm = OVERLAP if what.startswith("announce") else calm
            await self._pause(longest=1.0 if calm else 40.0)

    def _happen(self, kind: Kind) -> str | None:
        topics = [topic for topic in sorted(kind.wanted) if self.random.random() < 0.8]
        if not topics:
            return None
        times = self.random.randint(1, 3)
        self.market.happen(topics, times)
        return f"{times} of each of {topics}"

    async def _pause(self, longest: float) -> None:
        drawn = self.random.random()
        if drawn > 0.3:
            most = 0.0 if drawn < 0.45 else 0.3 if drawn < 0.7 else 5.0 if drawn < 0.95 else 40.0
            await asyncio.sleep(self.random.uniform(0.0, min(most, longest)))

    async def settle(self, kind: Kind) -> None:
        """Wait until all is as the model says, while something happens now and then; longer than any wait is."""
        for waited in range(PATIENCE):
            await asyncio.sleep(10.0)
            self.market.happen(kind.wanted)
            await asyncio.sleep(0.5)
            if waited >= LEAST and not self.differences(kind):
                return

    def differences(self, kind: Kind) -> list[str]:
        """What is not as the model says."""
        wanted = {topic for topic in kind.wanted if self.place.exists(topic)}
        silent = kind.wanted - wanted
        found, carried = [], sorted(kind.wanted if not self.place.refuses else wanted)
        if wire(self.exchange) != carried:
            found.append(f"on the wire: {wire(self.exchange)}, and not {carried}")
        statuses = kind.statuses
        of_silent = [TopicStatus.REJECTED if self.place.refuses else TopicStatus.ACKNOWLEDGED]
        of_silent += [TopicStatus.TIMED_OUT] * (self.faults.cost_answers or not self.place.refuses)
        if statuses.keys() != kind.wanted:
            found.append(f"there are statuses of {sorted(statuses)}, and not of {sorted(kind.wanted)}")
        for topics, right in ((wanted, [TopicStatus.LIVE]), (silent, of_silent)):
            found += [f"{topic} is {statuses.get(topic)}" for topic in topics if statuses.get(topic) not in right]
        return found

    async def check(self, kind: Kind) -> None:
        """Let a last few messages of all topics happen, and compare."""
        self.problems += self.differences(kind)
        check = kind.marks()
        happened: list[MarketEvent] = []
        for _ in range(2):
            happened += self.market.happen(self.place.pool())
            await asyncio.sleep(0.5)
        self.problems += check(happened)
        self.problems += self.differences(kind)
        self.problems += kind.problems()
        broken = self.exchange.violations
        if self.faults.cost_answers:  # who is refused without a word is subscribed to nothing in time
            del broken["first_request"]
        if broken:
            self.problems.append(f"broken: {dict(broken)}")


class Reader:
    """Reads one topic, until it leaves, or raises at a certain event, or is told an error."""

    def __init__(self, source: Observable[Any], topic: str, trial: Trial, *, raises_at: int | None = None) -> None:
        self.topic = topic
        self.seen: list[MarketEvent] = []
        self.errors: list[Exception] = []
        self.is_here = True
        self._trial = trial
        self._raises_at = raises_at
        self._running: abc.DisposableBase | None = None
        running = trial.as_client(source.subscribe, self.take, self.fail, self.complete)
        self._running = running

    def take(self, value: Any) -> None:
        """Take what comes."""
        if not self.is_here:
            self._trial.problems.append(f"{self.topic}: something came to who had left")
        if isinstance(value, Event):
            return
        self.got(value)
        if len(self.seen) == self._raises_at:
            self.is_here = False
            raise Bug

    def got(self, value: Any) -> None:
        """Take an event."""
        self.seen.append(by_message(value))

    def fail(self, error: Exception) -> None:
        """It ends by an error."""
        self.is_here = False
        self.errors.append(error)

    def complete(self) -> None:
        """It ends, which it never should."""
        self._trial.problems.append(f"{self.topic}: completed")

    def leave(self) -> None:
        """Read no more."""
        self.is_here = False
        if self._running is not None:
            self._trial.as_client(self._running.dispose)

    def whole(self) -> str:
        """What is wrong with what it holds; nothing, if nothing is."""
        return ""


class BookReader(Reader):
    """Keeps a book, or is handed one."""

    def __init__(self, source: Observable[Any], topic: str, trial: Trial, symbol: str) -> None:
        self.symbol = symbol
        self.book = OrderBook()
        self.count = 0
        super().__init__(source, topic, trial)

    def got(self, value: OrderBook | BookSnapshot | BookDelta) -> None:
        """Take the book, or what changes it."""
        self.count += 1
        if isinstance(value, OrderBook):
            self.book = value
        else:
            super().got(value)
            try:
                self.book.apply(value)
            except RxwsError as error:
                self._trial.problems.append(f"{self.topic}: {error!r} at change {self.count}")
        if not self.book.is_whole:
            self._trial.problems.append(f"{self.topic}: no whole book at change {self.count}")

    def whole(self) -> str:
        """It has to be the venue's."""
        if not self._trial.place.exists(self.topic):  # the answer that refuses it was lost
            return ""
        true = self._trial.exchange.book(self.symbol, self.topic)
        has = (tuple(self.book.bids), tuple(self.book.asks))
        return "" if has == true and self.book.is_whole else f"{self.topic}: its book is not the venue's"


class Kind(ABC):
    """Readers of one kind, what they do at random, and what the model says of them."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.place = trial.place
        self.random = trial.random
        self.linger = 0.0

    @property
    @abstractmethod
    def operations(self) -> list[Operation]:
        """What they do."""

    @property
    @abstractmethod
    def wanted(self) -> set[str]:
        """What they want, of what the venue may have refused too."""

    @property
    @abstractmethod
    def statuses(self) -> dict[str, TopicStatus]:
        """Where each topic stands."""

    @abstractmethod
    def marks(self) -> Callable[[Sequence[MarketEvent]], list[str]]:
        """Return what says, of all that has happened from now on, what is wrong with what the readers got."""

    @abstractmethod
    def problems(self) -> list[str]:
        """What is wrong with all that the readers got."""

    @abstractmethod
    def leave(self) -> None:
        """Nobody wants anything any more."""


class Stream(Kind):
    """One `venue_observable`, whose topics change."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        module = self.place.module
        self.pool = self.place.pool(self.random.choice(list(module.ENDPOINTS)))
        if not trial.has_refused("tell"):
            self.pool = [topic for topic in self.pool if self.place.exists(topic)]
        self.topics = Topics()
        self.seen: list[MarketEvent] = []
        self.discarded: dict[str, float] = {}
        stream = venue_observable(module, self.topics, base=trial.exchange.url, lifecycle=True, on_rejected="tell")
        self.running = trial.as_client(stream.subscribe, self._take, self._fail)

    def _take(self, value: MarketEvent | Event) -> None:
        if isinstance(value, Event):
            return
        topic, now = self.place.topic_of(value), asyncio.get_running_loop().time()
        # What nobody wants any more is given up a turn later.
        if topic not in self.topics and self.discarded.get(topic) != now:
            self.trial.problems.append(f"{topic} came, which nobody wants")
        self.seen.append(by_message(value))

    def _fail(self, error: Exception) -> None:
        self.trial.problems.append(f"the stream ended by {error!r}")

    @property
    def operations(self) -> list[Operation]:
        return [self._add, self._add, self._add, self._discard, self._discard, self._replace, self._renew, self._cut]

    def _some(self, most: int) -> list[str]:
        return self.random.sample(self.pool, self.random.randint(1, min(most, len(self.pool))))

    def _add(self) -> str:
        topics = self._some(3)
        self.trial.as_client(self.topics.add, *topics)
        return f"add {topics}"

    def _discard(self) -> str | None:
        topics = [topic for topic in self.topics if self.random.random() < 0.4]
        self._gone(topics)
        self.trial.as_client(self.topics.discard, *topics)
        return f"discard {topics}" if topics else None

    def _replace(self) -> str:
        topics = self._some(4) if self.random.random() < 0.9 else []
        self._gone([topic for topic in self.topics if topic not in topics])
        self.trial.as_client(self.topics.replace, topics)
        return f"replace by {topics}"

    def _gone(self, topics: Sequence[str]) -> None:
        self.discarded |= dict.fromkeys(topics, asyncio.get_running_loop().time())

    def _renew(self) -> str:
        (topic,) = self._some(1)
        return f"renew {topic}: {self.trial.as_client(self.topics.renew, topic)}"

    def _cut(self) -> str | None:
        if self.random.random() < 0.5:
            return None
        self.trial.as_client(self.topics.reconnect)
        return "reconnect"

    @property
    def wanted(self) -> set[str]:
        return set(self.topics)

    @property
    def statuses(self) -> dict[str, TopicStatus]:
        return self.topics.statuses

    def marks(self) -> Callable[[Sequence[MarketEvent]], list[str]]:
        before = len(self.seen)

        def check(happened: Sequence[MarketEvent]) -> list[str]:
            due = [event for event in happened if self.place.topic_of(event) in self.topics]
            came = self.seen[before:]
            return [] if came == due else [f"of {len(due)} events {len(came)} came, or in another order"]

        return check

    def problems(self) -> list[str]:
        by_topic: dict[str, list[MarketEvent]] = {}
        for event in self.seen:
            by_topic.setdefault(self.place.topic_of(event), []).append(event)
        return [text for topic, seen in by_topic.items() if (text := self.trial.strays(topic, seen))]

    def leave(self) -> None:
        self.trial.as_client(self.running.dispose)


class Shared(Kind):
    """What several readers have in common, who come and go."""

    mux: Multiplex
    readers: list[Reader]
    on_rejected = "raise"

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
        self.on_rejected = random.choice(("raise", "tell"))
        self.linger = random.choice((0.0, 2.0))
        self.pool = self.place.pool()
        if not trial.has_refused(self.on_rejected):
            self.pool = [topic for topic in self.pool if self.place.exists(topic)]
        self.readers = []
        self.mux = multiplex(
            self.place.module,
            base=trial.exchange.url,
            linger=self.linger,
            topics_per_connection=random.randint(1, 4),
            on_rejected=self.on_rejected,  # type: ignore[arg-type]  # of two literals
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


KINDS: dict[str, type[Kind]] = {"stream": Stream, "multiplex": Multiplexed, "feed": Fed}


def name_of(seed: int) -> tuple[VenueName, str]:
    """Return the venue and the kind of readers of a seed."""
    return list(PLACES)[seed % len(PLACES)], list(KINDS)[seed // len(PLACES) % len(KINDS)]


async def play(seed: int) -> tuple[list[str], list[str]]:
    """Play a seed, and return what was wrong, and what was done."""
    name, kind_name = name_of(seed)
    raised: list[str] = []

    def told(_: object, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Bug):
            raised.append(f"the loop was told: {context}")

    asyncio.get_running_loop().set_exception_handler(told)
    with Leftovers() as leftovers:
        async with exchange_of(name, REQUESTS_ARE_COUNTED) as exchange:
            trial = Trial(seed, exchange, leftovers.as_client)
            kind = KINDS[kind_name](trial)
            try:
                await trial.play(kind)
                await trial.faults.over()
                await trial.settle(kind)
                await trial.check(kind)
            except Exception as error:  # shown with what led to it
                trial.problems.append(f"{error!r} at {traceback.format_tb(error.__traceback__)[-1]}")
            kind.leave()
            await asyncio.sleep(kind.linger + 0.5)
            trial.problems += [f"left open: {record.target}" for record in exchange.live]
            trial.problems += [f"left over: {each}" for each in await leftovers.after_a_while()]
    return trial.problems + raised, trial.done


def failure(seed: int) -> str:
    """Play a seed on a loop of its own, and return how it failed; nothing, if it did not."""
    records, root, state = Records(), logging.getLogger(), chance.getstate()
    chance.seed(seed)  # of back-offs
    root.addHandler(records)
    try:
        problems, done = leap(play(seed))
    finally:
        root.removeHandler(records)
        chance.setstate(state)
    problems += records.seen
    venue, kind = name_of(seed)
    return "\n".join([f"seed {seed}, {venue}, {kind}:", *problems, *done]) if problems else ""


@pytest.mark.parametrize("seed", SEEDS)
def test_at_last_each_reader_gets_what_it_wants_once_and_no_more(seed: int) -> None:
    """The wire, the statuses, the events, the books and what is left over are as the model says."""
    failed = failure(seed)

    assert not failed, failed


def main(first: int, end: int) -> int:
    """Play the seeds from `first` to before `end`, and show those that fail."""
    failed = 0
    for seed in range(first, end):
        if text := failure(seed):
            failed += 1
            sys.stdout.write(f"{text}\n\n")
            sys.stdout.flush()
    sys.stdout.write(f"{failed} of {end - first} seeds failed\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
