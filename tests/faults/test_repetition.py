"""The same again and again: flapping, resets by the hundred, subscriptions that must come back, two at once."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections import Counter
from typing import Any

import pytest
from reactivex import operators as ops

from benchmarks.reliability.raw_server import BINARY, TEXT, Peer, RawServer, frame
from rxws import Backoff, Stats, ws_observable
from rxws.events import Closed, Connecting, DisconnectReason, Opened, Subscribed, Waiting
from rxws.testing import SimulatedExchange


async def flap(peer: Peer) -> None:
    """Accept, and close."""
    await peer.accept()
    await peer.end(1001)


async def flap_with_data(peer: Peer) -> None:
    """Accept, send a message, and close: a first message is no proof of anything."""
    await peer.accept()
    peer.number()
    await peer.end(1001)


async def flap_without_a_word(peer: Peer) -> None:
    """Accept TCP only."""
    peer.fin()


FLAPPING = [flap, flap_with_data, flap_without_a_word]


@pytest.mark.parametrize("script", FLAPPING)
async def test_a_server_that_accepts_and_closes_is_asked_ever_more_seldom(watch: Any, script: Any) -> None:
    """With chance at its largest the waits are the policy's: doubled up to the cap, never begun anew."""
    async with RawServer(script) as server, watch(server.url, random=lambda: 0.0) as seen:
        await seen.until(lambda: len(seen.of(Waiting)) >= 5)

        assert [each.seconds for each in seen.of(Waiting)][:5] == [0.05, 0.1, 0.2, 0.4, 0.4]
        assert [each.attempt for each in seen.of(Waiting)][:5] == [2, 3, 4, 5, 6]


async def resetting(peer: Peer) -> None:
    """Number three messages, write half a frame, and reset; every third time before the handshake."""
    if len(peer.server.peers) % 3 == 0:
        await peer.reset()
        return
    await peer.accept()
    peer.number(3)
    peer.write(frame(TEXT, b"x" * 100)[:50])
    await peer.reset()


def population() -> Counter[str]:
    """How many objects of which kind there are."""
    gc.collect()
    return Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())


async def test_300_connections_that_are_reset_leave_no_trace(watch: Any) -> None:
    """Every message arrives; of nothing is there one more a cycle, nor half a kilobyte."""
    async with RawServer(resetting) as server, watch(server.url, retry=Backoff.fixed(0.001)) as seen:

        async def cycles(count: int) -> None:
            await seen.until(lambda: len(server.peers) > count, 30.0)
            server.peers[:] = [None] * len(server.peers)  # type: ignore[list-item]  # counted, and forgotten
            server.written.clear()
            numbers = seen.numbers
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            del seen.told[: max(at for at, each in enumerate(seen.told) if isinstance(each, Connecting))]

        await cycles(150)  # by then what is cached is cached
        for last in (450, 750):  # what grows does so again; what was needed once more, a buffer of the loop's, does not
            before = population()
            tracemalloc.start()
            try:
                memory = tracemalloc.get_traced_memory()[0]
                await cycles(last)
                grown = population() - before
                many = [(kind, more) for kind, more in grown.items() if more > 150]
                del grown
                gc.collect()
                more_memory = tracemalloc.get_traced_memory()[0] - memory
            finally:
                tracemalloc.stop()
            if not many and more_memory < 300 * 500:
                break
        assert not many
        assert more_memory < 300 * 500


SUBSCRIPTIONS: list[Any] = [
    {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1},
    ["subscribe", "ethusdt"],
    "plain",
    b"\x00\x01",
    {"op": "subscribe", "args": [{"channel": "books"}]},
]


@pytest.mark.parametrize("ends", ["close", "reset", "fin"])
async def test_five_subscriptions_are_sent_once_and_in_order_on_each_of_five_connections(watch: Any, ends: str) -> None:
    """Before anything else, text as text and bytes as bytes; and told before the first data."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        await peer.listen(messages=5)
        peer.number(4)
        if ends == "close":
            await peer.end(1012)
        elif ends == "reset":
            await peer.reset()
        else:
            peer.fin()

    async def stay(peer: Peer) -> None:
        await peer.accept()
        await peer.listen()

    async with RawServer(*[script] * 5, stay) as server, watch(server.url, subscriptions=SUBSCRIPTIONS) as seen:
        await seen.until(lambda: len(server.peers) == 6 and len(server.peers[5].messages) == 5)

        texts = [json.dumps(each, separators=(",", ":")).encode() for each in SUBSCRIPTIONS[:2] + SUBSCRIPTIONS[4:]]
        sent = [(TEXT, texts[0]), (TEXT, texts[1]), (TEXT, b"plain"), (BINARY, b"\x00\x01"), (TEXT, texts[2])]
        assert [peer.messages for peer in server.peers] == [sent] * 6
        assert [each.count for each in seen.of(Subscribed)] == [5] * 6
        assert seen.numbers == list(range(1, 26))
        assert seen.shape == "COSLdddddXW" * 5 + "COS"


async def test_a_subscription_that_nobody_holds_lives_on(leftovers: Any) -> None:
    """What `subscribe` returned was thrown away; the collector comes by while it dials, waits and reads."""
    seen: list[Any] = []

    async def slowly(peer: Peer) -> None:
        await peer.ask()
        await asyncio.sleep(0.05)
        peer.write(peer.response())
        await asyncio.sleep(0.05)
        peer.number()
        await asyncio.sleep(0.05)
        peer.fin()

    settings: dict[str, Any] = {"open_timeout": None, "ping_interval": None, "retry": Backoff.fixed(0.05)}
    async with RawServer(slowly) as server:

        def begin() -> None:
            ws_observable(server.url, **settings).pipe(ops.take(3)).subscribe(seen.append)

        leftovers.as_client(begin)
        async with asyncio.timeout(10):
            while len(seen) < 3 or leftovers.found():
                gc.collect()
                await asyncio.sleep(0.005)
        assert [each["n"] for each in seen] == [1, 2, 3]


async def test_two_subscriptions_are_two_connections_that_know_nothing_of_each_other(watch: Any) -> None:
    """Of one observable; the loss, the end and the dispose of the one are nothing to the other."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        for number in range(1, 1_000):
            peer.write(frame(TEXT, b'{"n":%d}' % number))
            await asyncio.sleep(0.001)
        await listening

    async with RawServer(script) as server, watch(server.url) as one, watch(server.url) as other:
        await one.until(lambda: len(one.numbers) > 3 and len(other.numbers) > 3)
        await server.peers[0].reset()
        await one.until(lambda: one.of(Closed) or other.of(Closed))
        lost, kept = (one, other) if one.of(Closed) else (other, one)
        await lost.until(lambda: len(lost.of(Opened)) == 2)
        count = len(kept.numbers)
        lost.dispose()
        await kept.until(lambda: len(kept.numbers) > count + 3)
        assert kept.shape == "COL" + "d" * len(kept.numbers)
        assert kept.numbers == list(range(1, len(kept.numbers) + 1))
        assert kept.of(Connecting)[0].generation == lost.of(Connecting)[0].generation == 1


async def test_all_faults_one_after_the_other_cost_no_message_that_was_written(watch: Any) -> None:
    """An exchange misbehaves in each of its ways; what it wrote, by its own ledger, is what arrived."""
    async with SimulatedExchange("usdm", rate=1_000) as exchange:
        stats = Stats()
        settings = {"idle_timeout": 0.2, "stats": stats, "subscriptions": [], "open_timeout": 0.2}
        async with watch(exchange.combined_url(exchange.streams[0]), **settings) as seen:
            faults: list[Any] = [
                lambda: exchange.close(1001),
                lambda: exchange.close(None),
                exchange.drop,
                lambda: exchange.malformed("masked"),
                lambda: exchange.malformed("reserved_bit"),
                lambda: exchange.malformed("utf8"),
                lambda: exchange.stall(pongs=True),
                lambda: exchange.stall(pongs=False),
                exchange.reset,
            ]
            for count, fault in enumerate(faults, 1):
                await seen.until(lambda: exchange.handshakes_accepted == count)  # noqa: B023  # awaited right here
                await seen.until(lambda: exchange.connections[-1].messages > 5)
                exchange.ping_flood(100)
                exchange.fragment(3, pings=True)
                fault()
                await seen.until(lambda: len([each for each in seen.of(Closed) if each.opened]) == count)  # noqa: B023
            await seen.until(lambda: len(seen.of(Opened)) > len(faults))
        wrote = [number for each in exchange.connections for number in each.numbers]
        missing = set(wrote) - set(seen.numbers)
        # What a connection got behind a broken frame, and what was on its way when we left, was not handed on.
        assert seen.numbers == sorted(set(seen.numbers)) and set(seen.numbers) <= set(wrote)
        assert len(missing) < 200
        assert stats.disconnects == len(faults) + 1
        assert stats.reasons[DisconnectReason.PROTOCOL_ERROR] == 3
        assert stats.messages_received >= len(seen.numbers)
