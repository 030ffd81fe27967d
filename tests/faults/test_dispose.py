"""The subscriber leaves, at every moment: nothing of it is left, and nothing connects afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import Subject

from benchmarks.reliability.raw_server import CLOSE, Peer, RawServer
from benchmarks.reliability.watching import Watch
from rxws.events import Closed, Connecting, DisconnectReason, Waiting


async def stay(peer: Peer) -> None:
    """A script: be a good server that has much to say."""
    await peer.accept()
    listening = asyncio.ensure_future(peer.listen())
    while not peer.ended and not peer.writer.is_closing():
        peer.number(10)
        await asyncio.sleep(0.001)
    await listening


async def flap(peer: Peer) -> None:
    """A script: accept, and close."""
    await peer.accept()
    await peer.end()


async def hang(peer: Peer) -> None:
    """A script: never answer the handshake."""
    await peer.listen()


async def deaf(peer: Peer) -> None:
    """A script: accept, number a message, and never read again, nor close."""
    await peer.accept()
    peer.number()
    peer.deafen()
    await asyncio.sleep(3600)


async def never_answers(peer: Peer) -> None:
    """A script: accept, number a message, answer pings, and never a close frame."""
    await peer.accept()
    peer.number()
    await peer.listen(closes=False)


async def disposed(seen: Watch) -> None:
    """Dispose, and see that nothing is told afterwards and nothing is left; twice is once."""
    seen.dispose()
    told = len(seen.told)
    seen.dispose()
    await seen.gone()
    assert len(seen.told) == told
    assert seen.error is None and not seen.completed
    assert seen.in_order, seen.shape


async def test_dispose_before_the_first_turn_dials_nobody(watch: Any) -> None:
    """Subscribed and disposed at once: no socket, no event."""
    async with RawServer(stay) as server:
        seen = watch(server.url).subscribe()
        await disposed(seen)
        assert seen.told == [] and server.peers == []


@pytest.mark.parametrize("turns", range(12))
async def test_dispose_at_any_turn_of_the_first_connection_leaves_nothing(watch: Any, turns: int) -> None:
    """A turn of the loop later each time: TCP, handshake, first message and what lies between."""
    async with RawServer(stay) as server:
        seen = watch(server.url, subscriptions=["a"]).subscribe()
        for _ in range(turns):
            await asyncio.sleep(0)
        await disposed(seen)
        assert len(server.peers) <= 1
        assert all(each.reason is DisconnectReason.USER_REQUESTED for each in seen.of(Closed))
        assert len(seen.of(Connecting)) == len(seen.of(Closed))


async def test_dispose_while_connecting_gives_the_socket_up(watch: Any) -> None:
    """The handshake hangs; TCP is ended, and the end is ours."""
    async with RawServer(hang) as server:
        seen = watch(server.url, open_timeout=10.0).subscribe()
        await seen.until(lambda: server.peers)
        await disposed(seen)
        (closed,) = seen.of(Closed)
        assert (closed.reason, closed.opened) == (DisconnectReason.USER_REQUESTED, False)
        await seen.until(lambda: server.peers[0].ended)


async def test_dispose_while_a_tcp_connection_is_being_made_gives_it_up(watch: Any) -> None:
    """An address that answers nothing at all: the dial is broken off (RFC 5737, section 3: TEST-NET-1)."""
    seen = watch("ws://192.0.2.1:9/", open_timeout=10.0).subscribe()
    await seen.until(lambda: seen.of(Connecting))
    for _ in range(5):
        await asyncio.sleep(0)
    await disposed(seen)


async def test_dispose_while_waiting_cancels_the_next_attempt(watch: Any) -> None:
    """No timer is left, and no Closed is told: nothing was open."""
    async with RawServer(flap) as server:
        seen = watch(server.url).subscribe()
        await seen.until(lambda: len(seen.of(Waiting)) == 2)
        await disposed(seen)
        assert isinstance(seen.told[-1], Waiting)
        assert len(server.peers) == 2


async def test_dispose_while_it_waits_as_long_as_the_server_asked_leaves_no_timer(watch: Any) -> None:
    """An hour of Retry-After is forgotten at once."""
    refuse = b"Retry-After: 3600"
    async with RawServer(lambda peer: peer.refuse(b"429 Too Many Requests", refuse)) as server:
        seen = watch(server.url).subscribe()
        await seen.until(lambda: seen.of(Waiting))
        await disposed(seen)


async def test_dispose_while_receiving_says_goodbye(watch: Any) -> None:
    """A close frame with 1000, answered, and TCP is the server's to end."""
    async with RawServer(stay) as server:
        seen = watch(server.url).subscribe()
        await seen.until(lambda: len(seen.numbers) > 100)
        await disposed(seen)
        assert seen.numbers == list(range(1, len(seen.numbers) + 1))
        assert seen.of(Closed)[0].reason is DisconnectReason.USER_REQUESTED
        await seen.until(lambda: server.peers[0].of(CLOSE))
        assert server.peers[0].of(CLOSE) == [b"\x03\xe8"]


@pytest.mark.parametrize("script", [never_answers, deaf])
async def test_dispose_with_a_server_that_never_answers_the_close_ends_all_the_same(watch: Any, script: Any) -> None:
    """After close_timeout, as the settings have it, the socket is aborted."""
    async with RawServer(script) as server:
        seen = watch(server.url, ping_interval=None).subscribe()
        await seen.until(lambda: seen.numbers)
        await disposed(seen)


async def test_dispose_with_a_full_outbox_ends_all_the_same(watch: Any) -> None:
    """What the server does not read cannot be sent, nor can the close frame behind it."""
    outgoing: Subject[Any] = Subject()
    async with RawServer(deaf) as server:
        seen = watch(server.url, outgoing=outgoing, ping_interval=None).subscribe()
        await seen.until(lambda: seen.numbers)
        outgoing.on_next(b"x" * 15 * 2**20)
        await disposed(seen)


async def test_dispose_between_a_loss_and_the_end_of_its_socket_leaves_nothing(watch: Any) -> None:
    """The server has said close and keeps TCP open; the subscription is over before close_timeout is."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.close(1001)
        await peer.listen(closes=False)

    async with RawServer(script) as server:
        seen = watch(server.url).subscribe()
        await seen.until(lambda: seen.of(Closed))
        await disposed(seen)
