"""What a client says of itself: its states, counters, times and events, and the loops that people build on these."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from reactivex import Observer

from benchmarks.reliability.raw_server import TEXT, Peer, RawServer, frame
from rxws import Backoff, Stats
from rxws.errors import RetriesExhausted
from rxws.events import Blocked, Closed, Connecting, ConnectionState, Event, Opened, Waiting
from tests.client.hand import flap, greet, quiet, refuse, task, turns, until

S = ConnectionState


async def test_the_states_of_a_whole_life(hand: Any) -> None:
    """Each is reached, and told to those who hear events."""
    states: list[ConnectionState] = []

    def listen(event: Event) -> None:
        assert client.is_shutdown or event.state is client.state, "an event and the client say the same"
        if not states or states[-1] is not client.state:
            states.append(client.state)

    async with RawServer(refuse, greet) as server, hand(server.url, connect=False) as client:
        client.events.subscribe(listen)
        assert client.state is S.DISCONNECTED
        await client.connect()
        client.request_disconnect(0.0)
        await client.wait_connected()
        client.kill()
        await client.wait_connected()
        closing = task(client.close())
        await turns(1)
        assert client.state is S.CLOSING
        await closing
        assert client.state is S.DISCONNECTED
        await client.connect()
        await client.force_close()
        assert client.state is S.CLOSED
        first = [S.CONNECTING, S.RECONNECTING, S.CONNECTING, S.CONNECTED]
        assert states[:4] == first
        assert states[4:9] == [S.DISCONNECTED, S.CONNECTING, S.CONNECTED, S.RECONNECTING, S.CONNECTING]


async def test_dead_recoverable_and_shut(hand: Any) -> None:
    """What a watchdog asks, at each station."""

    def told() -> tuple[bool, bool, bool]:
        return client.is_dead, client.is_recoverable, client.is_shutdown

    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
        assert told() == (True, True, False)
        await client.connect()
        assert told() == (False, False, False)
        client.kill()
        assert told() == (False, False, False), "it comes back by itself"
        await client.wait_connected()
        client.request_disconnect(3600.0)
        assert told() == (False, False, False), "it comes back by itself, later"
        client.request_disconnect()
        assert told() == (True, True, False)
        await client.close()
        assert told() == (True, True, False)
        await client.shutdown()
        assert told() == (True, False, True)


async def test_a_watchdog_brings_back_what_gave_up(hand: Any) -> None:
    """The loop that people write around a client, until it is shut down."""
    retry = Backoff(initial=0.001, cap=0.001, max_attempts=2)

    async def server_script(peer: Peer) -> None:
        await (refuse if len(peer.server.peers) < 6 else greet)(peer)

    async with RawServer(server_script) as server, hand(server.url, connect=False, retry=retry) as client:
        failures = 0
        while not client.is_connected:
            if client.is_recoverable:
                try:
                    await client.connect()
                except RetriesExhausted:
                    failures += 1
        assert failures == 2 and len(server.peers) == 6
        assert await client.receive(5.0) == {"n": 1}


async def test_the_age_of_a_connection_is_that_of_the_current_one(hand: Any) -> None:
    """0 before, away and behind it; `stats` keeps how long the last one was open, and how long all were."""
    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
        assert client.connection_duration == 0.0
        await client.connect()
        await asyncio.sleep(0.02)
        assert client.connection_duration >= 0.02
        client.request_disconnect(0.05)
        assert client.connection_duration == 0.0
        last, total = client.stats.connection_time, client.stats.uptime
        assert last >= 0.02 and total >= 0.02
        await asyncio.sleep(0.01)
        assert (client.stats.connection_time, client.stats.uptime) == (last, total), "away, it grows no further"
        await client.wait_connected()
        assert client.connection_duration < last
        await client.close()
        assert client.connection_duration == 0.0


async def test_bytes_are_bytes(hand: Any) -> None:
    """Of text too, whose characters may be several each."""

    async def speak(peer: Peer) -> None:
        await peer.accept()
        peer.write(frame(TEXT, '{"c":"é€"}'.encode()))
        await peer.listen()

    async with RawServer(speak) as server, hand(server.url) as client:
        assert await client.receive(5.0) == {"c": "é€"}
        assert (client.stats.messages_received, client.stats.bytes_received) == (1, len('{"c":"é€"}'.encode()))


async def test_stats_may_be_the_callers(hand: Any) -> None:
    """One for several clients, also an untouched one."""
    stats = Stats()
    async with RawServer(greet) as server, hand(server.url, stats=stats) as one, hand(server.url, stats=stats) as two:
        assert one.stats is two.stats is stats and stats.connects == 2
        await one.close()


async def test_events_are_heard_by_the_listener_given_and_by_who_observes(
    hand: Any, unheard: list[BaseException]
) -> None:
    """A listener that raises is reported each time, hears on, and keeps nothing from others."""
    error, heard, seen = ValueError("mine"), [], []

    def listen(event: Event) -> None:
        heard.append(type(event))
        raise error

    unheard.extend([error] * 3)
    async with RawServer(quiet) as server, hand(server.url, connect=False, events=listen) as client:
        client.events.subscribe(lambda event: seen.append(type(event)))
        await client.connect()
        await client.close()
        assert heard == seen == [Connecting, Opened, Closed]


async def test_a_cancellation_that_a_listener_raises_is_reported_too(hand: Any, unheard: list[BaseException]) -> None:
    """What is raised by something that it called and that was cancelled keeps nothing from others either."""
    error, seen = asyncio.CancelledError("mine"), []

    def listen(event: Event) -> None:
        raise error

    unheard.extend([error] * 3)
    async with RawServer(quiet) as server, hand(server.url, connect=False, events=listen) as client:
        client.events.subscribe(lambda event: seen.append(type(event)))
        await client.connect()
        await client.close()
        assert seen == [Connecting, Opened, Closed]


async def test_a_listener_may_be_an_observer(hand: Any) -> None:
    """As in `ws_observable`."""
    heard: list[Any] = []
    async with RawServer(quiet) as server, hand(server.url, events=Observer(heard.append)) as client:
        await client.close()
        assert [type(each) for each in heard] == [Connecting, Opened, Closed]


async def test_the_life_can_travel_between_the_data(hand: Any) -> None:
    """lifecycle=True: whoever reads sees where the connection changed, and of which generation each stretch is."""
    async with RawServer(greet) as server, hand(server.url, lifecycle=True) as client:
        seen = []
        async for value in client.stream():
            seen.append(type(value).__name__ if isinstance(value, Event) else value["n"])
            if value == {"n": 1}:
                client.kill()
            elif value == {"n": 2}:
                break
        told = ["Connecting", "Opened", "Live"]
        assert seen == [*told, 1, "Closed", "Waiting", *told, 2]


async def test_the_url_keeps_its_secrets(hand: Any) -> None:
    """Before and after it is connected, also where it is asked for."""
    async with RawServer(quiet) as server:
        for url in (f"{server.url}?token=abc", lambda: f"{server.url}?token=abc"):
            async with hand(url, connect=False) as client:
                assert "abc" not in client.url
                await client.connect()
                assert client.url.startswith(server.url) and "abc" not in client.url


async def test_a_server_that_flaps_is_dialled_ever_more_slowly(hand: Any) -> None:
    """The back-off is that of the stream: a handshake is no proof."""
    delays = [0.01, 0.02, 0.04]
    settings = {"retry": Backoff(initial=0.01, cap=1.0, jitter="none")}
    async with RawServer(flap) as server, hand(server.url, connect=False, **settings) as client:
        connecting = task(client.connect())
        await until(lambda: len(client.of(Waiting)) >= 3)
        assert [each.seconds for each in client.of(Waiting)][:3] == delays
        connecting.cancel()


class Trade(msgspec.Struct):
    """What a venue sends."""

    n: int


@pytest.mark.parametrize(
    ("decode", "value"), [(Trade, Trade(1)), (None, '{"n":1}'), (len, 7), (msgspec.json.decode, {"n": 1})]
)
async def test_values_are_what_decode_makes_of_them(hand: Any, decode: Any, value: Any) -> None:
    """For each way to read."""
    seen: list[Any] = []
    async with RawServer(greet) as server, hand(server.url, connect=False, decode=decode) as client:
        client.add_handler(seen.append)
        await client.connect()
        await until(lambda: seen)
        assert seen == [value]


async def test_who_blocks_the_loop_is_named(hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler, and a listener of events, by its own name, behind all that lies between."""
    for module in ("attempt", "telling"):
        monkeypatch.setattr(f"rxws.{module}.BLOCKED", 0.0)  # so that nobody has to

    def slow_handler(value: Any) -> None: ...

    def slow_listener(event: Event) -> None: ...

    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        client.add_handler(slow_handler)
        client.events.subscribe(slow_listener)
        await client.connect()
        await until(lambda: client.stats.messages_received)
        named = " ".join(str(each.callback) for each in client.of(Blocked))
        assert "slow_handler" in named and "slow_listener" in named
