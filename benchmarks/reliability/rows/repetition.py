"""The same again and again: subscriptions that must come back, flapping, resets by the hundred, all faults in a row."""

from __future__ import annotations

import gc
from collections import Counter
from functools import reduce
from operator import and_
from random import Random
from statistics import median
from typing import Any

from reactivex.testing import TestScheduler

from benchmarks.reliability.limited import CountingTransport, most_in_any
from benchmarks.reliability.raw_server import BINARY, TEXT, Peer, RawServer, Script, frame
from benchmarks.reliability.row import Figure, Trial, counted, row
from rxws import Backoff, SendLimit, Stats
from rxws.errors import ConnectionClosed
from rxws.events import Closed, Connecting, Opened, Subscribed, Waiting
from rxws.testing import Attempt, ScriptedTransport, SimulatedExchange

SUBSCRIPTIONS: list[Any] = [
    {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1},
    ["subscribe", "ethusdt"],
    "plain",
    b"\x00\x01",
    {"op": "subscribe", "args": [{"channel": "books"}]},
]
SENT = [
    (TEXT, b'{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}'),
    (TEXT, b'["subscribe","ethusdt"]'),
    (TEXT, b"plain"),
    (BINARY, b"\x00\x01"),
    (TEXT, b'{"op":"subscribe","args":[{"channel":"books"}]}'),
]


@row(
    "subscriptions",
    "Five connections end, by a close frame, a reset and a FIN in turn; there are five subscriptions",
    "Each connection gets each subscription exactly once, in order, before anything else; no message is lost",
)
async def subscriptions(trial: Trial) -> Figure:
    def ending(end: Script) -> Script:
        async def script(peer: Peer) -> None:
            await peer.accept()
            peer.number()
            await peer.listen(messages=5)
            peer.number(4)
            await end(peer)

        return script

    async def fin(peer: Peer) -> None:
        peer.fin()

    async def keep(peer: Peer) -> None:
        await peer.accept()
        await peer.listen()

    ends: list[Script] = [lambda peer: peer.end(1012), lambda peer: peer.reset(), fin]
    scripts = [ending(ends[at % 3]) for at in range(5)]
    async with RawServer(*scripts, keep) as server, trial.watch(server.url, subscriptions=SUBSCRIPTIONS) as seen:
        await seen.until(lambda: len(server.peers) == 6 and len(server.peers[5].messages) == 5)
        sent = sum(len(peer.messages) for peer in server.peers)
        return Figure.of(
            f"{sent} sent on {len(server.peers)} connections, {len(seen.numbers)} of 25 messages",
            each_once_and_in_order=[peer.messages for peer in server.peers] == [SENT] * 6,
            told=[each.count for each in seen.of(Subscribed)] == [5] * 6,
            messages=seen.numbers == list(range(1, 26)),
        )


@row(
    "flapping",
    "The server accepts, sends a message, and closes, over and over",
    "The waits double up to the cap and do not begin anew: neither a handshake nor a message is proof of anything",
)
async def flapping(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        await peer.end(1001)

    # With chance at its largest the waits are the policy's own.
    async with RawServer(script) as server, trial.watch(server.url, random=lambda: 0.0) as seen:
        await seen.until(lambda: len(seen.of(Waiting)) >= 5)
        waits = [each.seconds for each in seen.of(Waiting)][:5]
        return Figure.of(
            f"waits of {', '.join(f'{each:g}' for each in waits)} s",
            doubled_to_the_cap=waits == [0.05, 0.1, 0.2, 0.4, 0.4],
            in_a_row=[each.attempt for each in seen.of(Waiting)][:5] == [2, 3, 4, 5, 6],
        )


@row(
    "storm",
    "A server accepts and closes at once; the default policy, 1,000 seeded runs in virtual time",
    "At most 6 dials in the first 10 s in the median, never above 10; and it goes on",
)
async def storm(trial: Trial) -> Figure:
    counts, stopped = [], 0
    runs = trial.size(100, 1_000)
    for seed in range(runs):
        virtual, transport = TestScheduler(), ScriptedTransport(Attempt.closes(0.0))
        stream = trial.client("ws://scripted", transport=transport, random=Random(seed).random)
        subscription = stream.subscribe(on_error=lambda error: None, scheduler=virtual)
        virtual.advance_to(10.0)
        counts.append(len(transport.dials))
        while len(transport.dials) == counts[-1] and virtual.clock < 10.0 + Backoff().cap:
            virtual.advance_by(5.0)
        stopped += len(transport.dials) == counts[-1]
        subscription.dispose()
    return Figure.of(
        f"median {median(counts):g}, most {max(counts)} of {runs:,} runs",
        median=median(counts) <= 6,
        most=max(counts) <= 10,
        goes_on=stopped == 0,
    )


LOOKS = 5


@row(
    "topics",
    "500 topics, a limit of 5 frames a second, and 20 reconnects, in virtual time; the server pings",
    "Each topic is asked for exactly once a connection; no second holds more than 5 frames, pings and pongs among them",
)
async def topics(trial: Trial) -> Figure:
    reconnects, wanted = trial.size(3, 20), [f"topic {number}" for number in range(500)]
    lasting = Attempt(lost=(300.0, ConnectionClosed(1001)), pings=[20.0 * number for number in range(1, 15)])
    virtual, transport = TestScheduler(), CountingTransport(lasting)
    stream = trial.client(
        "ws://scripted",
        transport=transport,
        subscriptions=wanted,
        send_limit=SendLimit(5),
        ping_interval=20.0,
        ping_timeout=20.0,
        idle_timeout=None,
        retry=Backoff.fixed(1.0),
    )
    subscription = stream.subscribe(on_error=lambda error: None, scheduler=virtual)
    virtual.advance_to(301.0 * (reconnects + 1) - 0.5)
    sent = [dialed.sent for dialed in transport.script.dials]
    frames = [[at for at, _ in connection.frames] for connection in transport.connections]
    most = max(most_in_any(1.0, instants) for instants in frames)
    subscription.dispose()
    return Figure.of(
        f"{sum(map(len, sent)):,} sent on {len(sent)} connections; at most {most} frames in a second",
        connections=len(sent) == reconnects + 1,
        once_and_in_order=all(each == wanted for each in sent),
        limit=most <= 5,
        pings_counted=sum(map(len, frames)) > sum(map(len, sent)),
    )


def population() -> Counter[str]:
    """Return how many objects of which kind there are."""
    gc.collect()
    return Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())


@row(
    "cycles",
    "600 connections are reset in mid-frame, every third before its handshake",
    "Every whole message arrives; of no kind of object is there one more a cycle",
)
async def cycles(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        if len(peer.server.peers) % 3 == 0:
            await peer.reset()
            return
        await peer.accept()
        peer.number(3)
        peer.write(frame(TEXT, b"x" * 100)[:50])
        await peer.reset()

    # Of timers that were cancelled asyncio itself keeps up to a hundred.
    count = trial.size(300, 600)
    async with RawServer(script) as server, trial.watch(server.url, retry=Backoff.fixed(0.001)) as seen:
        taken: list[int] = []

        async def until(connections: int) -> None:
            await seen.until(lambda: len(server.peers) > connections, 3 * trial.patience)
            server.peers[:] = [None] * len(server.peers)  # type: ignore[list-item]  # counted, and forgotten
            server.written.clear()
            taken.extend(seen.numbers)
            del seen.told[: max(at for at, each in enumerate(seen.told) if isinstance(each, Connecting))]

        async def lasting(connections: int) -> Counter[str]:
            # Of several looks the fewest: each sees connections too that are being opened and closed just then.
            looks = []
            for more in range(LOOKS):
                await until(connections + more)
                looks.append(population())
            return reduce(and_, looks)

        before = await lasting(50)
        grown = await lasting(50 + count) - before
        # The events that are kept here are the last connection's; two numbers may stand behind them.
        numbers = list(dict.fromkeys(taken))
        return Figure.of(
            f"{counted(count, 'cycle')}, at most {max([*grown.values(), 0])} more of a kind",
            flat=all(more < count / 2 for more in grown.values()),
            in_order=numbers == list(range(1, len(numbers) + 1)),
        )


@row(
    "all-faults",
    "A simulated exchange closes, drops, resets, stalls, floods, refuses and hangs, one after the other",
    "What it wrote, by its own ledger, is what arrived: each once and in order; after each fault it comes back",
)
async def all_faults(trial: Trial) -> Figure:
    async with SimulatedExchange("usdm", rate=1_000) as exchange:
        stats = Stats()
        settings = {"idle_timeout": 0.2, "stats": stats, "open_timeout": 0.2}
        faults = [
            lambda: exchange.close(1001),
            lambda: exchange.close(None),
            exchange.drop,
            exchange.reset,
            lambda: exchange.stall(pongs=True),
            lambda: exchange.stall(pongs=False),
            lambda: exchange.malformed("masked"),
            lambda: exchange.malformed("utf8"),
            lambda: exchange.malformed("reserved_bit"),
            lambda: exchange.hang_handshakes(2) or exchange.drop(),
            lambda: exchange.reject(503, 2) or exchange.reset(),
            lambda: exchange.flap(2) or exchange.close(1012),
            lambda: exchange.wrong_accept(2) or exchange.drop(),
        ]
        async with trial.watch(exchange.combined_url(exchange.streams[0]), **settings) as seen:
            for fault in faults:
                opened, count = len(seen.of(Opened)), len(seen.numbers)
                await seen.until(lambda count=count: len(seen.numbers) > count + 3)
                fault()
                await seen.until(lambda opened=opened: len(seen.of(Opened)) > opened)
            count = len(seen.numbers)
            await seen.until(lambda: len(seen.numbers) > count + 3)
        seen_once = set(seen.numbers)
        written = [list(each.numbers) for each in exchange.connections]
        arrived = [[number for number in each if number in seen_once] for each in written]
        return Figure.of(
            f"{counted(len(faults), 'fault')}, {counted(len(seen.of(Closed)), 'end')}, {len(seen.of(Opened))} opened",
            each_once_and_in_order=seen.numbers == sorted(set(seen.numbers)),
            nothing_invented=sum(map(len, arrived)) == len(seen.numbers),
            # Behind a broken frame, or our own goodbye, nothing counts any more.
            nothing_missed=all(each == wrote[: len(each)] for each, wrote in zip(arrived, written, strict=True)),
            counted=stats.connects == len(seen.of(Opened)),
        )
