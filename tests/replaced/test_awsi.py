"""The faults of AsyncWebsocketStreamInterface: what it did, and what is right."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from reactivex import operators as ops

from benchmarks.reliability.raw_server import TEXT, Peer, RawServer, frame
from rxws import Rotation, WebSocketClient
from rxws.errors import ConfigError
from rxws.events import Closed, Rotated, Waiting
from rxws.operators import match
from rxws.unsent import Hold
from tests.client.hand import greet, outcome, quiet, refuse, task, turns, until


async def ticking(peer: Peer) -> None:
    """Accept, and number a message each millisecond."""
    await peer.accept()
    listening = task(peer.listen())
    while not peer.ended and not peer.writer.is_closing():
        peer.number()
        await asyncio.sleep(0.001)
    await listening


async def test_what_asks_for_a_rotation_and_raises_asks_for_none(hand: Any) -> None:
    """Fault: its example raised TypeError, which meant "rotate": every second. Right: it is told; nothing rotates."""

    def when(messages: Any) -> Any:
        raise TypeError("asyncio.wait takes no coroutines")

    async with RawServer(ticking) as server, hand(server.url, connect=False, rotate=Rotation(when)) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: client.stats.messages_received > 30 or (connecting.done() and connecting.result()))
        assert len(server.peers) <= 1 and client.of(Rotated) == []
        await client.close()
        await connecting


async def test_old_sockets_are_closed(hand: Any) -> None:
    """Fault: four rotations, four live sockets. Right: each is closed when the next one has taken over."""
    async with RawServer(ticking) as server, hand(server.url, rotate=Rotation(0.05)) as client:
        await until(lambda: len(client.of(Rotated)) == 4)
        open_now = [each for each in server.peers if not each.ended]
        assert len(open_now) <= 2
        await until(lambda: all(each.ended for each in server.peers[:4]))
        assert client.stats.reactive_disconnects == 0


async def test_a_clean_close_between_two_rotations_is_a_loss(hand: Any) -> None:
    """Fault: dead and silent until the next rotation, 20 hours perhaps. Right: it is back after its back-off."""

    async def close(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=1)
        await peer.end(1000)

    twenty_hours = Rotation(20 * 3600.0)
    async with RawServer(close, greet) as server, hand(server.url, rotate=twenty_hours) as client:
        await client.send("close")
        assert await client.receive(5.0) == {"n": 1}
        assert len(client.of(Closed)) == len(client.of(Waiting)) == 1


async def test_a_slow_stream_is_not_closed_behind_its_readers_back(hand: Any) -> None:
    """Fault: 20 unread messages ended a stream, and it hung. Right: 65,536 wait, or as many as one likes."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        stream = client.stream_filter()
        server.peers[0].number(1_000)
        await until(lambda: client.stats.messages_received == 1_000)
        server.peers[0].number()
        numbers = [(await anext(stream))["n"] for _ in range(1_001)]
        assert numbers == list(range(1, 1_002)) and stream.dropped == 0


async def test_a_rotation_makes_before_it_breaks(hand: Any) -> None:
    """Fault: it stopped reading before the new socket was there. Right: with a key, all are there, once, in order."""
    rotation = Rotation(0.05, key=lambda value: value["n"])

    async def market(peer: Peer) -> None:
        await peer.accept()
        listening = task(peer.listen())
        while not peer.ended and not peer.writer.is_closing():
            await tick.wait()
            peer.write(frame(TEXT, b'{"n":%d}' % now))
            await asyncio.sleep(0)
        await listening

    tick, now = asyncio.Event(), 0

    async def clock() -> None:
        nonlocal now
        while True:
            now += 1
            tick.set()
            tick.clear()
            await asyncio.sleep(0.001)

    async with RawServer(market) as server:
        running = task(clock())
        async with hand(server.url, rotate=rotation) as client:
            await until(lambda: len(client.of(Rotated)) == 3)
            await client.close()
            numbers = [each["n"] async for each in client.stream()]
        running.cancel()
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


async def test_a_message_of_the_stream_can_ask_for_the_rotation(hand: Any) -> None:
    """Its own example, done right: `listenKeyExpired`, and a fresh address for the next connection."""
    addresses: list[str] = []

    async def fresh() -> str:
        addresses.append(f"{server.url}?key={len(addresses)}")
        return addresses[-1]

    def expired(messages: Any) -> Any:
        return messages.pipe(match({"e": "listenKeyExpired"}), ops.take(1))

    async with RawServer(ticking) as server, hand(fresh, rotate=Rotation(expired)) as client:
        server.peers[0].write(frame(TEXT, b'{"e":"listenKeyExpired"}'))
        await until(lambda: client.of(Rotated))
        assert len(addresses) == 2 and b"key=1" in server.peers[1].request


async def test_a_slow_handler_holds_nobody_up(hand: Any) -> None:
    """Fault: an async handler that waited stopped the reading for all. Right: only its own queue waits."""
    gate, fast = asyncio.Event(), []

    async def slow(value: Any) -> None:
        await gate.wait()

    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
        client.add_handler(slow)
        client.add_handler(lambda value: fast.append(value["n"]))
        await client.connect()
        server.peers[0].number(100)
        await until(lambda: len(fast) == 100)
        gate.set()


async def test_what_a_handler_raises_is_heard(hand: Any, unheard: list[BaseException]) -> None:
    """Fault: `except: pass`. Right: the loop's exception handler gets it."""
    error = ValueError("a bug")

    async def handler(value: Any) -> None:
        raise error

    unheard.append(error)
    async with RawServer(greet) as server, hand(server.url) as client:
        client.add_handler(handler)
        server.peers[0].number()
        await turns(200)
        await until(lambda: client.stats.messages_received == 2)


async def test_send_waits_without_spinning(hand: Any) -> None:
    """Fault: `send` turned the loop until a socket was there. Right: `Hold` keeps it, and it goes out by itself."""
    async with RawServer(refuse, quiet) as server, hand(server.url, connect=False, unsent=Hold()) as client:
        connecting = task(client.connect())
        await turns(2)
        await client.send({"order": 1})
        await connecting
        await until(lambda: server.peers[1].messages)
        assert [json.loads(text) for _, text in server.peers[1].messages] == [{"order": 1}]


async def test_dials_that_fail_are_waited_out_ever_longer_and_told(hand: Any) -> None:
    """Fault: every second, for ever, without a word. Right: a growing wait, an event each, and an end if one likes."""
    async with RawServer(refuse) as server, hand(server.url, connect=False, random=lambda: 0.0) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: len(client.of(Waiting)) == 3)
        assert [each.seconds for each in client.of(Waiting)] == [0.05, 0.1, 0.2]
        await client.close()
        await connecting


async def test_the_end_is_good_at_any_time(hand: Any) -> None:
    """Fault: `exit` before the first tick, and a second `close`, raised. Right: both are nothing."""
    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        await client.close()
        await client.connect()
        values = client.stream_filter()
        await values.aclose()
        await values.aclose()
        await client.close()
        await client.close()
        await client.shutdown()
        await client.shutdown()


def test_a_client_is_made_without_a_loop() -> None:
    """Fault: its constructor made a task. Right: nothing runs before `connect`, and handlers may be there before."""
    client: WebSocketClient[Any] = WebSocketClient("ws://127.0.0.1:9/")
    client.add_handler(print)
    assert client.present_ws is None
    with pytest.raises(ConfigError):
        client.stream_filter()


async def test_all_who_read_get_the_same_object(hand: Any) -> None:
    """Fault: a deep copy for each handler and message. Right: one value, decoded once."""
    seen: list[Any] = []
    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        client.add_handler(seen.append)
        client.add_handler(seen.append)
        await client.connect()
        await until(lambda: len(seen) == 2)
        assert seen[0] is seen[1]
