"""A venue that counts what it is sent, pongs too, and ends the connection of who sends more."""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.reliability.limited import most_in_any
from benchmarks.reliability.raw_server import PING, Peer, RawServer, frame
from rxws import SendLimit, ws_observable
from rxws.events import Closed, Event, Subscribed
from rxws.scheduler import settled
from rxws.testing import Limits, SimulatedExchange

# A second of Binance's in a tenth; ours is a little longer, for a loop delays what arrives.
THEIRS, OURS = 0.1, 0.15
SETTINGS: dict[str, Any] = {"send_limit": SendLimit(5, OURS), "idle_timeout": None, "ping_timeout": 5.0}


async def test_thirty_topics_one_by_one_do_not_cost_the_connection() -> None:
    """The exchange closes with 1008, and bans, whoever sends a sixth frame within its second."""
    events: list[Event] = []
    answered: set[int] = set()
    limits = Limits(messages=5, per=THEIRS, ping_interval=2 * OURS)
    async with SimulatedExchange("usdm", rate=500, limits=limits) as exchange:
        topics = [exchange.streams[number % len(exchange.streams)] for number in range(30)]
        asked = [{"method": "SUBSCRIBE", "params": [topic], "id": number} for number, topic in enumerate(topics)]
        settings = {**SETTINGS, "subscriptions": asked, "ping_interval": 0.3, "events": events.append}
        stream = ws_observable(f"{exchange.url}/ws", **settings)
        subscription = stream.subscribe(lambda value: answered.add(value.get("id", -1)))
        async with asyncio.timeout(10.0):
            while not answered >= set(range(30)):
                await asyncio.sleep(0.01)
        subscription.dispose()
        await settled()
    told = [type(event) for event in events if isinstance(event, Subscribed | Closed)]
    assert told == [Subscribed, Closed]
    assert exchange.handshakes_accepted == 1


async def test_a_server_never_sees_more_frames_than_the_limit(watch: Any) -> None:
    """Messages, our pings, and the answers to its own, by its own clock."""
    arrived: list[float] = []

    async def counting(peer: Peer) -> None:
        await peer.accept()
        loop = asyncio.get_running_loop()
        pinging = asyncio.ensure_future(ping(peer))
        listening = asyncio.ensure_future(peer.listen())
        counted = 0
        while not listening.done():
            await asyncio.sleep(0)
            arrived.extend([loop.time()] * (len(peer.heard) - counted))
            counted = len(peer.heard)
        pinging.cancel()

    async def ping(peer: Peer) -> None:
        while True:
            await asyncio.sleep(1.5 * OURS)
            peer.write(frame(PING, b"there?"))

    settings = {**SETTINGS, "subscriptions": [str(number) for number in range(30)], "ping_interval": 0.1}
    async with RawServer(counting) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: server.peers and len(server.peers[0].messages) == 30)
        assert len(server.peers[0].of(PING)) > 3
        assert most_in_any(THEIRS, arrived) <= 5
        assert seen.of(Closed) == []
