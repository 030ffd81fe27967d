"""One random sequence of operations, and what has to be so behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from rxws.events import TopicStatus
from rxws.market import MarketEvent
from rxws.testing import SimulatedExchange
from tests.modelled.faults import Faults
from tests.modelled.market import Market, Place, is_subsequence, wire

if TYPE_CHECKING:
    from tests.modelled.kinds import Kind

__all__ = ["Trial"]

OVERLAP = 8
"""How many operations without a fault follow a notice."""
LEAST, PATIENCE = 13, 60
"""How often ten seconds are waited for all to be well: more than the longest back-off, and twice a pause."""


class Trial:
    """One seed at work.

    Args:
        seed: what decides.
        exchange: the venue.
        place: which one it is.
        as_client: calls something as the client.
        goes_on: whether connections go on that were silent for a while; what happened meanwhile is not told.
    """

    def __init__(
        self, seed: int, exchange: SimulatedExchange, place: Place, as_client: Callable[..., Any], *, goes_on: bool
    ) -> None:
        self.random = Random(seed)
        self.exchange = exchange
        self.place = place
        self.as_client = as_client
        self.market = Market(exchange, self.place)
        self.faults = Faults(exchange, place, self.random, goes_on=goes_on)
        self.problems: list[str] = []
        self.done: list[str] = []

    def strays(self, topic: str, seen: Sequence[MarketEvent]) -> str:
        """What is wrong with all that came of a topic; nothing, if it is what was told, in order and once."""
        return (
            ""
            if is_subsequence(seen, self.market.told[topic])
            else f"{topic}: what came is not what was told, in order and once"
        )

    async def play(self, kind: Kind) -> None:
        """Do some dozens of things at random."""
        calm = 3
        for _ in range(self.random.randint(20, 45)):
            drawn = self.random.uniform(0.3 if calm else 0.0, 1.0)
            calm = max(0, calm - 1)
            others = self.faults.operations if drawn < 0.25 else kind.operations
            what = self._happen(kind) if drawn > 0.6 else self.random.choice(others)()
            if what is not None:
                self.done.append(f"{asyncio.get_running_loop().time() - 1_000.0:8.3f}  {what}")
                # Much is to happen while a connection takes over from another one.
                calm = OVERLAP if what.startswith("announce") else calm
            await self._pause(longest=1.0 if calm else 40.0)

    def _happen(self, kind: Kind) -> str | None:
        topics = [topic for topic in sorted(kind.wanted) if self.random.random() < 0.8]
        if not topics:
            return None
        times = self.random.randint(1, 3)
        self.market.happen(topics, times)
        return f"{times} of each of {topics}"

    async def _pause(self, longest: float) -> None:
        drawn = self.random.random()
        if drawn > 0.3:
            most = 0.0 if drawn < 0.45 else 0.3 if drawn < 0.7 else 5.0 if drawn < 0.95 else 40.0
            await asyncio.sleep(self.random.uniform(0.0, min(most, longest)))

    async def settle(self, kind: Kind) -> None:
        """Wait until all is as the model says, while something happens now and then; longer than any wait is."""
        for waited in range(PATIENCE):
            await asyncio.sleep(10.0)
            self.market.happen(kind.wanted)
            await asyncio.sleep(0.5)
            if waited >= LEAST and not self.differences(kind):
                return

    def differences(self, kind: Kind) -> list[str]:
        """What is not as the model says."""
        wanted = {topic for topic in kind.wanted if self.place.exists(topic)}
        silent = kind.wanted - wanted
        found, carried = [], sorted(kind.wanted if not self.place.refuses else wanted)
        if wire(self.exchange) != carried:
            found.append(f"on the wire: {wire(self.exchange)}, and not {carried}")
        statuses = kind.statuses
        of_silent = [TopicStatus.REJECTED if self.place.refuses else TopicStatus.ACKNOWLEDGED]
        of_silent += [TopicStatus.REQUESTED] * self.place.closes
        of_silent += [TopicStatus.TIMED_OUT] * (self.faults.cost_answers or not self.place.refuses)
        if statuses.keys() != kind.wanted:
            found.append(f"there are statuses of {sorted(statuses)}, and not of {sorted(kind.wanted)}")
        for topics, right in ((wanted, [TopicStatus.LIVE]), (silent, of_silent)):
            found += [f"{topic} is {statuses.get(topic)}" for topic in topics if statuses.get(topic) not in right]
        return found

    async def check(self, kind: Kind) -> None:
        """Let a last few messages of all topics happen, and compare."""
        self.problems += self.differences(kind)
        check = kind.marks()
        happened: list[MarketEvent] = []
        for _ in range(2):
            happened += self.market.happen(self.place.pool())
            await asyncio.sleep(0.5)
        self.problems += check(happened)
        self.problems += self.differences(kind)
        self.problems += kind.problems()
        broken = self.exchange.violations
        if self.faults.cost_answers or self.place.closes:
            del broken["first_request"]
        if broken:
            self.problems.append(f"broken: {dict(broken)}")
