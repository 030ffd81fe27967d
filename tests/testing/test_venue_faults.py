"""What the simulated exchange does wrong on order, at each of its five venues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from rxws.errors import ConfigError
from rxws.testing.exchange import Dropped, Limits, SimulatedExchange
from tests.testing.plain import parsed, take
from tests.testing.venues import VENUES, Venue

pytestmark = pytest.mark.parametrize("venue", VENUES, ids=str)


@pytest.fixture
async def exchange(venue: Venue) -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    async with asyncio.timeout(10), SimulatedExchange(venue.name, rate=None, limits=Limits.off()) as exchange:
        yield exchange


@pytest.fixture
async def client(exchange: SimulatedExchange, venue: Venue) -> AsyncIterator[ClientConnection]:
    """A client that has subscribed to a book."""
    async with connect(exchange.endpoint()) as client:
        await venue.subscribe(client)
        yield client


async def texts(client: ClientConnection, count: int) -> list[str]:
    """Return the next messages as they came."""
    return [str(await client.recv()) for _ in range(count)]


async def test_the_same_seed_makes_the_same_messages(venue: Venue) -> None:
    """Another seed makes others; ids and prices do not depend on the clock."""

    async def told(seed: int) -> list[str]:
        market = SimulatedExchange(venue.name, rate=None, limits=Limits.off(), seed=seed, now_ns=lambda: 10**18)
        async with asyncio.timeout(10), market as exchange, connect(exchange.endpoint()) as client:
            await venue.subscribe(client)
            exchange.burst(30)
            return await texts(client, 30)

    assert await told(7) == await told(7) != await told(8)


async def test_a_dropped_message_happened_and_is_not_told(
    venue: Venue, exchange: SimulatedExchange, client: ClientConnection
) -> None:
    """What follows is told, the book has it all, and what was dropped is known by topic and number."""
    exchange.burst(2)
    exchange.drop_messages(2, venue.topic)
    exchange.burst(3)

    assert len(await texts(client, 3)) == 3
    assert exchange.dropped == (Dropped(venue.topic, 3), Dropped(venue.topic, 4))
    assert (exchange.dropped_count, exchange.produced) == (2, 5)
    assert list(exchange.live[0].numbers) == [1, 2, 5]


async def test_the_truth_goes_on_where_messages_are_dropped(
    venue: Venue, exchange: SimulatedExchange, client: ClientConnection
) -> None:
    """The true book is another one after a message that nobody was told of."""
    exchange.burst(1)
    before = exchange.book(venue.symbol)
    exchange.drop_messages()
    exchange.burst(1)

    assert exchange.book(venue.symbol) != before
    await texts(client, 1)


async def test_messages_are_dropped_at_a_rate_and_by_the_seed(venue: Venue) -> None:
    """About so many of a thousand, the same ones again, and none of what nobody listens to."""

    async def dropped(seed: int) -> tuple[Dropped, ...]:
        market = SimulatedExchange(venue.name, rate=None, limits=Limits.off(), seed=seed, drop_rate=0.05)
        async with asyncio.timeout(10), market as exchange:
            exchange.burst(100)
            assert exchange.dropped == ()
            async with connect(exchange.endpoint()) as client:
                await venue.subscribe(client)
                exchange.burst(1_000)
                await texts(client, 1_000 - exchange.dropped_count)
            return exchange.dropped

    first = await dropped(1)
    assert 20 < len(first) < 100
    assert await dropped(1) == first != await dropped(2)


async def test_a_message_comes_twice(venue: Venue, exchange: SimulatedExchange, client: ClientConnection) -> None:
    """It is the same one, and the next comes once."""
    exchange.duplicate()
    exchange.burst(2)
    first, again, other = await texts(client, 3)

    assert first == again != other
    assert list(exchange.live[0].numbers) == [1, 1, 2]
    with pytest.raises(ConfigError, match="not told"):
        exchange.duplicate(1, "nothing")
    with pytest.raises(ConfigError, match="too few"):
        exchange.drop_messages(-1)


async def test_an_acknowledgement_comes_behind_data(venue: Venue, exchange: SimulatedExchange) -> None:
    """The first data first, be it a snapshot or a change; what was asked for is done at once."""
    exchange.acks("after_data")
    async with connect(exchange.endpoint()) as client:
        await venue.ask(client)
        await exchange.until(lambda: exchange.live[0].streams)
        exchange.burst(2)
        messages = await take(client, 3 + venue.snapshot)

    assert [venue.is_ack(message) for message in messages].index(True) == 1
    assert sum(map(venue.is_ack, messages)) == 1


async def test_an_acknowledgement_is_late_or_never_comes(venue: Venue, exchange: SimulatedExchange) -> None:
    """Held, it comes when it is released; silent, the data are all that comes."""
    exchange.acks("held")
    exchange.acks("silent")
    async with connect(exchange.endpoint()) as late, connect(exchange.endpoint()) as never:
        await venue.ask(late)
        await exchange.until(lambda: exchange.live[0].streams)
        await venue.ask(never)
        await exchange.until(lambda: exchange.live[1].streams)
        exchange.burst(2)
        assert exchange.release_acks() == 1
        assert exchange.release_acks() == 0
        exchange.burst(1)
        first = await take(late, 4 + venue.snapshot)
        second = await take(never, 3 + venue.snapshot)

    assert [venue.is_ack(message) for message in first].index(True) == 2 + venue.snapshot
    assert not any(map(venue.is_ack, second))
    with pytest.raises(ConfigError, match="unknown"):
        exchange.acks("sometimes")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="too few"):
        exchange.acks("held", 0)


async def test_an_error_comes_before_the_acknowledgement(venue: Venue, exchange: SimulatedExchange) -> None:
    """It has no id, and it was not meant."""
    exchange.acks("after_error")
    async with connect(exchange.endpoint()) as client:
        await venue.ask(client)
        error, ack = await take(client, 2)
        assert "id" not in error and not venue.is_ack(error)
        assert venue.is_ack(ack)
        assert len(exchange.live[0].streams) == 1
        if venue.snapshot:
            await client.recv()


@pytest.mark.parametrize("order", ["error_without_id", "unknown_event"])
async def test_what_says_nothing_comes_in_between(
    venue: Venue, exchange: SimulatedExchange, client: ClientConnection, order: str
) -> None:
    """An error or an event that belongs to nothing, in the venue's own shape; the book goes on."""
    assert getattr(exchange, order)() == 1
    exchange.burst(1)
    said, told = await take(client, 2)

    assert isinstance(said, dict) and "id" not in said
    assert (venue.is_change(said), venue.is_change(told)) == (False, True)


async def test_any_text_can_be_said(venue: Venue, exchange: SimulatedExchange, client: ClientConnection) -> None:
    """Such as a pong that is no JSON, to those who never asked for one."""
    assert exchange.say("pong") == 1
    assert await client.recv() == "pong"


async def test_fields_that_nobody_knows_come_along(venue: Venue) -> None:
    """The others are what they are without them."""

    async def told(*quirks: Any) -> list[Any]:
        market = SimulatedExchange(venue.name, rate=None, limits=Limits.off(), quirks=quirks, now_ns=lambda: 10**18)
        async with asyncio.timeout(10), market as exchange, connect(exchange.endpoint()) as client:
            await venue.subscribe(client)
            exchange.burst(5)
            return await take(client, 5)

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(inner) for key, inner in value.items() if key != "x_new"}
        return [without(inner) for inner in value] if isinstance(value, list) else value

    more = await told("unknown_fields")
    assert all("x_new" in message for message in more)
    assert [without(message) for message in more] == await told()


@pytest.mark.parametrize(
    ("fault", "ended"),
    [
        (lambda exchange: exchange.close(1012, "restart"), "closed with 1012 restart"),
        (lambda exchange: exchange.drop(), "dropped"),
        (lambda exchange: exchange.reset(), "reset"),
        (lambda exchange: exchange.malformed("utf8"), "closed by the client with 1007"),
        (lambda exchange: exchange.oversized(), "closed by the client with 1009"),
        (lambda exchange: exchange.announce_shutdown(0.0), "closed with 1001"),
    ],
    ids=["close", "drop", "reset", "malformed", "oversized", "shutdown"],
)
async def test_a_connection_ends_as_ordered(
    venue: Venue,
    exchange: SimulatedExchange,
    client: ClientConnection,
    fault: Callable[[SimulatedExchange], int],
    ended: str,
) -> None:
    """The faults of connections are the same at every venue."""
    assert fault(exchange) == 1
    with pytest.raises(ConnectionClosed):
        while True:
            await client.recv()

    await exchange.until(lambda: not exchange.live)
    assert exchange.connections[0].ended == ended


async def test_a_stalled_connection_goes_on_later(
    venue: Venue, exchange: SimulatedExchange, client: ClientConnection
) -> None:
    """What happened meanwhile is missed; what is left is told."""
    exchange.stall()
    exchange.burst(3)
    assert exchange.resume() == 1
    exchange.burst(2)
    await texts(client, 2)

    assert list(exchange.live[0].numbers) == [4, 5]


async def test_a_message_may_come_in_pieces_and_two_thousand_at_once(
    venue: Venue, exchange: SimulatedExchange, client: ClientConnection
) -> None:
    """Fragments with pings between them, and a burst of what a second may bring."""
    exchange.fragment(3, pings=True)
    exchange.burst(2_000)
    exchange.ping_flood(10)
    messages = await texts(client, 2_001)

    assert all(isinstance(parsed(message), dict) for message in messages)
    assert list(exchange.live[0].numbers) == list(range(1, 2_002))


async def test_handshakes_fail_as_ordered(venue: Venue, exchange: SimulatedExchange) -> None:
    """The faults of handshakes are the same at every venue."""
    exchange.reject(503, times=1)
    with pytest.raises(Exception, match="503"):
        await connect(exchange.endpoint())
    async with connect(exchange.endpoint()) as client:
        await venue.subscribe(client)

    assert (exchange.handshakes_refused, exchange.handshakes_accepted) == (1, 1)


async def test_it_goes_by_itself_at_a_rate(venue: Venue) -> None:
    """Without an order the messages come, of what is subscribed to."""
    exchange = SimulatedExchange(venue.name, rate=2_000.0, limits=Limits.off())
    async with asyncio.timeout(10), exchange, connect(exchange.endpoint()) as client:
        await venue.subscribe(client)
        await texts(client, 20)
        client.transport.abort()  # it does not read on, and so would hear of no end

    assert exchange.connections[0].messages >= 20
