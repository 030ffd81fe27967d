"""Whatever happens to topics and connections at random, at last each reader gets what it wants, once, and no more.

A seed makes a venue, a kind of reader and some dozens of operations; a failure shows them. More than the suite runs:
``python -m tests.test_topics_against_a_model 1000 2000``.
"""

from __future__ import annotations

import asyncio
import logging
import random as chance
import sys
import traceback
from typing import Any

import pytest

from rxws.testing import Leftovers
from rxws.testing.exchange import VenueName
from tests.leaping import leap
from tests.modelled.kinds import Kind, Stream
from tests.modelled.market import PLACES, exchange_of
from tests.modelled.readers import Bug
from tests.modelled.shared import Fed, Multiplexed
from tests.modelled.trial import Trial

SEEDS = range(30)


class Records(logging.Handler):
    """What is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.seen.append(f"{record.name}: {record.getMessage()}")


KINDS: dict[str, type[Kind]] = {"stream": Stream, "multiplex": Multiplexed, "feed": Fed}


def name_of(seed: int) -> tuple[VenueName, str]:
    """Return the venue and the kind of readers of a seed."""
    return list(PLACES)[seed % len(PLACES)], list(KINDS)[seed // len(PLACES) % len(KINDS)]


async def play(seed: int) -> tuple[list[str], list[str]]:
    """Play a seed, and return what was wrong, and what was done."""
    name, kind_name = name_of(seed)
    raised: list[str] = []

    def told(_: object, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Bug):
            raised.append(f"the loop was told: {context}")

    asyncio.get_running_loop().set_exception_handler(told)
    with Leftovers() as leftovers:
        async with exchange_of(name) as exchange:
            # Who reads the changes of a book cannot do without one of them.
            goes_on = kind_name != "feed"
            trial = Trial(seed, exchange, PLACES[name], leftovers.as_client, goes_on=goes_on)
            kind = KINDS[kind_name](trial)
            try:
                await trial.play(kind)
                await trial.faults.over()
                await trial.settle(kind)
                await trial.check(kind)
            except Exception as error:  # shown with what led to it
                trial.problems.append(f"{error!r} at {traceback.format_tb(error.__traceback__)[-1]}")
            kind.leave()
            await asyncio.sleep(kind.linger + 0.5)
            trial.problems += [f"left open: {record.target}" for record in exchange.live]
            trial.problems += [f"left over: {each}" for each in await leftovers.after_a_while()]
    return trial.problems + raised, trial.done


def failure(seed: int) -> str:
    """Play a seed on a loop of its own, and return how it failed; nothing, if it did not."""
    records, root, state = Records(), logging.getLogger(), chance.getstate()
    chance.seed(seed)  # of back-offs
    root.addHandler(records)
    try:
        problems, done = leap(play(seed))
    finally:
        root.removeHandler(records)
        chance.setstate(state)
    problems += records.seen
    venue, kind = name_of(seed)
    return "\n".join([f"seed {seed}, {venue}, {kind}:", *problems, *done]) if problems else ""


@pytest.mark.parametrize("seed", SEEDS)
def test_at_last_each_reader_gets_what_it_wants_once_and_no_more(seed: int) -> None:
    """The wire, the statuses, the events, the books and what is left over are as the model says."""
    failed = failure(seed)

    assert not failed, failed


def main(first: int, end: int) -> int:
    """Play the seeds from `first` to before `end`, and show those that fail."""
    failed = 0
    for seed in range(first, end):
        if text := failure(seed):
            failed += 1
            sys.stdout.write(f"{text}\n\n")
            sys.stdout.flush()
    sys.stdout.write(f"{failed} of {end - first} seeds failed\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
