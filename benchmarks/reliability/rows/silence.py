"""The server says nothing any more, with and without answering pings."""

from __future__ import annotations

import asyncio

from benchmarks.reliability.raw_server import TEXT, Peer, RawServer, Script, frame
from benchmarks.reliability.row import Figure, Trial, counted, row
from benchmarks.reliability.scripts import feed, stay
from rxws.errors import IdleTimeout, PingTimeout
from rxws.events import Closed, DisconnectReason, Opened, Stale

QUICK = {"ping_interval": 0.1, "ping_timeout": 0.1, "idle_timeout": 0.4}


async def found(trial: Trial, script: Script, error: type[Exception], least: float, **settings: object) -> Figure:
    """Fall silent on the first connection; it must be found, not before its time, and the next goes on."""
    async with RawServer(script, feed) as server, trial.watch(server.url, **{**QUICK, **settings}) as seen:
        await seen.until(lambda: len(seen.of(Opened)) == 2 and len(seen.numbers) > 20)
        closed = seen.of(Closed)
        before = [each for each in seen.told[: seen.told.index(closed[0])] if isinstance(each, dict) and "n" in each]
        return Figure.of(
            f"1 of 1 found, {counted(len(seen.of(Opened)), 'connection')}",
            why=[type(each.error) for each in closed] == [error],
            not_too_early=bool(closed) and closed[0].uptime >= least,
            # What is written to a connection that we have given up is not ours any more.
            each_once_and_in_order=seen.numbers == sorted(set(seen.numbers)),
            nothing_missed_before=seen.numbers[: len(before)] == list(range(1, len(before) + 1)),
        )


async def deaf(peer: Peer) -> None:
    """Number a message, and read and write nothing more, with TCP open."""
    await peer.accept()
    peer.number()
    peer.deafen()
    await asyncio.sleep(3600)


@row(
    "half-open",
    "The machine at the other end is gone: TCP stays, nothing is read, nothing comes",
    "Found by our own pings, though no limit for data is set; the next connection goes on",
)
async def half_open(trial: Trial) -> Figure:
    return await found(trial, deaf, PingTimeout, 0.2, idle_timeout=None)


@row(
    "no-pongs",
    "Data goes on, and pings are never answered",
    "Lost by ping timeout, and not before its time; what came by then is delivered",
)
async def no_pongs(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.accept()
        while not peer.writer.is_closing():
            peer.number()
            await asyncio.sleep(0.01)

    return await found(trial, script, PingTimeout, 0.2)


@row(
    "silence",
    "The venue hangs behind a healthy front: pings are answered, data stops",
    "Found by `idle_timeout`: pongs are no data; the next connection goes on",
)
async def silence(trial: Trial) -> Figure:
    return await found(trial, stay, IdleTimeout, 0.4)


@row(
    "heartbeats",
    "Only a venue's own heartbeats still come, and pongs",
    "Found by `idle_timeout`: what `is_data` does not count keeps nothing alive",
)
async def heartbeats(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        peer.number()
        while not peer.ended and not peer.writer.is_closing():
            peer.write(frame(TEXT, b'{"op":"heartbeat"}'))
            await asyncio.sleep(0.02)
        await listening

    return await found(trial, script, IdleTimeout, 0.4, is_data=lambda payload: b"heartbeat" not in payload)


@row(
    "quiet",
    "A good connection on which nothing happens for ten times the ping interval",
    "It is kept: without `idle_timeout`, silence is no fault",
)
async def quiet(trial: Trial) -> Figure:
    settings = {"ping_interval": 0.05, "ping_timeout": 0.1, "idle_timeout": None}
    async with RawServer(stay) as server, trial.watch(server.url, **settings) as seen:
        await seen.until(lambda: server.peers and len([1 for kind, _ in server.peers[0].heard if kind == 0x9]) >= 10)
        return Figure.of(counted(len(seen.of(Opened)), "connection") + ", 10 pings", kept=not seen.of(Closed))


@row(
    "one-of-two",
    "Data stops on one of two connections to the same server",
    "That one is replaced; the other is not touched and misses nothing",
)
async def one_of_two(trial: Trial) -> Figure:
    async with RawServer(feed, stay, feed) as server, trial.watch(server.url, **QUICK) as kept:
        await kept.until(lambda: kept.numbers)
        lost = trial.watch(server.url, **QUICK).subscribe()
        await lost.until(lambda: len(lost.of(Opened)) == 2 and len(lost.numbers) > 5)
        lost.dispose()
        return Figure.of(
            f"{counted(len(lost.of(Opened)), 'connection')} of the one, {len(kept.of(Opened))} of the other",
            the_silent_one=[each.reason for each in lost.of(Closed)][:1] == [DisconnectReason.IDLE_TIMEOUT],
            the_other_kept=not kept.of(Closed) and len(kept.of(Opened)) == 1,
            in_order=all(each.numbers == sorted(set(each.numbers)) for each in (kept, lost)),
        )


@row(
    "topic",
    'One of two streams on a connection dies, the other goes on; `on_stale_topic` is "reconnect"',
    "The silent one is told by its name, and then the connection counts as lost; the next one goes on",
)
async def topic(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.accept(frame(TEXT, b'{"topic":"silent"}'))
        while not peer.writer.is_closing():
            peer.number()
            await asyncio.sleep(0.01)

    settings = {
        "topic": lambda value: value.get("topic", "lively"),
        "topic_timeout": 0.3,
        "on_stale_topic": "reconnect",
    }
    async with RawServer(script, feed) as server, trial.watch(server.url, **settings) as seen:
        await seen.until(lambda: len(seen.of(Opened)) == 2 and len(seen.numbers) > 20)
        told = [type(each) for each in seen.told if isinstance(each, Stale | Closed)]
        silent = [each.topic for each in seen.of(Stale)]
        return Figure.of(
            f"{', '.join(map(repr, silent))} told, {counted(len(seen.of(Opened)), 'connection')}",
            by_name=silent == ["silent"],
            told_before_the_loss=told == [Stale, Closed],
            why=[each.reason for each in seen.of(Closed)] == [DisconnectReason.IDLE_TIMEOUT],
        )
