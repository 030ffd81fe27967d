"""Make before break: the next connection is opened before the old one is closed, and nothing is lost or told twice."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from reactivex import operators as ops

from benchmarks.reliability.raw_server import Peer, RawServer, Script, numbers
from benchmarks.reliability.row import Figure, Trial, counted, row
from benchmarks.reliability.watching import Watch
from rxws import Rotation, Stats
from rxws.events import Closed, Rotated
from rxws.testing import Limits, SimulatedExchange

EVERY = 0.005  # seconds between two pieces of the feed


class Market:
    """A venue: each of its numbered messages goes to all that listen at the moment.

    Args:
        rate: messages a second.
        scripts: what the first connections meet; all others are listeners.
    """

    def __init__(self, rate: int, *scripts: Script) -> None:
        self.server = RawServer(*[self._joining, *scripts, self._joining] if scripts else [self._joining])
        self.most = 0
        """The most TCP connections at once."""
        self.told = 0
        """The highest number so far."""
        self._piece = int(rate * EVERY)
        self._listeners: set[Peer] = set()

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self._telling = asyncio.ensure_future(self._tell())
        return self

    async def __aexit__(self, *failed: Any) -> None:
        self._telling.cancel()
        await self.server.__aexit__(*failed)

    async def still(self) -> None:
        """Tell nothing more."""
        self._telling.cancel()

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            data = numbers(self.told + 1, self._piece)
            self.told += self._piece
            for listener in self._listeners:
                listener.write(data)
            self.most = max(self.most, self.server.live)
            due += EVERY
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _joining(self, peer: Peer) -> None:
        self.most = max(self.most, self.server.live)
        await peer.accept()
        self._listeners.add(peer)
        try:
            await peer.listen()
        finally:
            self._listeners.discard(peer)


def key(message: Any) -> Any:
    """Return a message's number."""
    return message["n"]


def overlap(seen: Watch) -> dict[str, object]:
    """Return the checks of a feed over several connections: nothing lost, nothing twice, all in order."""
    numbers = seen.numbers
    return {
        "0_lost": len(set(numbers)) == numbers[-1] - numbers[0] + 1,
        "0_twice": len(set(numbers)) == len(numbers),
        "in_order": numbers == sorted(numbers),
    }


@row(
    "rotations",
    "100 rotations under 5,000 numbered messages a second",
    "0 lost, 0 twice, in order; the server never sees more than two live sockets; no end counts as a loss",
    limit=120.0,
)
async def rotations(trial: Trial) -> Figure:
    count, stats = trial.size(10, 100), Stats()
    async with Market(5_000) as market:
        url, rotate = market.server.url, Rotation(0.05, key=key)
        async with trial.watch(url, rotate=rotate, stats=stats, close_timeout=1.0) as seen:
            await seen.until(lambda: len(seen.of(Rotated)) >= count, 6 * trial.patience)
            await market.still()
            await seen.until(lambda: seen.numbers[-1] == market.told)
            lost = market.told - seen.numbers[0] + 1 - len(set(seen.numbers))
            twice = len(seen.numbers) - len(set(seen.numbers))
            return Figure.of(
                f"{counted(count, 'rotation')}, {len(seen.numbers):,} messages: {lost} lost, {twice} twice; "
                f"at most {market.most} sockets",
                **overlap(seen),
                two_sockets=market.most == 2,
                no_loss=stats.reactive_disconnects == 0 and stats.proactive_disconnects >= count,
            )


async def failing(trial: Trial, *scripts: Script, **settings: Any) -> Figure:
    """Let the first tries to rotate fail; the old connection must go on without a gap, until one takes over."""
    async with Market(1_000, *scripts) as market:
        rotate = Rotation(0.1, overlap=0.2, key=key)
        async with trial.watch(market.server.url, rotate=rotate, **settings) as seen:
            await seen.until(lambda: seen.of(Rotated))
            until = market.told
            await seen.until(lambda: seen.numbers[-1] > until)
            (rotated, *_) = seen.of(Rotated)
            tries = rotated.generation - 2
            lost = seen.numbers[-1] - seen.numbers[0] + 1 - len(set(seen.numbers))
            return Figure.of(
                f"{counted(tries, 'try', 'tries')} failed, then rotated; {len(seen.numbers):,} messages: {lost} lost",
                **overlap(seen),
                the_old_one_stayed=rotated.previous == 1,
                failed=tries == len(scripts),
                two_sockets=market.most <= 2,
            )


@row(
    "rotate-refused",
    "The new connection is refused with 503, twice",
    "The old one goes on, nothing is lost; the next try comes after a back-off and takes over",
)
async def rotate_refused(trial: Trial) -> Figure:
    async def refuse(peer: Peer) -> None:
        await peer.refuse(b"503 Service Unavailable")

    return await failing(trial, refuse, refuse)


@row(
    "rotate-silent",
    "The new connection opens and brings nothing",
    "After `overlap` it is given up, the old one goes on, nothing is lost; the next try takes over",
)
async def rotate_silent(trial: Trial) -> Figure:
    async def silent(peer: Peer) -> None:
        await peer.accept()
        await peer.listen()

    return await failing(trial, silent)


@row(
    "rotate-reset",
    "The old connection is reset in the overlap, before the new one has brought anything",
    "An ordinary loss, told and retried; nothing is told twice, and never more than two sockets",
)
async def rotate_reset(trial: Trial) -> Figure:
    async def resetting(peer: Peer) -> None:
        await peer.accept()
        await peer.server.peers[0].reset()
        await peer.listen()

    async with Market(1_000, resetting) as market:
        async with trial.watch(market.server.url, rotate=Rotation(0.1, key=key)) as seen:
            await seen.until(lambda: len(market.server.peers) > 2 and seen.numbers)
            until = market.told
            await seen.until(lambda: seen.numbers[-1] > until)
            lost = [each for each in seen.of(Closed) if each.error is not None and each.opened]
            return Figure.of(
                f"{counted(len(lost), 'loss', 'losses')}, {counted(len(market.server.peers), 'connection')}",
                told=len(lost) >= 1 and lost[0].generation == 1,
                nothing_twice=len(seen.numbers) == len(set(seen.numbers)),
                in_order=seen.numbers == sorted(seen.numbers),
                two_sockets=market.most <= 2,
            )


@row(
    "server-shutdown",
    "The venue announces `serverShutdown`, and closes 1.5 s later; three times",
    "By then the next connection has taken over: by the exchange's own numbering nothing is missed",
)
async def server_shutdown(trial: Trial) -> Figure:
    times = trial.size(1, 3)

    def asked(messages: Any) -> Any:
        return messages.pipe(ops.filter(lambda message: "serverShutdown" in str(message)))

    async with SimulatedExchange("usdm", rate=1_000, limits=Limits.off()) as exchange:
        stream, stats = exchange.streams[0], Stats()
        rotate = Rotation(asked, key=lambda message: message.get("n"))
        async with trial.watch(exchange.combined_url(stream), rotate=rotate, stats=stats) as seen:
            for time in range(1, times + 1):
                count = len(seen.numbers)
                await seen.until(lambda count=count: len(seen.numbers) > count + 5)
                exchange.announce_shutdown(1.5)
                await seen.until(lambda time=time: len(seen.of(Rotated)) == time)
            count = len(seen.numbers)
            await seen.until(lambda: len(seen.numbers) > count + 5)
            return Figure.of(
                f"{counted(len(seen.of(Rotated)), 'rotation')}, {len(seen.numbers):,} messages: "
                f"{exchange.missed(stream)} missed",
                nothing_missed=exchange.missed(stream) == 0,
                each_once_and_in_order=seen.numbers == sorted(set(seen.numbers)),
                no_loss=stats.reactive_disconnects == 0,
            )
