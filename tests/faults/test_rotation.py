"""Rotations on real sockets: nothing is lost, nothing comes twice, and the server never sees a third socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from reactivex import Observable, Subject
from reactivex import operators as ops

from benchmarks.reliability.raw_server import CLOSE, Peer, RawServer, numbers
from rxws import Rotation, Stats
from rxws.events import Closed, ConnectionState, DisconnectReason, Live, Rotated, Waiting
from rxws.testing import SimulatedExchange

PIECE = 20
"""Numbers in one write."""
LAST = 100
"""Rotations of the long test."""


class Feed:
    """One numbered feed for all peers, as fast as they take it; and how many of them were live at once.

    Args:
        answers: whether a close frame is answered.
        replayed: how many of the last numbers whoever comes gets again.
    """

    def __init__(self, *, answers: bool = True, replayed: int = 0) -> None:
        self.number = 0
        self.most_live = 0
        self.live: dict[Peer, None] = {}
        """The peers that have not ended, in the order in which they came."""
        self.told: dict[Peer, None] = {}
        """Those of them that have shaken hands."""
        self.silent: set[Peer] = set()
        """Those that get nothing any more."""
        self._answers = answers
        self._replayed = replayed

    async def script(self, peer: Peer) -> None:
        """A script: a peer of the feed, to its end."""
        for _ in range(10):  # what has ended before this one came is known by then
            await asyncio.sleep(0)
        self.live[peer] = None
        self.most_live = max(self.most_live, len(self.live))
        await peer.accept()
        again = min(self._replayed, self.number)
        peer.writer.write(numbers(self.number + 1 - again, again))
        self.told[peer] = None
        await peer.listen(closes=self._answers, until=CLOSE if self._answers else None)
        del self.live[peer], self.told[peer]
        await peer.listen(closes=False)

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[RawServer]:
        """Serve it."""
        async with RawServer(self.script) as server:
            task = asyncio.ensure_future(self._flow())
            yield server
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _flow(self) -> None:
        while True:
            peers = [peer for peer in self.told if peer not in self.silent and not peer.writer.is_closing()]
            if peers:
                piece = numbers(self.number + 1, PIECE)
                self.number += PIECE
                for peer in peers:
                    peer.writer.write(piece)
            for peer in peers:
                with suppress(ConnectionError):
                    await peer.writer.drain()
            await asyncio.sleep(0)


def rotation(when: Any, **how: Any) -> Rotation:
    """A rotation of numbered messages."""
    return Rotation(when, key=lambda message: message.get("n"), jitter=0.0, **how)


async def test_a_hundred_rotations_under_a_fast_feed_lose_nothing_and_repeat_nothing(watch: Any) -> None:
    """In order, too; the server never sees more than two live sockets; each is counted as proactive."""
    ticks, feed, stats = Subject(), Feed(replayed=15), Stats()

    def again(event: Any) -> None:
        if isinstance(event, Rotated) and event.generation <= LAST:
            ticks.on_next(event)

    async with feed.flowing() as server:
        async with watch(server.url, listener=again, rotate=rotation(ticks), stats=stats, ping_interval=None) as seen:
            await seen.until(lambda: seen.numbers)
            ticks.on_next(0)
            await seen.until(lambda: len(seen.of(Rotated)) == LAST, 60.0)
            await seen.until(lambda: len(feed.told) == 1)
            told = len(seen.numbers)
            await seen.until(lambda: len(seen.numbers) > told)
        assert seen.numbers == list(range(1, len(seen.numbers) + 1))
        assert feed.most_live == 2
        assert len(server.peers) == LAST + 1
    assert (stats.proactive_disconnects, stats.reactive_disconnects) == (LAST + 1, 0)
    assert stats.dropped == stats.bad_frames == 0
    assert seen.of(Waiting) == []
    assert [each.reason for each in seen.of(Closed)] == [DisconnectReason.USER_REQUESTED]


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "close frame"])
async def test_the_old_one_lost_in_the_overlap_costs_nothing_where_the_new_one_delivers(
    watch: Any, reset: bool
) -> None:
    """It takes over at once, with all that it had brought; the loss is told, and it is no outage."""
    ticks, feed = Subject(), Feed()  # type: ignore[var-annotated]
    async with feed.flowing() as server:
        async with watch(server.url, rotate=rotation(ticks, overlap=30.0), ping_interval=None) as seen:
            await seen.until(lambda: len(seen.numbers) > 200)
            (old,) = feed.told
            feed.silent.add(old)  # and so the market stands still until the next peer comes
            await seen.until(lambda: len(seen.numbers) == feed.number)
            ticks.on_next(0)
            await seen.until(lambda: len(seen.of(Live)) == 2)
            assert seen.of(Rotated) == []
            if reset:
                await old.reset()
            else:
                old.close(1012)
            await seen.until(lambda: seen.of(Rotated))
            told = len(seen.numbers)
            await seen.until(lambda: len(seen.numbers) > told + 200)
        assert seen.numbers == list(range(1, len(seen.numbers) + 1))
    lost = seen.of(Closed)[0]
    assert lost.reason is (DisconnectReason.NETWORK_ERROR if reset else DisconnectReason.SERVER_CLOSED)
    assert lost.state is ConnectionState.CONNECTED
    assert seen.of(Waiting) == []


async def test_a_server_that_never_answers_our_close_keeps_the_next_dial_until_close_timeout(watch: Any) -> None:
    """Then its socket is aborted; till then there are two, and no third."""
    ticks, feed = Subject(), Feed(answers=False)  # type: ignore[var-annotated]
    async with feed.flowing() as server:
        async with watch(server.url, rotate=rotation(ticks), ping_interval=None) as seen:
            await seen.until(lambda: seen.numbers)
            ticks.on_next(0)
            await seen.until(lambda: seen.of(Rotated))
            (old, _) = feed.told
            ticks.on_next(1)
            told = len(seen.numbers)
            await seen.until(lambda: len(seen.numbers) > told + 1_000)
            await seen.until(lambda: old.of(CLOSE))
            await seen.until(lambda: len(seen.of(Rotated)) == 2)
            assert old.ended
        assert seen.numbers == list(range(1, len(seen.numbers) + 1))
        assert feed.most_live == 2


async def test_a_shutdown_that_the_venue_announces_costs_nothing(watch: Any) -> None:
    """Binance's serverShutdown, found by a callable among the messages: the next connection is there before the end."""
    trades = "sushiusdt@aggTrade"

    def announced(messages: Observable[Any]) -> Observable[Any]:
        return messages.pipe(ops.filter(lambda message: message.get("data", {}).get("e") == "serverShutdown"))

    async with SimulatedExchange("usdm", streams=[trades], rate=500.0) as exchange:
        async with watch(exchange.combined_url(trades), rotate=rotation(announced)) as seen:
            for place in range(1, 4):
                await exchange.until(lambda: exchange.produced > 100 * place)  # noqa: B023
                await seen.until(lambda: len(exchange.live) == 1)
                exchange.announce_shutdown(2.0)  # the first second of a connection asks for nothing yet
                await seen.until(lambda: len(seen.of(Rotated)) == place)  # noqa: B023
            told = len(seen.numbers)
            await seen.until(lambda: len(seen.numbers) > told + 50)
        assert seen.numbers == list(range(seen.numbers[0], seen.numbers[0] + len(seen.numbers)))
        assert exchange.missed() == 0
        assert exchange.handshakes_accepted == 4
    assert {each.reason for each in seen.of(Rotated)} == {DisconnectReason.SCHEDULED}
    assert [each.reason for each in seen.of(Closed)] == [DisconnectReason.USER_REQUESTED]


@pytest.mark.parametrize("turns", range(16))
async def test_dispose_at_any_turn_of_a_rotation_leaves_nothing(watch: Any, turns: int) -> None:
    """A turn of the loop later each time: the dial, the handshake, the overlap, the cut, the old one's close."""
    ticks, feed = Subject(), Feed()  # type: ignore[var-annotated]
    async with feed.flowing() as server:
        seen = watch(server.url, rotate=rotation(ticks), ping_interval=None).subscribe()
        await seen.until(lambda: seen.numbers)
        ticks.on_next(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        seen.dispose()
        told = len(seen.told)
        await seen.gone()
        assert len(seen.told) == told
        assert len(server.peers) <= 2
        assert seen.in_order


async def test_a_consumer_that_raises_in_an_overlap_ends_both_connections(watch: Any, unheard: Any) -> None:
    """It is reported to the loop, and nothing of either is left."""
    ticks, feed, wrong = Subject(), Feed(), ValueError("the consumer's")  # type: ignore[var-annotated]

    def consumer(value: Any) -> None:
        if len(feed.told) == 2:
            unheard.append(wrong)
            raise wrong

    async with feed.flowing() as server:
        seen = watch(server.url, consumer, rotate=rotation(ticks), ping_interval=None).subscribe()
        await seen.until(lambda: seen.numbers)
        ticks.on_next(0)
        await seen.until(lambda: unheard)
        await seen.gone()
        assert (len(unheard), len(server.peers)) == (1, 2)
