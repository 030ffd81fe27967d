"""Fifteen hundred topics of Binance, with the limits that Binance has, and the exchange as the witness."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection

import pytest

from rxws import multiplex
from rxws.events import TopicStatus
from rxws.exchanges import binance
from rxws.market import MarketEvent
from rxws.multiplex import Multiplex
from rxws.testing import Leftovers, Limits, SimulatedExchange
from tests.leaping import leap

SYMBOLS = [f"A{number:04d}USDT" for number in range(1_500)]
TOPICS = [binance.quotes(symbol) for symbol in SYMBOLS]


def tell_each(exchange: SimulatedExchange, topics: Collection[str]) -> None:
    """Let one message of each topic happen, in one turn."""
    for topic in topics:
        exchange._venue.produce(1, among=(topic,))


async def all_become(mux: Multiplex, *statuses: TopicStatus) -> None:
    """Wait until every topic stands at one of these, a minute of its time at most."""
    async with asyncio.timeout(60.0):
        while not all(status in statuses for status in mux.statuses.values()):
            await asyncio.sleep(0.25)


async def prove(exchange: SimulatedExchange, topics: Collection[str]) -> None:
    """Keep these going for as long as a connection needs to have proved itself."""
    for _ in range(2):
        await asyncio.sleep(31.0)
        tell_each(exchange, topics)


def test_fifteen_hundred_topics_are_live_on_two_connections_through_ten_resets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No limit is broken, no topic moves, and each reset brings all of them back on two new connections."""
    caplog.set_level(logging.ERROR)
    told: Counter[str] = Counter()

    def note(event: MarketEvent) -> None:
        told[event.symbol] += 1

    async def main() -> None:
        assert Limits.of("binance") == Limits()  # 5 messages a second, 1,024 streams, 300 dials in 5 minutes
        with Leftovers() as leftovers:
            async with SimulatedExchange("binance", rate=None, symbols=SYMBOLS, history=10) as exchange:
                mux = multiplex(binance, base=exchange.url, linger=0.0)
                subscriptions = [leftovers.as_client(mux[topic].subscribe, note) for topic in TOPICS]
                place = mux.connections
                assert [len(topics) for topics in place] == [1_024, 476]
                for round in range(11):
                    if round:
                        await prove(exchange, (TOPICS[0], TOPICS[-1]))
                        assert exchange.reset() == 2
                        await exchange.until(lambda: not exchange.live)
                    await all_become(mux, TopicStatus.ACKNOWLEDGED)
                    assert len(mux.statuses) == len(TOPICS)
                    told.clear()
                    tell_each(exchange, TOPICS)
                    await all_become(mux, TopicStatus.LIVE)
                    assert told == dict.fromkeys(SYMBOLS, 1)
                    assert mux.connections == place
                    carried = sorted((set(record.streams) for record in exchange.live), key=len, reverse=True)
                    assert carried == [set(topics) for topics in place]
                assert not exchange.violations
                assert "EXCESS" not in exchange.received
                assert (exchange.handshakes_accepted, exchange.handshakes_refused) == (22, 0)
                assert exchange.received["SUBSCRIBE"] == 11 * (11 + 5)
                for subscription in subscriptions:
                    leftovers.as_client(subscription.dispose)
                assert mux.connections == ()
                assert await leftovers.after_a_while() == []

    leap(main())
