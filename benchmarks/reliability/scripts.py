"""What servers do in several rows: scripts of `raw_server`."""

from __future__ import annotations

import asyncio

from benchmarks.reliability.raw_server import Peer, Script

__all__ = ["answering", "feed", "refusing", "stay", "writing"]


async def stay(peer: Peer) -> None:
    """Be a good server: number a message, answer pings and the close frame."""
    await peer.accept()
    peer.number()
    await peer.listen()


async def feed(peer: Peer) -> None:
    """Be a good server that numbers a message every 5 ms."""
    await peer.accept()
    listening = asyncio.ensure_future(peer.listen())
    while not peer.ended and not peer.writer.is_closing():
        peer.number()
        await asyncio.sleep(0.005)
    await listening


def refusing(status: bytes, *headers: bytes, body: bytes = b"") -> Script:
    """Answer the handshake with an HTTP status."""
    return lambda peer: peer.refuse(status, *headers, body=body)


def answering(response: bytes) -> Script:
    """Answer the handshake with these bytes, and stay."""

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(response)
        await peer.listen()

    return script


def writing(data: bytes) -> Script:
    """Number a message, write these bytes in the same segment, and number another."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.write(data)
        peer.number()
        await peer.listen()

    return script
