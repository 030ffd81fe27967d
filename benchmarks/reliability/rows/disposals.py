"""The subscriber leaves, at every moment: nothing of it is left, and nothing connects afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from benchmarks.reliability.raw_server import CLOSE, Peer, RawServer, Script, numbers
from benchmarks.reliability.row import Figure, Trial, counted, row
from benchmarks.reliability.scripts import feed, refusing
from benchmarks.reliability.watching import Watch
from rxws import Backoff, Rotation
from rxws.events import Closed, DisconnectReason, Event, Live, Opened, Rotated, Waiting

NOTHING = "No task, socket, timer or thread is left, nothing is told afterwards, nothing connects"


async def disposed(server: RawServer, seen: Watch, **checks: Callable[[], object]) -> Figure:
    """Dispose now, and see what is left, what is told and who connects afterwards; the checks are made then."""
    seen.dispose()
    told = len(seen.told)
    await seen.gone()
    dials = len(server.peers)
    await asyncio.sleep(0.5)  # longer than the longest back-off of the rows
    late, connected = len(seen.told) - told, len(server.peers) - dials
    return Figure.of(
        f"0 left, {late} told, {counted(connected, 'connection')} afterwards",
        nothing_told=late == 0 and seen.error is None and not seen.completed,
        nothing_connects=connected == 0,
        in_order=seen.in_order,
        **{name: check() for name, check in checks.items()},
    )


@row("dispose-connecting", "Dispose while the handshake hangs", NOTHING)
async def dispose_connecting(trial: Trial) -> Figure:
    async def hang(peer: Peer) -> None:
        await peer.listen()

    async with RawServer(hang) as server:
        seen = trial.watch(server.url, open_timeout=10.0).subscribe()
        await seen.until(lambda: server.peers)
        ours = [(DisconnectReason.USER_REQUESTED, False)]
        return await disposed(
            server, seen, told_as_ours=lambda: [(each.reason, each.opened) for each in seen.of(Closed)] == ours
        )


@row("dispose-waiting", "Dispose while it waits to dial again, an hour of Retry-After among it", NOTHING)
async def dispose_waiting(trial: Trial) -> Figure:
    async def flap(peer: Peer) -> None:
        await peer.accept()
        await peer.end()

    for script in (flap, refusing(b"429 Too Many Requests", b"Retry-After: 3600")):
        async with RawServer(script) as server:
            seen = trial.watch(server.url).subscribe()
            await seen.until(lambda seen=seen: seen.of(Waiting))
            figure = await disposed(server, seen, nothing_closed=lambda seen=seen: isinstance(seen.told[-1], Waiting))
            if not figure.passed:
                break
    return figure


@row("dispose-receiving", "Dispose in the middle of a feed", f"{NOTHING}; the server gets a close frame with 1000")
async def dispose_receiving(trial: Trial) -> Figure:
    async with RawServer(feed) as server:
        seen = trial.watch(server.url).subscribe()
        await seen.until(lambda: len(seen.numbers) > 20)
        return await disposed(
            server,
            seen,
            goodbye=lambda: server.peers[0].of(CLOSE) == [b"\x03\xe8"],
            each_once=lambda: seen.numbers == list(range(1, len(seen.numbers) + 1)),
        )


@row(
    "dispose-unanswered",
    "Dispose, and the server never answers the close frame, or does not even read it",
    f"{NOTHING}: the socket is given up after `close_timeout`",
)
async def dispose_unanswered(trial: Trial) -> Figure:
    async def never_answers(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        await peer.listen(closes=False)

    async def never_reads(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.deafen()
        await asyncio.sleep(3600)

    for script in (never_answers, never_reads):
        async with RawServer(script) as server:
            seen = trial.watch(server.url, ping_interval=None).subscribe()
            await seen.until(lambda seen=seen: seen.numbers)
            figure = await disposed(server, seen)
            if not figure.passed:
                break
    return figure


@row("dispose-within", "Dispose from inside `on_next`, in the middle of a burst", f"{NOTHING}; no further message")
async def dispose_within(trial: Trial) -> Figure:
    def consumer(value: dict[str, int]) -> None:
        if value["n"] == 5:
            seen.dispose()

    async def script(peer: Peer) -> None:
        await peer.accept(numbers(1, 3))  # with the handshake's answer
        peer.server.numbered = 3
        peer.number(20)
        await peer.listen()

    async with RawServer(script) as server:
        seen = trial.watch(server.url, consumer).subscribe()
        await seen.until(lambda: len(seen.numbers) >= 5)
        return await disposed(server, seen, none_after_it=lambda: seen.numbers == [1, 2, 3, 4, 5])


ROTATING = {"rotate": Rotation(0.004, overlap=0.02, key=lambda value: value["n"])}
AGING = {"max_age": 0.004, "check_interval": 0.05}  # so that it does not dial again at once
MOMENTS: dict[str, dict[str, Any]] = {
    "connecting": {},
    "receiving": {},
    "back-off": {},
    "rotation": ROTATING,
    "close": AGING,
}
"""What a subscription may be at, and the settings that lead there."""


def moment(seen: Watch) -> str:
    """Say at what a subscription is."""
    last = next((each for each in reversed(seen.told) if isinstance(each, Event)), None)
    if isinstance(last, Waiting) and last.error is not None:
        return "back-off"
    if isinstance(last, Waiting | Closed):
        return "close"
    if isinstance(last, Opened | Live | Rotated):
        return "receiving"
    opened = [each.generation for each in seen.of(Opened)]
    over = {each.generation for each in seen.of(Closed)}
    return "rotation" if set(opened[-1:]) - over else "connecting"


def capricious(chance: Random) -> Script:
    """Answer late, or by 503; number some messages; end in some way, or answer a close frame late."""

    async def fin(peer: Peer) -> None:
        peer.fin()

    async def close(peer: Peer) -> None:
        peer.close(1001)

    async def listen(peer: Peer) -> None:
        await peer.listen(closes=False, until=CLOSE)
        await asyncio.sleep(chance.uniform(0.0, 0.01))
        if not peer.ended and not peer.writer.is_closing():
            peer.close()
            peer.fin()

    ends: list[Script] = [fin, close, lambda peer: peer.reset()]

    async def script(peer: Peer) -> None:
        await asyncio.sleep(chance.uniform(0.0, 0.004))
        await peer.ask()
        await asyncio.sleep(chance.uniform(0.0, 0.004))
        if chance.random() < 0.2:
            peer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            peer.fin()
            return
        peer.write(peer.response())
        listening = asyncio.ensure_future(listen(peer))
        for _ in range(chance.randrange(1, 30)):
            if peer.ended or peer.writer.is_closing():
                break
            peer.number()
            await asyncio.sleep(0.001)
        else:
            await chance.choice(ends)(peer)
        await listening

    return script


@row(
    "dispose-anywhere",
    "Dispose at 1,000 random moments of connect, handshake, feed, back-off, rotation and close",
    f"{NOTHING}; no exception is left unretrieved",
    limit=300.0,
)
async def dispose_anywhere(trial: Trial) -> Figure:
    chance, runs, left = Random(0), trial.size(100, 1_000), 0
    moments: Counter[str] = Counter()
    done: list[tuple[Watch, int]] = []
    async with RawServer(capricious(chance)) as server:
        for number in range(runs):
            aim, kind = list(MOMENTS.items())[number % len(MOMENTS)]
            settings = {"retry": Backoff(0.01, cap=0.02), "open_timeout": 0.05, "close_timeout": 0.05, **kind}
            seen = trial.watch(server.url, **settings, random=chance.random).subscribe()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    while moment(seen) != aim:  # noqa: ASYNC110  # at the very turn of the loop
                        await asyncio.sleep(0)
            await asyncio.sleep(chance.uniform(0.0, 0.006))
            moments[moment(seen)] += 1
            seen.dispose()
            done.append((seen, len(seen.told)))
            left += bool(await trial.leftovers.after_a_while(1.0))
            if left > 3:
                break
        dials = len(server.peers)
        await asyncio.sleep(0.5)
        connected = len(server.peers) - dials
    late = sum(len(seen.told) - told for seen, told in done)
    hit = ", ".join(f"{name} {moments[name]}" for name in MOMENTS)
    return Figure.of(
        f"{len(done):,} moments ({hit}): {left} left, {late} late, {counted(connected, 'connection')} afterwards",
        nothing_left=left == 0,
        nothing_late=late == 0,
        nothing_connects=connected == 0,
        in_order=all(seen.in_order for seen, _ in done),
        every_moment_was_hit=all(moments[name] for name in MOMENTS),
    )
