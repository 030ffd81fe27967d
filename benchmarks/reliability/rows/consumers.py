"""The consumer is slow, raises, or blocks the loop: none of it costs a good connection, and nothing is swallowed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import rxws
from benchmarks.reliability.raw_server import CLOSE, TEXT, Elsewhere, Peer, RawServer, frame
from benchmarks.reliability.row import Figure, Row, Trial, counted, row
from benchmarks.reliability.scripts import feed
from benchmarks.reliability.watching import CHANCE, SETTINGS
from rxws import Stats
from rxws.errors import ConnectionClosed
from rxws.events import BadFrame, Blocked, Closed, DisconnectReason, Opened

KEPT = "The connection is kept, and every message is delivered, once and in order"


def a_millisecond(_: object) -> None:
    """Work."""
    time.sleep(0.001)


async def slow(trial: Trial, count: int, **settings: Any) -> Figure:
    """Have a consumer of a millisecond a message take a backlog, and then a feed."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        peer.number(count, pad=1_000)  # several reads of the loop's: pongs wait behind them
        for _ in range(5):
            await asyncio.sleep(0.1)
            peer.number(50)
        await listening

    with Elsewhere(RawServer(script)) as server:
        async with trial.watch(server.url, a_millisecond, **settings) as seen:
            await seen.until(lambda: len(seen.numbers) == count + 250 or len(seen.of(Opened)) > 1, 3 * trial.patience)
            return Figure.of(
                f"{len(seen.numbers):,} of {count + 250:,} messages, {counted(len(seen.of(Opened)), 'connection')}",
                each_once_and_in_order=seen.numbers == list(range(1, count + 251)),
                kept=not seen.of(Closed),
            )


@row("slow", "The consumer takes 1 ms a message, and the feed outruns it", KEPT)
async def slow_consumer(trial: Trial) -> Figure:
    return await slow(trial, trial.size(300, 3_000), ping_interval=None, idle_timeout=None)


@row("slow-watched", "The same, with pings and pongs due after 0.3 s and an idle timeout of 1 s", KEPT)
async def slow_watched(trial: Trial) -> Figure:
    return await slow(trial, trial.size(1_300, 4_000))


@row(
    "blocked",
    "Something blocks the loop for 1 s, again and again, longer than pings and data may take",
    "The good connection is kept: what has arrived meanwhile is read before anybody is called silent",
)
async def blocked(trial: Trial) -> Figure:
    settings = {"ping_interval": 0.05, "ping_timeout": 0.05, "idle_timeout": 0.2}
    seconds, times = (0.4, 2) if trial.short else (1.0, 5)
    with Elsewhere(RawServer(feed)) as server:
        async with trial.watch(server.url, **settings) as seen:
            await seen.until(lambda: seen.numbers)
            for _ in range(times):
                time.sleep(seconds)  # noqa: ASYNC251  # the very fault
                await asyncio.sleep(0.03)
            return Figure.of(
                f"blocked {counted(times, 'time')}, {counted(len(seen.of(Opened)), 'connection')}",
                kept=not seen.of(Closed),
                each_once_and_in_order=seen.numbers == list(range(1, len(seen.numbers) + 1)),
            )


@row(
    "blocked-named",
    "A consumer stops the event loop for 1.2 s",
    "It is told, by the consumer's name and with the seconds; the connection is kept",
)
async def blocked_named(trial: Trial) -> Figure:
    def strategy(value: object) -> None:
        if not blocked:
            blocked.append(value)
            time.sleep(1.2)  # the very fault

    blocked: list[object] = []
    with Elsewhere(RawServer(feed)) as server:
        async with trial.watch(server.url, strategy) as seen:
            await seen.until(lambda: seen.of(Blocked))
            (told, *_) = seen.of(Blocked)
            return Figure.of(
                f"{told.callback or 'nobody'} for {told.seconds:.1f} s, {counted(len(seen.of(Opened)), 'connection')}",
                by_name="Watch._seen" in (told.callback or ""),
                how_long=told.seconds >= 1.2,
                kept=not seen.of(Closed),
            )


@row(
    "blocked-dead",
    "The consumer is slow, and the machine at the other end is gone meanwhile",
    "Patience with a busy loop has an end: the half-open socket is found",
)
async def blocked_dead(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number(400)
        peer.deafen()
        await asyncio.sleep(3600)

    settings = {"ping_interval": 0.05, "ping_timeout": 0.05, "idle_timeout": None}
    with Elsewhere(RawServer(script)) as server:
        async with trial.watch(server.url, a_millisecond, **settings) as seen:
            (closed, *_) = await seen.closes(1)
            return Figure.of(
                f"1 of 1 found, {min(len(seen.numbers), 400)} of 400 messages",
                why=closed.reason is DisconnectReason.PING_TIMEOUT,
                all_that_came=seen.numbers[:400] == list(range(1, 401)),
            )


@row(
    "async-for",
    "An `async for` takes 0.3 s a message for 60 s of a fast feed, with a buffer of 100 that drops the oldest",
    "The connection is kept, and each message is either handed out or counted as dropped",
    limit=120.0,
)
async def async_for(trial: Trial) -> Figure:
    seconds, size = (1.2, 20) if trial.short else (60.0, 100)

    async def script(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end and not peer.ended:
            peer.number(5)
            await asyncio.sleep(0.005)
        peer.server.word.set()
        await listening

    stats, told, got = Stats(), list[Any](), list[int]()
    async with RawServer(script) as server:
        stream = trial.client(server.url, **{**SETTINGS, **CHANCE, "stats": stats, "events": told.append})
        values = trial.leftovers.as_client(rxws.aiter, stream, size, "drop_oldest")
        async with values:
            while not server.word.is_set() or stats.messages_received < server.numbered:
                got.append((await trial.leftovers.as_client(anext, values))["n"])
                await asyncio.sleep(0.3)
            kept = not [each for each in told if isinstance(each, Closed)]
            while not got or got[-1] < server.numbered:
                got.append((await anext(values))["n"])
            dropped = values.dropped
        await trial.after_a_while()
        return Figure.of(
            f"{server.numbered:,} written: {len(got):,} handed out + {dropped:,} dropped = {len(got) + dropped:,}",
            kept=kept and len(server.peers) == 1,
            counted_exactly=len(got) + dropped == server.numbered == stats.messages_received,
            dropped_some=dropped > 0,
            in_order=got == sorted(set(got)),
        )


def raising(key: str, what: str, error: BaseException) -> Row:
    """Return the row of a consumer that raises."""

    @row(
        key,
        f"The consumer raises {what} at its third message of ten",
        "Exactly that reaches the loop's handler, once; the subscription ends with a close frame; nothing is retried",
    )
    async def run(trial: Trial) -> Figure:
        def consumer(value: dict[str, int]) -> None:
            if value["n"] == 3:
                raise error

        async def script(peer: Peer) -> None:
            await peer.accept()
            peer.number(10)
            await peer.listen()

        trial.expected.append(error)
        async with RawServer(script) as server, trial.watch(server.url, consumer) as seen:
            await seen.until(lambda: seen.of(Closed))
            await seen.gone()
            await seen.until(lambda: server.peers[0].ended)
            return Figure.of(
                f"{len(seen.numbers)} messages, 1 error, {counted(len(server.peers), 'dial')}",
                nothing_more=seen.numbers == [1, 2, 3] and seen.error is None and not seen.completed,
                goodbye=bool(server.peers[0].of(CLOSE)),
                one_dial=len(server.peers) == 1,
            )

    return run


raises = raising("raises", "a KeyError", KeyError("the consumer's own"))
raises_connection = raising("raises-os", "a ConnectionError of its own", ConnectionResetError("the consumer's own"))


@row(
    "listener-raises",
    "A listener of events raises, at the opening of each connection",
    "The loop's handler hears it; connection and data go on",
)
async def listener_raises(trial: Trial) -> Figure:
    errors = [ConnectionError("first"), ConnectionError("second")]

    def listener(event: Any) -> None:
        if isinstance(event, Opened) and event.generation <= 2:
            raise errors[event.generation - 1]

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number(10)
        await peer.end(1012)

    trial.expected.extend(errors)
    async with RawServer(script) as server, trial.watch(server.url, None, listener) as seen:
        await seen.closes(2)
        return Figure.of(
            f"2 errors, {len(seen.numbers[:20])} of 20 messages",
            each_once_and_in_order=seen.numbers[:20] == list(range(1, 21)),
        )


@row(
    "decoder-raises",
    "`decode` raises what looks like a lost connection, for one message of three",
    "It costs that message only, which is told; nothing is retried",
)
async def decoder_raises(trial: Trial) -> Figure:
    def decode(payload: bytes) -> Any:
        if payload == b"bad":
            raise ConnectionClosed(1006)
        return {"n": int(payload)}

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.write(frame(TEXT, b"1") + frame(TEXT, b"bad") + frame(TEXT, b"2"))
        await peer.listen()

    async with RawServer(script) as server, trial.watch(server.url, decode=decode) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        return Figure.of(
            f"2 messages, {counted(len(seen.of(BadFrame)), 'bad frame')}",
            told=len(seen.of(BadFrame)) == 1,
            kept=not seen.of(Closed),
        )
