"""The rows of the table: what happens to a client, what was done, and how the answer is read off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection

from benchmarks.compare.server import FaultyServer, Refusal, go_deaf, reset
from benchmarks.compare.settings import SUBSCRIPTIONS
from benchmarks.compare.trial import Trial

PATIENCE = 4.0  # seconds; four times the longest delay that a client was asked to keep to
LONG_PATIENCE = 15.0  # for what a client may do after a timeout of its own that cannot be set
FLAPPING = 2.0  # seconds in which dials are counted
RETRY_AFTER = 1  # seconds, a whole number in the header
BURST = 20_000
SLOW = 3_000
PADDING = "x" * 280  # a message of the slow row is about as long as a kline


@dataclass(frozen=True)
class Answer:
    """A cell of the table, and the figures of this run behind it."""

    cell: str
    figures: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    key: str
    question: str
    done: str
    """What was done, in a sentence or two."""
    server: Callable[[], FaultyServer]
    judge: Callable[[Trial], Awaitable[Answer]]


def numbered(number: int, padding: str = "") -> str:
    """A message with its number."""
    return json.dumps({"n": number, "padding": padding})


def count_class(count: int) -> str:
    """Return a count as the class that another run on another machine falls into as well."""
    if count < 15:
        return "fewer than 15"
    return "15 to 99" if count < 100 else "100 or more"


async def hold(connection: ServerConnection, number: int) -> None:
    """Send one message and leave it at that."""
    await connection.send(numbered(1))


def ending(trial: Trial) -> str:
    """Say what a client that does not come back has told its user."""
    if trial.client.completed:
        return "it completes"
    return "it ends with an error" if trial.client.error else "and nothing is told"


# A close by the server


async def close_cleanly(connection: ServerConnection, number: int) -> None:
    """Close the first connection with 1000, the second with 1001, and keep the third."""
    await hold(connection, number)
    if number < 3:
        await connection.close(1000 if number == 1 else 1001)


async def judge_clean_close(trial: Trial) -> Answer:
    """Yes: it has come back after both."""
    back = await trial.until(lambda: trial.server.opened >= 3, PATIENCE)
    figures = f"{trial.server.opened} connections"
    return Answer("yes" if back else f"no, {ending(trial)}", figures)


# A reset, and what is said again after it


async def reset_the_first(connection: ServerConnection, number: int) -> None:
    """Reset the first connection once it has been subscribed."""
    await hold(connection, number)
    if number == 1:
        await asyncio.sleep(0.5)
        reset(connection)


async def judge_subscriptions(trial: Trial) -> Answer:
    """Yes: the second connection got each payload once, and nothing else."""
    if not await trial.until(lambda: len(trial.server.received) > 1, PATIENCE):
        return Answer(f"no, {ending(trial)}")
    await asyncio.sleep(0.5)
    got = [str(message) for message in trial.server.received[1]]
    return Answer(_said_again(got), "got " + (", ".join(f"`{each}`" for each in got) or "nothing"))


def _said_again(got: list[str]) -> str:
    wanted = [json.dumps(each, sort_keys=True) for each in SUBSCRIPTIONS]
    said = [json.dumps(json.loads(each), sort_keys=True) for each in got]
    if sorted(said) == sorted(wanted):
        return "yes"
    if all(said.count(each) == 1 for each in wanted):
        return "yes, but not alone: the old ones' UNSUBSCRIBE goes to the new connection too"
    return "only in a format of its own" if len(got) == len(wanted) else "no"


# A server that accepts and closes


async def judge_flapping(trial: Trial) -> Answer:
    """Count the dials; and see whether the client goes on."""
    await asyncio.sleep(FLAPPING)
    dials = len(trial.server.dials)
    goes_on = await trial.until(lambda: len(trial.server.dials) > dials, PATIENCE)
    cell = count_class(dials)
    return Answer(cell if goes_on else f"{cell}, then no more, {ending(trial)}", f"{dials} dials")


# Silence


async def fall_silent(connection: ServerConnection, number: int) -> None:
    """Send ten messages in half a second, then none; pings are answered."""
    for each in range(10):
        await connection.send(numbered(each))
        await asyncio.sleep(0.05)


async def judge_silence(trial: Trial) -> Answer:
    """Yes: another connection is made."""
    back = await trial.until(lambda: trial.server.opened >= 2, PATIENCE)
    return Answer("yes" if back else "no", f"{trial.server.opened} connections")


async def fall_deaf(connection: ServerConnection, number: int) -> None:
    """Send a message, and read nothing more on the first connection."""
    await hold(connection, number)
    if number == 1:
        go_deaf(connection)


async def judge_half_open(trial: Trial) -> Answer:
    """Yes: another connection is made."""
    start = asyncio.get_running_loop().time()
    if await trial.until(lambda: trial.server.opened >= 2, LONG_PATIENCE):
        seconds = trial.server.dials[1] - start
        return Answer("yes" if seconds < PATIENCE else "yes, but late", f"after {seconds:.1f} s")
    return Answer("no")


# Refused handshakes


def unauthorized(number: int) -> Refusal:
    """Answer 401."""
    return HTTPStatus.UNAUTHORIZED, {}


async def judge_unauthorized(trial: Trial) -> Answer:
    """Yes: one dial, and an error that the user's code sees."""
    await asyncio.sleep(FLAPPING)
    dials = len(trial.server.dials)
    if dials == 1 and trial.client.error:
        return Answer("yes", f"`{trial.client.error}`")
    return Answer("no, it dials on", f"{dials} dials in {FLAPPING:.0f} s")


def too_many(number: int) -> Refusal | None:
    """Answer the first handshake with 429."""
    return (HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(RETRY_AFTER)}) if number == 1 else None


async def judge_retry_after(trial: Trial) -> Answer:
    """Yes: it comes back, and no sooner than it was told."""
    if not await trial.until(lambda: len(trial.server.dials) > 1, PATIENCE):
        return Answer(f"no, {ending(trial)}", f"`{trial.client.error}`" if trial.client.error else "")
    first, second = trial.server.dials[:2]
    cell = "yes" if second - first >= RETRY_AFTER else "no, it comes back sooner"
    return Answer(cell, f"after {second - first:.2f} s")


# Many messages


async def burst(connection: ServerConnection, number: int) -> None:
    """Send many messages as fast as TCP takes them."""
    for each in range(BURST):
        await connection.send(numbered(each))


async def flood(connection: ServerConnection, number: int) -> None:
    """Send, on the first connection, more than the consumer can take in a few pings' time."""
    if number == 1:
        for each in range(SLOW):
            await connection.send(numbered(each, PADDING))


async def all_received(trial: Trial, count: int) -> int:
    """Wait until the consumer has had so many messages, or has had no more for two seconds."""
    seen = -1
    while seen < trial.client.received < count:
        seen = trial.client.received
        await trial.until(lambda seen=seen: trial.client.received > seen, 2.0)  # type: ignore[misc]  # bound at once
    return trial.client.received


async def judge_burst(trial: Trial) -> Answer:
    """All, or how many."""
    received = await all_received(trial, BURST)
    share = "all" if received == BURST else "most" if received * 2 >= BURST else "fewer than half"
    return Answer(share, f"{received:,}")


async def judge_slow(trial: Trial) -> Answer:
    """Yes: the one connection has carried all messages and is still there."""
    received = await all_received(trial, SLOW)
    kept = trial.server.opened == 1 and len(trial.server.live) == 1
    figures = f"{received:,} of {SLOW:,}, {trial.server.opened} connection" + "s" * (trial.server.opened > 1)
    if kept:
        return Answer("yes" if received == SLOW else "yes, but messages are missing", figures)
    return Answer("no, it is cut off", figures)


# The end of it


class ComesBackLater:
    """A server that is away after its first connection, until it is told that the client was stopped."""

    def __init__(self) -> None:
        self.back = False

    async def play(self, connection: ServerConnection, number: int) -> None:
        """Close the first connection."""
        await hold(connection, number)
        if number == 1:
            await connection.close(1011)

    def refuse(self, number: int) -> Refusal | None:
        """Refuse all others while away."""
        return None if number == 1 or self.back else (HTTPStatus.SERVICE_UNAVAILABLE, {})

    def server(self) -> FaultyServer:
        """Make the server."""
        server = FaultyServer(self.play, self.refuse)
        server.come_back = self  # type: ignore[attr-defined]
        return server


async def judge_stop(trial: Trial) -> Answer:
    """Yes: nothing connects any more."""
    await trial.until(lambda: len(trial.server.dials) >= 5, PATIENCE)
    await trial.client.stop()
    stopped = await trial.until(lambda: trial.client.stopped, PATIENCE)
    opened = trial.server.opened
    trial.server.come_back.back = True  # type: ignore[attr-defined]
    again = await trial.until(lambda: trial.server.opened > opened, 2.0)
    if not stopped:
        return Answer("no, it does not end")
    return Answer("no, it connects afterwards" if again else "yes", f"{trial.server.opened - opened} connections")


async def five(connection: ServerConnection, number: int) -> None:
    """Send five messages."""
    for each in range(5):
        await connection.send(numbered(each))


async def judge_exception(trial: Trial) -> Answer:
    """Tell whether the user's code saw it, and what is left of the connections."""
    seen = await trial.until(lambda: trial.client.raised or trial.client.ended, PATIENCE)
    await trial.until(lambda: not trial.server.live, 1.0)
    logged = "the consumer's own error" in trial.client.logged
    told = "seen" if seen and trial.client.raised else "it ends the process" if seen and logged else "only logged"
    left = len(trial.server.live)
    counted = "none" if left == 0 else "one" if left == 1 else "several"
    return Answer(f"{told if logged or seen else 'not seen'}; {counted}", f"{left} live")
