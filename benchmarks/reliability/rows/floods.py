"""Frames that are good, and too many at once."""

from __future__ import annotations

import asyncio

from benchmarks.reliability.raw_server import PING, PONG, Peer, RawServer, frame
from benchmarks.reliability.row import Figure, Trial, counted, row
from benchmarks.reliability.scripts import stay
from rxws.events import Closed, DisconnectReason, Opened


@row(
    "pings",
    "10,000 pings at once, a message behind them",
    "Each is answered, in order, with its payload; the message arrives on the same connection",
)
async def pings(trial: Trial) -> Figure:
    count = trial.size(3_000, 10_000)

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.write(b"".join(frame(PING, b"%d" % number) for number in range(count)))
        peer.number()
        await peer.listen()

    async with RawServer(script) as server, trial.watch(server.url) as seen:
        await seen.until(lambda: server.peers and len(server.peers[0].heard) >= count and len(seen.numbers) == 2)
        pongs = server.peers[0].of(PONG)
        return Figure.of(
            f"{counted(len(pongs), 'pong')}",
            in_order=pongs == [b"%d" % number for number in range(count)],
            kept=not seen.of(Closed),
        )


@row(
    "selfish",
    "The server floods with pings and reads none of the answers",
    "What waits to be sent is bounded: the connection counts as lost, the next one is good",
)
async def selfish(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.deafen()
        while not peer.writer.is_closing():
            peer.write(frame(PING, b"x" * 125) * 1_000)
            await asyncio.sleep(0)

    settings = {"outbox": 2**16, "ping_interval": None, "idle_timeout": None, "close_timeout": 0.1}
    async with RawServer(script, stay) as server, trial.watch(server.url, **settings) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        return Figure.of(
            f"{counted(len(seen.of(Opened)), 'connection')}, at most 64 KiB waiting",
            lost=[each.reason for each in seen.of(Closed)] == [DisconnectReason.NETWORK_ERROR],
        )


@row("burst", "100,000 messages at once", "All arrive, in order, on the one connection", limit=120.0)
async def burst(trial: Trial) -> Figure:
    count = trial.size(30_000, 100_000)

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number(count)
        await peer.listen()

    async with RawServer(script) as server, trial.watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) >= count, 4 * trial.patience)
        return Figure.of(
            f"{len(seen.numbers):,} of {count:,} messages",
            each_once_and_in_order=seen.numbers == list(range(1, count + 1)),
            kept=not seen.of(Closed),
        )


@row(
    "burst-close",
    "20,000 messages at once, and a close frame right behind them",
    "All that was written before the close arrives, then the loss is told",
)
async def burst_close(trial: Trial) -> Figure:
    count = trial.size(5_000, 20_000)

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number(count)
        await peer.end(1001)

    async with RawServer(script, stay) as server, trial.watch(server.url) as seen:
        await seen.until(lambda: len(seen.of(Opened)) == 2 and len(seen.numbers) > count)
        return Figure.of(
            f"{len(seen.numbers) - 1:,} of {count:,} messages",
            each_once_and_in_order=seen.numbers == list(range(1, count + 2)),
        )
