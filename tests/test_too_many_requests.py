"""Venues that count what an address asks for: all its connections together keep the limit, and a refusal is a pause."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rxws import feeds, venue_observable
from rxws.desired import Topics
from rxws.events import Event, Rejected, TopicChanged, TopicStatus
from rxws.exchanges import coinbase_exchange, deribit, okx
from rxws.market import BookSnapshot
from rxws.testing import Limits, SimulatedExchange
from tests.leaping import leaping
from tests.talking import Talked, talk
from tests.talking import until as until_lost

LIVE = TopicStatus.LIVE
SYMBOLS = {
    deribit: [f"{name}-PERPETUAL" for name in ("BTC", "ETH", "SOL", "ADA")],
    okx: [f"{name}-USDT" for name in ("BTC", "ETH", "SOL", "ADA")],
    coinbase_exchange: [f"{name}-USD" for name in ("BTC", "ETH", "SOL", "ADA")],
}
# As if others used the address too, or the connection did what its limiter does not know of.
FEWER = {
    deribit: replace(Limits.of("deribit"), subscribe_credits=3_000.0, credits=600.0),
    okx: replace(Limits.of("okx"), requests=1, requests_per=0.7),
    coinbase_exchange: replace(Limits.of("coinbase_exchange"), requests=1, burst=1),
}
BUSY = pytest.mark.parametrize("venue", FEWER, ids=lambda venue: venue.NAME)


async def until(condition: Callable[[], object]) -> None:
    """Wait until that is so, two minutes of the loop's time at most."""
    async with asyncio.timeout(120.0):
        while not condition():
            await asyncio.sleep(0.25)


async def tell(exchange: SimulatedExchange, *topics: str) -> None:
    """Let a message of each topic happen, and be read."""
    for topic in topics:
        exchange._venue.produce(1, among=(topic,))
    await asyncio.sleep(0.01)


# All connections together


@pytest.mark.parametrize("is_shared", [False, True], ids=["a connection each", "shared"])
@pytest.mark.parametrize(("name", "count"), [("deribit", 24), ("coinbase_exchange", 60)])
@leaping
async def test_an_address_asks_no_more_than_it_may(name: str, count: int, is_shared: bool) -> None:
    """However many connections it has; also when all of them are lost at once."""
    symbols = [f"A{number}-PERPETUAL" if name == "deribit" else f"A{number}-USD" for number in range(count)]
    errors: list[Exception] = []
    async with SimulatedExchange(name, symbols=symbols) as exchange:
        feed = getattr(feeds, name).configured(base=exchange.url)
        source: Any = feed.shared(topics_per_connection=1) if is_shared else feed
        brought: set[str] = set()
        readers = [
            source.quotes(symbol).subscribe(lambda quote: brought.add(quote.symbol), errors.append)
            for symbol in symbols
        ]
        for round in range(2):
            if round:
                assert exchange.reset() == count
            brought.clear()
            await until(lambda: len(brought) == count)
        assert (errors, exchange.violations) == ([], {})
        for reader in readers:
            reader.dispose()


@leaping
async def test_who_asks_for_no_limit_has_none() -> None:
    """Neither of a connection nor of the address; what Deribit refuses is asked for again behind a pause."""
    symbols = [f"A{number}-PERPETUAL" for number in range(12)]
    async with SimulatedExchange("deribit", symbols=symbols, rate=None) as exchange:
        topics = [Topics([deribit.quotes(symbol)]) for symbol in symbols]
        readers = [
            venue_observable(deribit, each, base=exchange.url, send_limit=None).subscribe(lambda _: None)
            for each in topics
        ]
        await asyncio.sleep(0.5)
        assert exchange.violations == {"credits": 2}
        exchange.violations.clear()
        await until(lambda: all(TopicStatus.REQUESTED not in each.statuses.values() for each in topics))
        assert not any(TopicStatus.REJECTED in each.statuses.values() for each in topics)
        for reader in readers:
            reader.dispose()


# One that is told so all the same


@BUSY
@leaping
async def test_what_was_asked_too_often_is_asked_again(venue: Any) -> None:
    """The topic is as good as any; nobody is told that it is refused, and what it waits for is in its event."""
    topics = [venue.quotes(symbol) for symbol in SYMBOLS[venue]]
    limits = FEWER[venue]
    async with SimulatedExchange(venue.NAME, symbols=SYMBOLS[venue], rate=20.0, limits=limits) as exchange:
        events: list[Event] = []
        errors: list[Exception] = []
        wanted = Topics(topics[:1])
        stream = venue_observable(venue, wanted, base=exchange.url, events=events.append)
        reader = stream.subscribe(lambda _: None, errors.append)
        for topic in topics[1:]:
            await asyncio.sleep(0.05)
            wanted.add(topic)
        await until(lambda: set(wanted.statuses.values()) == {LIVE})
        refused = exchange.violations.total()
        assert refused > 0
        assert not any(isinstance(event, Rejected) for event in events)
        again = [event for event in events if isinstance(event, TopicChanged) and event.why]
        assert {event.status for event in again} == {TopicStatus.REQUESTED}
        assert all("requests" in event.why.lower() for event in again)
        assert (errors, exchange.handshakes_accepted) == ([], 1)
        assert refused < 10  # they are asked again behind a pause, and not at once
        reader.dispose()


@BUSY
@leaping
async def test_what_could_not_be_ended_is_ended_later(venue: Any) -> None:
    """And what is wanted anew meanwhile is there in the end; on the wire is what is wanted."""
    topics = [venue.quotes(symbol) for symbol in SYMBOLS[venue]]
    limits = FEWER[venue]
    async with SimulatedExchange(venue.NAME, symbols=SYMBOLS[venue], rate=20.0, limits=limits) as exchange:
        wanted = Topics(topics)
        errors: list[Exception] = []
        reader = venue_observable(venue, wanted, base=exchange.url).subscribe(lambda _: None, errors.append)
        await until(lambda: set(wanted.statuses.values()) == {LIVE})
        before = exchange.violations.total()
        for topic in topics[1:]:
            wanted.discard(topic)
            await asyncio.sleep(0.02)
        wanted.add(topics[2])
        there = {topics[0], topics[2]}
        await until(lambda: set(exchange.live[0].streams) == there)
        await until(lambda: set(wanted.statuses.values()) == {LIVE})
        await asyncio.sleep(20.0)
        assert set(exchange.live[0].streams) == there
        assert exchange.violations.total() > before
        assert (errors, exchange.handshakes_accepted) == ([], 1)
        reader.dispose()


@pytest.mark.parametrize("venue", [deribit, okx], ids=lambda venue: venue.NAME)
@leaping
async def test_a_renewal_that_is_half_refused_brings_its_snapshot_all_the_same(venue: Any) -> None:
    """Where the end was refused, and the new beginning was not, nothing has begun anew: it is renewed once more."""
    topic = venue.book(SYMBOLS[venue][0])
    async with SimulatedExchange(venue.NAME, symbols=SYMBOLS[venue], rate=None, limits=Limits.off()) as exchange:
        snapshots: list[BookSnapshot] = []
        wanted = Topics([topic])

        def take(value: object) -> None:
            if isinstance(value, BookSnapshot):
                snapshots.append(value)

        reader = venue_observable(venue, wanted, base=exchange.url).subscribe(take)
        await until(lambda: wanted.status(topic) is LIVE)
        (connection,) = exchange._venue.live
        answer, refuses = connection.session.answer, True

        def once(text: bytes, *rest: Any) -> Any:
            nonlocal refuses
            if refuses and b"unsubscribe" in text:
                refuses = False
                request = json.loads(text)
                if venue is deribit:
                    return connection.session._refused(request, "public/unsubscribe", 10028, "too_many_requests", 0)
                code = {"event": "error", "id": request["id"], "code": "60014", "msg": "Requests too frequent"}
                return replace(answer(b"ping", *rest), texts=(json.dumps(code).encode(),))
            return answer(text, *rest)

        connection.session.answer = once
        wanted.renew(topic)
        await until(lambda: len(snapshots) == 2)
        assert (refuses, wanted.status(topic)) == (False, LIVE)
        reader.dispose()


# In virtual time


def asked(talked: Talked) -> list[tuple[str, list[str]]]:
    """What has been asked of Deribit on the first connection, apart from its heartbeat, and for which channels."""
    requests = [json.loads(text) for text in talked.transport.dials[0].sent]
    return [
        (each["method"].partition("/")[2], each["params"]["channels"][:1])
        for each in requests
        if "channels" in each["params"]
    ]


MANY = '{"id":1,"error":{"code":10028,"message":"too_many_requests"}}'
QUOTE = "quote.BTC-PERPETUAL"


def test_what_is_given_up_before_it_is_refused_is_not_asked_for_again() -> None:
    """Nobody wants it any more."""
    topics = Topics([QUOTE, "quote.ETH-PERPETUAL"])
    talked = talk(until_lost((2.0, MANY)), topics=topics, venue=deribit).to(1.0)
    topics.discard(QUOTE)
    talked.to(10.0)
    assert asked(talked) == [
        ("subscribe", [QUOTE]),
        ("unsubscribe", [QUOTE]),
        ("subscribe", ["quote.ETH-PERPETUAL"]),
    ]


def test_the_time_to_answer_does_not_run_while_the_address_pauses() -> None:
    """It begins anew with the next request."""
    talked = talk(until_lost((1.5, MANY)), topics=[QUOTE], venue=deribit, ack_timeout=2.0).to(4.0)
    assert asked(talked) == [("subscribe", [QUOTE])] * 2
    assert talked.topics == [(QUOTE, "requested")] * 2
    talked.to(5.0)
    assert talked.topics[2:] == [(QUOTE, "timed out")]
