"""The handshake does not come about: cut off, hanging, or answered with nonsense."""

from __future__ import annotations

import asyncio
import socket

from benchmarks.reliability.raw_server import Peer, RawServer, Script
from benchmarks.reliability.row import Figure, Trial, counted, row
from benchmarks.reliability.scripts import answering, refusing, stay
from rxws.errors import ConnectionFailed, ConnectTimeout
from rxws.events import Closed, Opened

WRONG_ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
)


async def retried(trial: Trial, script: Script, kind: type[Exception] = ConnectionFailed, times: int = 2) -> Figure:
    """Play the script a few times, then be a good server: it must come in, and know that nothing was open before."""
    async with RawServer(*[script] * times, stay) as server, trial.watch(server.url, open_timeout=0.3) as seen:
        await seen.until(lambda: seen.numbers)
        await seen.until(lambda: all(each.ended or each.writer.is_closing() for each in server.peers[:times]))
        closed = seen.of(Closed)
        keys = [peer.request.split(b"Key: ")[1][:24] for peer in server.peers if peer.request]
        return Figure.of(
            f"{len(closed)} failed, then open; {counted(len(server.peers), 'dial')}",
            an_error_of_ours=[type(each.error) for each in closed] == [kind] * times,
            never_open=all(not each.opened and each.error.uptime == 0.0 for each in closed),
            once_open=len(seen.of(Opened)) == 1 and seen.numbers == [1],
            a_key_each=len(set(keys)) == len(keys),
        )


RETRIED = "A failure that is told, with an uptime of 0, and retried; its socket is closed"


@row("handshake-fin", "TCP ends before the handshake is answered", RETRIED)
async def handshake_fin(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.fin()

    return await retried(trial, script)


@row("handshake-reset", "TCP is reset as soon as it is accepted", RETRIED)
async def handshake_reset(trial: Trial) -> Figure:
    return await retried(trial, lambda peer: peer.reset())


@row("handshake-half", "TCP ends in the middle of the handshake's answer", RETRIED)
async def handshake_half(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(peer.response()[:40])
        peer.fin()

    return await retried(trial, script)


@row("handshake-accept", "The answer's Sec-WebSocket-Accept is wrong, once", f"{RETRIED}, with a key of its own")
async def handshake_accept(trial: Trial) -> Figure:
    return await retried(trial, answering(WRONG_ACCEPT), times=1)


@row("handshake-garbage", "The answer is not HTTP (a TLS alert)", RETRIED)
async def handshake_garbage(trial: Trial) -> Figure:
    return await retried(trial, answering(b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n"))


@row("handshake-headers", "The answer has a header of 100,000 bytes", RETRIED)
async def handshake_headers(trial: Trial) -> Figure:
    return await retried(trial, answering(b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"))


@row("handshake-hangs", "The handshake is never answered", "Given up after `open_timeout`, told so, and retried")
async def handshake_hangs(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.ask()
        await peer.listen()

    return await retried(trial, script, ConnectTimeout)


@row(
    "handshake-trickles",
    "The answer trickles in for ever, some bytes every few milliseconds",
    "Given up after `open_timeout`, whatever comes meanwhile, and retried",
)
async def handshake_trickles(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(b"HTTP/1.1 101 Switching Protocols\r\n")
        while not peer.writer.is_closing():
            peer.write(b"X: ")
            await asyncio.sleep(0.01)

    return await retried(trial, script, ConnectTimeout)


@row(
    "handshake-backlog",
    "The kernel completes TCP for a process that never accepts",
    "Given up after `open_timeout`, over and over, until dispose; no socket is left",
)
async def handshake_backlog(trial: Trial) -> Figure:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        async with trial.watch(f"ws://127.0.0.1:{listening.getsockname()[1]}/", open_timeout=0.05) as seen:
            closed = await seen.closes(3)
            return Figure.of(
                f"{len(closed)} given up", timeouts={type(each.error) for each in closed} == {ConnectTimeout}
            )


@row("redirects", "The server redirects in a circle", "The attempt ends after a few redirects, and is retried")
async def redirects(trial: Trial) -> Figure:
    circle = refusing(b"302 Found", b"Location: /again")
    async with RawServer(circle) as server, trial.watch(server.url) as seen:
        closed = (await seen.closes(1))[0]
        requests = len(server.peers)
        await seen.closes(2)
        return Figure.of(
            f"{counted(requests, 'request')}, then a failure",
            a_failure=isinstance(closed.error, ConnectionFailed),
            bounded=requests <= 20,
            never_open=not closed.opened,
        )
