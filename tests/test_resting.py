"""Connections of which the venue has refused all that is wanted: they end, and begin again when that is of use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from reactivex.testing import TestScheduler

from rxws import multiplex, venue_observable
from rxws.desired import Topics
from rxws.events import Closed, DisconnectReason, Event, Rejected, TopicStatus
from rxws.exchanges import coinbase_exchange, deribit, okx
from rxws.market import MarketEvent
from rxws.resting import AGAIN, Resting
from rxws.testing import Leftovers, SimulatedExchange
from tests.leaping import leaping

SYMBOLS = {
    deribit: ("BTC-PERPETUAL", "FAKE-PERPETUAL", "FALSE-PERPETUAL"),
    okx: ("BTC-USDT", "FAKE-USDT", "FALSE-USDT"),
    coinbase_exchange: ("BTC-USD", "FAKE-USD", "FALSE-USD"),
}
REJECTED, LIVE = TopicStatus.REJECTED, TopicStatus.LIVE
VENUES = pytest.mark.parametrize("venue", SYMBOLS, ids=lambda venue: venue.NAME)


async def tell(exchange: SimulatedExchange, topic: str) -> None:
    """Let a message of a topic happen, once it is subscribed."""
    async with asyncio.timeout(60.0):
        while not any(topic in record.streams for record in exchange.live):
            await asyncio.sleep(0.5)
    exchange._venue.produce(1, among=(topic,))
    await asyncio.sleep(0.1)


class Refused:
    """A subscription to two topics that the venue does not have, with the venue's own limits and deadlines."""

    def __init__(self, venue: Any, exchange: SimulatedExchange) -> None:
        self.real, self.fake, self.false = (venue.trades(symbol) for symbol in SYMBOLS[venue])
        self.topics = Topics([self.fake, self.false])
        self.told: list[MarketEvent | Event] = []
        self.ends: list[object] = []
        stream = venue_observable(venue, self.topics, base=exchange.url, on_rejected="tell", lifecycle=True)
        self.subscription = stream.subscribe(self.told.append, self.ends.append, lambda: self.ends.append("completed"))

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.told if isinstance(each, kind)]


@VENUES
@leaping
async def test_it_is_dialled_once_in_ten_minutes(venue: Any) -> None:
    """Its end is told, the topics stand where they stood, and nothing is left open meanwhile, nor behind it."""
    async with SimulatedExchange(venue.NAME, rate=None) as exchange:
        with Leftovers() as leftovers:
            refused = leftovers.as_client(Refused, venue, exchange)
            await asyncio.sleep(AGAIN - 1.0)
            assert (exchange.handshakes_accepted, len(exchange.live)) == (1, 0)
            assert [event.reason for event in refused.of(Closed)] == [DisconnectReason.USER_REQUESTED]
            assert [event.topic for event in refused.of(Rejected)] == [refused.fake, refused.false]
            assert refused.topics.statuses == {refused.fake: REJECTED, refused.false: REJECTED}
            await asyncio.sleep(AGAIN)
            assert (exchange.handshakes_accepted, len(refused.of(Rejected))) == (2, 4)
            assert (exchange.violations, refused.ends) == ({}, [])
            refused.subscription.dispose()
            await asyncio.sleep(AGAIN)
            assert exchange.handshakes_accepted == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda topics, real, fake: topics.add(real),
        lambda topics, real, fake: topics.replace([real]),
        lambda topics, real, fake: (topics.replace([]), topics.add(real)),
    ],
    ids=["added", "in their place", "after none"],
)
@VENUES
@leaping
async def test_another_topic_begins_it_again(venue: Any, change: Callable[[Topics, str, str], object]) -> None:
    """And those that are still wanted are asked for again."""
    async with SimulatedExchange(venue.NAME, rate=None) as exchange:
        refused = Refused(venue, exchange)
        await asyncio.sleep(60.0)
        change(refused.topics, refused.real, refused.fake)
        await tell(exchange, refused.real)
        assert refused.topics.status(refused.real) is LIVE
        assert [set(record.streams) for record in exchange.live] == [{refused.real}]
        assert (exchange.handshakes_accepted, refused.ends) == (2, [])
        refused.subscription.dispose()


@pytest.mark.parametrize(
    ("change", "is_of_use"),
    [
        (lambda topics, fake: topics.renew(fake), True),
        (lambda topics, fake: topics.reconnect(), True),
        (lambda topics, fake: (topics.discard(fake), topics.add(fake)), True),
        (lambda topics, fake: topics.discard(fake), False),
    ],
    ids=["renewed", "reconnected", "given up and wanted again", "given up"],
)
@VENUES
@leaping
async def test_who_asks_for_it_once_more_is_heard(
    venue: Any, change: Callable[[Topics, str], object], is_of_use: bool
) -> None:
    """Once; what is only given up is no reason."""
    async with SimulatedExchange(venue.NAME, rate=None) as exchange:
        refused = Refused(venue, exchange)
        await asyncio.sleep(60.0)
        change(refused.topics, refused.fake)
        await asyncio.sleep(60.0)
        assert exchange.handshakes_accepted == 1 + is_of_use
        assert set(refused.topics.statuses.values()) == {REJECTED}
        refused.subscription.dispose()


@VENUES
@leaping
async def test_a_shared_connection_rests_too(venue: Any) -> None:
    """Whoever comes for a topic that was refused has it asked for again, and for another has it at once."""
    real, fake, _ = (venue.trades(symbol) for symbol in SYMBOLS[venue])
    async with SimulatedExchange(venue.NAME, rate=None) as exchange:
        mux = multiplex(venue, base=exchange.url, on_rejected="tell", linger=0.0)
        told: list[Event | MarketEvent] = []
        first = mux.observe(fake, lifecycle=True).subscribe(told.append)
        await asyncio.sleep(60.0)
        assert (exchange.handshakes_accepted, len(exchange.live), mux.status(fake)) == (1, 0, REJECTED)
        assert sum(isinstance(each, Closed) for each in told) == 1
        second = mux[fake].subscribe(lambda _: None)
        await asyncio.sleep(60.0)
        assert (exchange.handshakes_accepted, len(exchange.live), mux.status(fake)) == (2, 0, REJECTED)
        brought: list[MarketEvent] = []
        third = mux[real].subscribe(brought.append)
        await tell(exchange, real)
        assert brought and [set(record.streams) for record in exchange.live] == [{real}]
        for each in (first, second, third):
            each.dispose()
        await asyncio.sleep(2 * AGAIN)
        assert (exchange.handshakes_accepted, len(exchange.live)) == (3, 0)


class Ended:
    """A connection that notes that it is closed."""

    end_reason: DisconnectReason | None = None

    def close(self) -> None:
        self.end_reason = DisconnectReason.USER_REQUESTED


class Asks:
    """Who asks on a connection, and where its topics stand."""

    def __init__(self, **statuses: TopicStatus) -> None:
        self.statuses = statuses

    def changed(self) -> None:
        """It need not know."""


def test_what_another_connection_has_is_not_refused() -> None:
    """In a rotation the successor may be refused what the old connection still brings: neither is ended."""
    virtual, topics = TestScheduler(), Topics(["a"])
    old: Any = Ended()
    new: Any = Ended()
    resting = Resting(topics, lambda: pytest.fail("begun"), virtual)
    old_asks: Any = Asks(a=LIVE)
    new_asks: Any = Asks(a=REJECTED)
    for connection, asks in ((old, old_asks), (new, new_asks)):
        resting.opened(connection)
        topics.join(asks)
    resting.refused()
    virtual.advance_by(1.0)
    assert (resting.rests, old.end_reason, new.end_reason) == (False, None, None)
    topics.leave(old_asks)
    old.close()
    resting.refused()
    virtual.advance_by(1.0)
    assert (resting.rests, new.end_reason) == (True, DisconnectReason.USER_REQUESTED)


def test_a_connection_that_has_ended_by_itself_is_not_waited_for() -> None:
    """The next one asks again."""
    virtual, topics = TestScheduler(), Topics(["a"])
    resting = Resting(topics, lambda: pytest.fail("begun"), virtual)
    lost: Any = Ended()
    resting.opened(lost)
    asks: Any = Asks(a=REJECTED)
    topics.join(asks)
    resting.refused()
    lost.close()
    virtual.advance_by(1.0)
    assert not resting.rests
