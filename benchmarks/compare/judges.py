"""How each answer is read off: from what the server saw of a client, and from what the client told its user."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from benchmarks.compare.faults import BURST, RETRY_AFTER, SLOW, accept
from benchmarks.compare.settings import SUBSCRIPTIONS
from benchmarks.compare.trial import Trial

PATIENCE = 4.0  # seconds; four times the longest delay that a client was asked to keep to
LATE = 15.0  # for what waits for a timeout that cannot be set
WHILE = 2.0  # in which dials are counted


@dataclass(frozen=True)
class Answer:
    """A cell of the table, and the figures of this run behind it."""

    cell: str
    figures: str = ""


def count_class(count: int) -> str:
    """Return the class of a count that a run on another machine falls into as well."""
    if count < 15:
        return "fewer than 15"
    return "15 to 99" if count < 100 else "100 or more"


def counted(count: int, what: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def ending(trial: Trial) -> str:
    """Say what a client that does not come back has told its user."""
    if trial.client.completed:
        return "it completes"
    return "it gives up with an error" if trial.client.error else "and nothing is told"


async def clean_close(trial: Trial) -> Answer:
    """Yes: it has come back after both closes."""
    back = await trial.until(lambda: trial.server.opened >= 3, PATIENCE)
    return Answer("yes" if back else f"no, {ending(trial)}", counted(trial.server.opened, "connection"))


async def subscriptions(trial: Trial) -> Answer:
    """Yes: the second connection got each payload once, and nothing else."""
    if not await trial.until(lambda: len(trial.server.received) > 1, PATIENCE):
        return Answer(f"no, {ending(trial)}")
    await asyncio.sleep(0.5)
    got = [json.loads(message) for message in trial.server.received[1]]
    figures = counted(len(got), "payload")
    if not all(got.count(each) == 1 for each in SUBSCRIPTIONS):
        return Answer("only in a format of its own" if len(got) == len(SUBSCRIPTIONS) else "no", figures)
    return Answer("yes" if len(got) == len(SUBSCRIPTIONS) else "yes, and more", figures)


async def flapping(trial: Trial) -> Answer:
    """Count the dials, and see whether the client goes on."""
    await asyncio.sleep(WHILE)
    dials = len(trial.server.dials)
    goes_on = await trial.until(lambda: len(trial.server.dials) > dials, PATIENCE)
    cell = count_class(dials)
    return Answer(cell if goes_on else f"{cell}, then no more, {ending(trial)}", counted(dials, "dial"))


async def another_connection(trial: Trial) -> Answer:
    """Yes: another connection is made."""
    first = trial.server.dials[0]
    if await trial.until(lambda: trial.server.opened > 1, LATE):
        seconds = trial.server.dials[1] - first
        return Answer("yes" if seconds < PATIENCE else "yes, but late", f"after {seconds:.1f} s")
    return Answer("no", f"none in {LATE:.0f} s")


async def another_connection_soon(trial: Trial) -> Answer:
    """Yes: another connection is made, and soon."""
    first = trial.server.dials[0]
    if await trial.until(lambda: trial.server.opened > 1, PATIENCE):
        return Answer("yes", f"after {trial.server.dials[1] - first:.1f} s")
    return Answer("no", f"none in {PATIENCE:.0f} s")


async def unauthorized(trial: Trial) -> Answer:
    """Yes: one dial, and an error that the user's code sees."""
    await asyncio.sleep(WHILE)
    dials = len(trial.server.dials)
    cell = "yes" if dials == 1 and trial.client.error else "no, it dials on"
    return Answer(cell, counted(dials, "dial") + told(trial))


async def retry_after(trial: Trial) -> Answer:
    """Yes: it comes back, and no sooner than it was told."""
    if not await trial.until(lambda: len(trial.server.dials) > 1, PATIENCE):
        return Answer(f"no, {ending(trial)}", "1 dial" + told(trial))
    first, second = trial.server.dials[:2]
    sooner = second - first < RETRY_AFTER
    return Answer("no, it comes back sooner" if sooner else "yes", f"after {second - first:.2f} s")


async def burst(trial: Trial) -> Answer:
    """All, or what share."""
    received = await all_received(trial, BURST)
    share = "all" if received == BURST else "most" if received * 2 >= BURST else "fewer than half"
    return Answer(share, f"{received:,}")


async def slow(trial: Trial) -> Answer:
    """Yes: the one connection has carried all messages and is still there."""
    received = await all_received(trial, SLOW)
    kept = trial.server.opened == 1 and len(trial.server.live) == 1
    figures = f"{received:,} of {SLOW:,}, {counted(trial.server.opened, 'connection')}"
    if kept:
        return Answer("yes" if received == SLOW else "yes, but messages are missing", figures)
    return Answer("no, it is cut off", figures)


async def all_received(trial: Trial, count: int) -> int:
    """Wait until the consumer has had so many messages, or no more for a while, or until the connection is another."""
    seen = -1
    while seen < trial.client.received < count and trial.server.opened == 1:
        seen = trial.client.received
        await trial.until(lambda: trial.client.received > seen, PATIENCE)  # noqa: B023  # awaited before seen changes
    return trial.client.received


async def stop(trial: Trial) -> Answer:
    """Yes: the server is back, and nothing connects any more."""
    if not await trial.until(lambda: len(trial.server.dials) >= 5, PATIENCE):
        return Answer("it never waits so", counted(len(trial.server.dials), "dial"))
    await trial.client.stop()
    if not await trial.until(lambda: trial.client.stopped, PATIENCE):
        return Answer("no, it does not end")
    trial.server.refuse = accept
    again = await trial.until(lambda: trial.server.opened > 1, WHILE)
    return Answer("no, it connects afterwards" if again else "yes", counted(trial.server.opened - 1, "connection"))


async def exception(trial: Trial) -> Answer:
    """Tell whether the user's code saw it, and what is left of the connections."""
    seen = await trial.until(lambda: trial.client.raised or trial.client.ended, PATIENCE)
    await asyncio.sleep(1.0)  # one that dials again has done so by then
    left = len(trial.server.live)
    if seen:
        cell = "seen" if trial.client.raised else "it ends the process"
    else:
        cell = "only logged" if "the consumer's own error" in trial.client.logged else "not seen"
    return Answer(f"{cell}; {'none' if left == 0 else 'one' if left == 1 else 'several'} left", f"{left} live")


def told(trial: Trial) -> str:
    """Name the error that the user's code saw, if it saw one."""
    return f", {trial.client.error.partition(': ')[0]}" if trial.client.error else ""
