"""What goes wrong at a venue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from rxws.testing import SimulatedExchange
from rxws.testing.exchange import Ack
from tests.modelled.market import Place

__all__ = ["Faults", "Operation"]

Operation = Callable[[], str | None]
"""Does something at random, and says what; None: it could not be done now."""

CLOSES = (1000, 1001, 1011, 1012, 1013, 4000, None)


class Faults:
    """What goes wrong at the venue, at random, until it is over.

    Args:
        exchange: the venue.
        place: which one it is.
        random: chance.
        goes_on: whether connections go on that were silent for a while; what happened meanwhile is not told.
    """

    def __init__(self, exchange: SimulatedExchange, place: Place, random: Random, *, goes_on: bool) -> None:
        self.cost_answers = False
        """Whether an answer may have been lost."""
        self._goes_on = goes_on
        self._exchange = exchange
        self._place = place
        self._random = random
        self._timers: list[asyncio.TimerHandle] = []
        self._loop = asyncio.get_running_loop()
        self.operations: list[Operation] = [
            self._end,
            self._end,
            self._stall,
            self._answers,
            self._doors,
            self._stray,
        ]
        if place.announces:
            self.operations += [self._announce] * 5

    async def over(self) -> None:
        """Everything is well again."""
        for timer in self._timers:
            timer.cancel()
        await self._exchange.accept()
        tampering = self._exchange._venue.tampering
        tampering._acks.clear()
        tampering._orders.clear()
        self._go_on()
        self._exchange.release_acks()

    @property
    def _is_nobody_there(self) -> bool:
        return not self._exchange.live

    def _end(self) -> str | None:
        if self._is_nobody_there:
            return None
        code = self._random.choice(CLOSES)
        how = self._random.choice(("reset", "drop", "close"))
        many = self._exchange.close(code) if how == "close" else getattr(self._exchange, how)()
        return f"{how} {code if how == 'close' else ''} of {many}"

    def _stall(self) -> str | None:
        if self._is_nobody_there:
            return None
        pongs, seconds = self._random.random() < 0.5, self._random.uniform(0.0, 40.0)
        many = self._exchange.stall(pongs=pongs)
        self._later(seconds, self._go_on)
        return f"stall {many} for {seconds:.1f} s, {pongs=}"

    def _go_on(self) -> None:
        for connection in tuple(self._exchange._venue.connections):
            # What was sent slowly would be counted as sent at once.
            is_late = connection._deaf or len(connection._unheard) > 1
            if connection.muted and connection in self._exchange._venue.live and (is_late or not self._goes_on):
                connection.cut("reset", reset=True)
        self._exchange.resume()

    def _answers(self) -> str:
        answers: tuple[Ack, ...] = ("held", "held", "after_data", *(("silent",) if self._place.numbers else ()))
        what, times = self._random.choice(answers), self._random.randint(1, 3)
        seconds = self._random.uniform(0.0, 20.0)
        self._exchange.acks(what, times)
        self.cost_answers = True  # what is held is lost where it is released in a silence
        self._later(seconds, self._exchange.release_acks)
        return f"acks {what} {times} times, released in {seconds:.1f} s"

    def _doors(self) -> str:
        exchange, random = self._exchange, self._random
        orders: dict[str, Callable[[], None]] = {
            "reject 503": lambda: exchange.reject(503),
            "reject 429": lambda: exchange.reject(429, retry_after=5),
            "drop": lambda: exchange.drop_handshakes(1),
            "hang": lambda: exchange.hang_handshakes(1),
            "flap": lambda: exchange.flap(1, code=1012),
        }
        name = random.choice(list(orders))
        orders[name]()
        return f"the next handshake: {name}"

    def _stray(self) -> str:
        self._exchange.unknown_event()
        return "an unknown event"

    def _announce(self) -> str | None:
        if self._is_nobody_there:
            return None
        lead = self._random.choice((0.0, 1.0, 12.0, 30.0))
        return f"announce_shutdown({lead}) of {self._exchange.announce_shutdown(lead)}"

    def _later(self, seconds: float, then: Callable[[], object]) -> None:
        self._timers.append(self._loop.call_later(seconds, then))
