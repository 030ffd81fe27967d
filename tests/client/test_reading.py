"""stream, receive and stream_filter: what waits, what is dropped, and how they end."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from benchmarks.reliability.raw_server import PING, PONG, TEXT, Peer, RawServer, frame
from rxws import Backoff, Rotation
from rxws.errors import BufferOverflow, ConfigError, ConnectTimeout, DecodeError
from rxws.events import Overflow, Rotated
from tests.client.hand import greet, outcome, quiet, task, turns, until


async def count(client: Any, to: int) -> list[int]:
    """The numbers that `stream` brings, until one is so high."""
    numbers = []
    async for value in client.stream():
        numbers.append(value["n"])
        if numbers[-1] >= to:
            break
    return numbers


async def test_what_came_before_anybody_read_waits(hand: Any) -> None:
    """From `connect` on, in order; who breaks off and reads again goes on where he was."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        server.peers[0].number(10)
        await until(lambda: client.stats.messages_received == 10)
        assert await count(client, 3) == [1, 2, 3]
        assert await client.receive() == {"n": 4}
        assert await count(client, 10) == [5, 6, 7, 8, 9, 10]


async def test_reading_goes_on_over_losses(hand: Any) -> None:
    """One loop sees the values of one connection after the other."""
    async with RawServer(greet) as server, hand(server.url) as client:
        seen = []
        async for value in client.stream():
            seen.append(value["n"])
            if len(seen) == 3:
                break
            client.kill()
        assert seen == [1, 2, 3] and client.stats.reactive_disconnects == 2


async def test_close_lets_what_waits_be_read(hand: Any) -> None:
    """Then the iteration ends."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        server.peers[0].number(3)
        await until(lambda: client.stats.messages_received == 3)
        await client.close()
        assert [each["n"] async for each in client.stream()] == [1, 2, 3]
        assert [each["n"] async for each in client.stream()] == []


async def test_several_tasks_share_what_comes(hand: Any) -> None:
    """Each value goes to one of them, none is lost, and all of them end."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        shares: list[list[int]] = [[], [], []]

        async def worker(share: list[int]) -> None:
            async for value in client.stream():
                share.append(value["n"])
                await asyncio.sleep(0)

        workers = [task(worker(share)) for share in shares]
        await turns()
        for _ in range(10):
            server.peers[0].number(10)
            await turns(5)
        await until(lambda: sum(map(len, shares)) == 100)
        assert sorted(number for share in shares for number in share) == list(range(1, 101))
        assert all(shares)
        await client.close()
        await asyncio.gather(*workers)


async def test_all_of_them_hear_how_it_ended(hand: Any) -> None:
    """The stream's error is raised in each, and again in whoever comes later."""

    async def broken(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=1)
        peer.write(frame(TEXT, b"{"))
        await peer.listen()

    settings = {"decode": msgspec.json.decode, "on_bad_frame": "raise"}
    async with RawServer(broken) as server, hand(server.url, **settings) as client:
        readers = [task(outcome(anext(client.stream()))) for _ in range(3)]
        await turns()
        await client.send("now")
        errors = await asyncio.gather(*readers)
        assert all(isinstance(each, DecodeError) for each in errors)
        assert isinstance(await outcome(client.receive()), DecodeError)


async def test_reading_before_connect_is_refused(hand: Any) -> None:
    """By a word that says what to do; nobody waits for ever."""
    async with hand("ws://127.0.0.1:9/", connect=False) as client:
        for read in (client.stream, client.stream_filter):
            with pytest.raises(ConfigError, match="connect"):
                read()
        with pytest.raises(ConfigError, match="connect"):
            await client.receive()


async def test_receive_has_a_timeout(hand: Any) -> None:
    """ConnectTimeout("receive"), and the connection stays."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        with pytest.raises(ConnectTimeout, match="receive"):
            await client.receive(0.01)
        server.peers[0].number()
        assert await client.receive(5.0) == {"n": 1}


@pytest.mark.parametrize(
    ("overflow", "kept"),
    [("drop_oldest", [8, 9, 10]), ("drop_newest", [1, 2, 3]), ("latest", [10])],
)
async def test_what_finds_no_room_is_dropped_as_asked_and_counted_exactly(hand: Any, overflow: str, kept: Any) -> None:
    """In `stats.dropped`, and in `Overflow` events that are no storm; the sum of both is the same."""
    async with RawServer(quiet) as server, hand(server.url, maxsize=3, overflow=overflow) as client:
        server.peers[0].number(10)
        await until(lambda: client.stats.messages_received == 10)
        assert client.stats.dropped == 10 - len(kept)
        assert len(client.of(Overflow)) == 1
        await client.close()
        assert [each["n"] async for each in client.stream()] == kept
        events = client.of(Overflow)
        assert len(events) == 2 and {each.where for each in events} == {"stream"}
        assert sum(each.dropped for each in events) == client.stats.dropped


async def test_error_hands_out_what_waits_and_begins_anew(hand: Any) -> None:
    """The bound was the caller's; who reads on after the error gets what comes next."""
    async with RawServer(quiet) as server, hand(server.url, maxsize=3) as client:
        server.peers[0].number(5)
        await until(lambda: client.stats.messages_received == 5)
        seen = []
        with pytest.raises(BufferOverflow):
            async for value in client.stream():
                seen.append(value["n"])
        assert seen == [1, 2, 3] and client.is_connected and client.stats.dropped == 1
        reading = task(count(client, 6))
        await turns()
        server.peers[0].number()
        assert await reading == [6]


async def test_a_bound_given_to_stream_holds_for_what_waits_already(hand: Any) -> None:
    """Ten wait; who asks for the latest only gets that one, and the others are counted."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        server.peers[0].number(10)
        await until(lambda: client.stats.messages_received == 10)
        assert await anext(client.stream(overflow="latest")) == {"n": 10}
        assert client.stats.dropped == 9


@pytest.mark.parametrize("bad", [{"maxsize": 0}, {"maxsize": True}, {"overflow": "keep"}, {"overflow": ""}])
async def test_a_bound_that_is_none_is_refused(hand: Any, bad: Any) -> None:
    """By name, where the client is made and where it is read."""
    (name,) = bad
    with pytest.raises(ConfigError, match=name):
        async with hand("ws://127.0.0.1:9/", connect=False, **bad):
            raise AssertionError("made")
    async with RawServer(quiet) as server, hand(server.url) as client:
        for read in (client.stream, client.stream_filter, lambda **bad: client.add_handler(print, **bad)):
            with pytest.raises(ConfigError, match=name):
                read(**bad)
        with pytest.raises(ConfigError, match="overflow"):
            client.stream_filter(overflow="block")


async def flood(peer: Peer) -> None:
    """Two thousand numbered messages of a kilobyte, with a ping behind each hundred."""
    await peer.accept()
    listening = asyncio.ensure_future(peer.listen())
    for number in range(20):
        peer.number(100, pad=1_000)
        peer.write(frame(PING, b"%d" % number))
        await peer.writer.drain()
    await listening


BLOCKING = {"overflow": "block", "maxsize": 100, "ping_interval": 0.02, "ping_timeout": 0.02, "idle_timeout": 0.05}


async def test_block_reads_the_socket_no_further(hand: Any) -> None:
    """Nothing is dropped, the bound holds but for one read, no clock runs, and the pings are answered afterwards."""
    async with RawServer(flood) as server, hand(server.url, **BLOCKING) as client:
        await asyncio.sleep(0.2)  # many times what pings and silence would allow
        waiting = client.stats.messages_received
        assert waiting < 500, "100, and what one read of 256 KiB brought"
        assert client.is_connected and client.stats.dropped == 0
        assert len(server.peers[0].of(PONG)) < 10
        assert await count(client, 2000) == list(range(1, 2001))
        await until(lambda: len(server.peers[0].of(PONG)) == 20)
        assert client.stats.disconnects == 0


async def test_a_blocked_client_can_be_closed(hand: Any) -> None:
    """The closing handshake is read; what waits can still be taken."""
    async with RawServer(flood) as server, hand(server.url, **BLOCKING) as client:
        await asyncio.sleep(0.05)
        await client.close()
        numbers = [each["n"] async for each in client.stream()]
        assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 100


async def test_who_no_longer_blocks_reads_on(hand: Any) -> None:
    """A paused socket is read again when another policy takes over."""
    async with RawServer(flood) as server, hand(server.url, **BLOCKING) as client:
        await asyncio.sleep(0.05)
        stream = client.stream(overflow="drop_oldest")
        await until(lambda: client.stats.messages_received == 2000)
        assert await anext(stream) == {"n": 1901, "pad": "x" * 1000}
        assert client.stats.dropped == 1900


async def test_block_holds_for_the_next_connection_too(hand: Any) -> None:
    """One that opens while the buffer is full is paused with what came beside its handshake."""
    async with RawServer(flood) as server, hand(server.url, **BLOCKING, retry=Backoff.fixed(0.01)) as client:
        await asyncio.sleep(0.05)
        for _ in range(3):
            client.kill()
            await until(lambda: client.is_connected)
            await asyncio.sleep(0.05)
        assert client.stats.messages_received < 4 * 500


async def test_block_reads_nothing_of_a_connection_that_opens_meanwhile(hand: Any) -> None:
    """Until half is taken."""
    async with RawServer(quiet) as server, hand(server.url, **{**BLOCKING, "maxsize": 2}) as client:
        server.peers[0].number(5)
        await until(lambda: client.stats.messages_received == 5)
        client.kill()
        await until(lambda: client.is_connected)
        server.peers[1].number(5)
        await asyncio.sleep(0.1)
        assert client.stats.messages_received == 5
        assert [(await client.receive())["n"] for _ in range(10)] == list(range(1, 11))


async def test_block_loses_nothing_by_a_rotation(hand: Any) -> None:
    """The old connection is paused when its successor opens: first it delivers what it held back."""
    open_peers: list[Peer] = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        open_peers.append(peer)
        await peer.listen()
        open_peers.remove(peer)

    async def feed() -> None:
        for number in range(1, 10_000):
            for peer in open_peers:
                peer.write(frame(TEXT, b'{"n":%d}' % number))
            await asyncio.sleep(0.002)

    rotation = Rotation(0.2, key=lambda value: value["n"], overlap=0.1, jitter=0.0)
    async with RawServer(script) as server:
        feeding = task(feed())
        async with hand(server.url, **{**BLOCKING, "maxsize": 10}, rotate=rotation) as client:
            first = (await client.receive())["n"]
            await asyncio.sleep(0.5)
            assert await count(client, first + 300) == list(range(first + 1, first + 301))
            await until(lambda: client.of(Rotated))
            feeding.cancel()


async def test_stream_filter_is_or_over_dicts_and_and_over_pairs(hand: Any) -> None:
    """Each has its own values, from now on; None and [] mean everything; what it drops is counted."""

    async def events(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=1)
        for n in range(6):
            peer.write(frame(TEXT, msgspec.json.encode({"e": "ab"[n % 2], "n": n})))
        await peer.listen()

    async with RawServer(events) as server, hand(server.url) as client:
        both = client.stream_filter([{"e": "a", "n": 2}, {"e": "b"}])
        everything = client.stream_filter([], maxsize=2, overflow="drop_oldest")
        nothing = client.stream_filter([{"e": "c"}])
        await client.send("go")
        await until(lambda: client.stats.messages_received == 6)
        assert everything.dropped == client.stats.dropped == 4
        await client.close()
        assert [each["n"] async for each in both] == [1, 2, 3, 5]
        assert [each["n"] async for each in everything] == [4, 5]
        assert [each async for each in nothing] == []


async def test_a_stream_filter_that_is_closed_costs_nothing_more(hand: Any) -> None:
    """`aclose` twice is once, and the client goes on."""
    async with RawServer(greet) as server, hand(server.url) as client:
        async with client.stream_filter() as values:
            await values.aclose()
            assert [each async for each in values] == []
        assert await client.receive(5.0) == {"n": 1}
