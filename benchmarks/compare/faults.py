"""What the server does to its clients: one function a fault, each told the connection or handshake and its number."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection

from benchmarks.compare.server import Refusal, go_deaf, reset

RETRY_AFTER = 2  # whole seconds; more than the longest delay of a client's own
BURST = 20_000
SLOW = 3_000
PADDING = "x" * 280  # makes a message about as long as a kline


def numbered(number: int, padding: str = "") -> str:
    """Return a message with its number."""
    return json.dumps({"n": number, "padding": padding})


async def send(connection: ServerConnection, count: int, padding: str = "") -> None:
    """Send so many messages, and let other servers of this loop have their turns."""
    for number in range(count):
        await connection.send(numbered(number, padding))
        if number % 100 == 0:
            await asyncio.sleep(0)


# Handshakes


def accept(number: int) -> Refusal | None:
    """Refuse none."""
    return None


def unauthorized(number: int) -> Refusal | None:
    """Answer 401."""
    return HTTPStatus.UNAUTHORIZED, {}


def too_many(number: int) -> Refusal | None:
    """Answer the first with 429, and with how long to wait."""
    return (HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(RETRY_AFTER)}) if number == 1 else None


def away(number: int) -> Refusal | None:
    """Answer all but the first with 503."""
    return None if number == 1 else (HTTPStatus.SERVICE_UNAVAILABLE, {})


# Connections


async def hold(connection: ServerConnection, number: int) -> None:
    """Send one message and leave it at that."""
    await connection.send(numbered(1))


async def five(connection: ServerConnection, number: int) -> None:
    """Send five messages."""
    await send(connection, 5)


async def close_cleanly(connection: ServerConnection, number: int) -> None:
    """Close the first with 1000, the second with 1001, and keep the third."""
    await hold(connection, number)
    if number < 3:
        await connection.close(1000 if number == 1 else 1001)


async def close_at_once(connection: ServerConnection, number: int) -> None:
    """Close each with 1011."""
    await connection.close(1011)


async def close_the_first(connection: ServerConnection, number: int) -> None:
    """Close the first with 1011, after a message."""
    await hold(connection, number)
    if number == 1:
        await connection.close(1011)


async def reset_the_first(connection: ServerConnection, number: int) -> None:
    """Reset the first, once it has been subscribed."""
    await hold(connection, number)
    if number == 1:
        await asyncio.sleep(0.5)
        reset(connection)


async def fall_silent(connection: ServerConnection, number: int) -> None:
    """Send ten messages in half a second, then none; pings are answered."""
    for each in range(10):
        await connection.send(numbered(each))
        await asyncio.sleep(0.05)


async def fall_deaf(connection: ServerConnection, number: int) -> None:
    """Read nothing more on the first, and leave TCP open."""
    await hold(connection, number)
    if number == 1:
        go_deaf(connection)


async def burst(connection: ServerConnection, number: int) -> None:
    """Send on the first as fast as TCP takes it."""
    if number == 1:
        await send(connection, BURST)


async def flood(connection: ServerConnection, number: int) -> None:
    """Send on the first what its consumer needs many pings' time for."""
    if number == 1:
        await send(connection, SLOW, PADDING)
