"""Which connection of a subscription is the current one, which is to follow it, and how many sockets there are."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from reactivex import abc
from reactivex.disposable import Disposable

from rxws.events import DisconnectReason
from rxws.generation import Generation

__all__ = ["Succession"]


class Succession:
    """The connections of one subscription: what a rotation tells and asks of them (`rxws.types.Handover`).

    Args:
        now: its clock, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.current: Generation | None = None
        self.successor: Generation | None = None
        self.previous: Generation | None = None
        """The one that the current one has just taken over from, until that is told."""
        self.covered = False
        """Whether the successor could take over: the loss of the current one is no outage then."""
        self._succeeding = 0  # which try the next attempt is as a successor; 0: it is none
        self._successor_dials: Callable[[], None] = _nothing
        self._sockets: list[Generation] = []
        self._waiting_for_room: Callable[[], None] | None = None

    @property
    def sockets(self) -> int:
        """How many are open, or being closed."""
        return len(self._sockets)

    def age(self) -> float | None:
        current = self.current
        if current is None or current.ended or current.opened_time is None:
            return None
        return self.now() - current.opened_time

    def read_for(self) -> float:
        connection = None if self.current is None else self.current.connection
        return inf if connection is None else self.now() - connection.reading_since

    def room(self, then: Callable[[], None]) -> abc.DisposableBase:
        def found() -> None:
            self._waiting_for_room = None
            then()

        def forget() -> None:
            if self._waiting_for_room is found:
                self._waiting_for_room = None

        self._waiting_for_room = found
        if self.sockets <= 1:
            found()
        return Disposable(forget)

    def succeeding(self, attempt: int, dials: Callable[[], None]) -> None:
        self._succeeding, self._successor_dials = attempt, dials

    def successor_is_live(self) -> bool:
        return self.successor is not None and self.successor.is_live

    def successor_is_settled(self) -> bool:
        return self.successor is not None and not self.successor.is_settling

    def successor_delivers(self) -> None:
        self.covered = True

    def abandon(self) -> None:
        if self.successor is not None:
            self.successor.planned(DisconnectReason.SCHEDULED)

    def hand_over(self, reason: DisconnectReason, rule: str) -> None:
        assert self.current is not None and self.successor is not None
        self.previous = self.current
        self.current.replaced, self.current.replaced_by = reason, rule
        self.current, self.successor, self.covered = self.successor, None, False

    def add(self, generation: Generation) -> None:
        """Take one more attempt: as the successor where one is awaited, else as the current one."""
        if self._succeeding:
            self._succeeding, self.successor = 0, generation
        else:
            self.current = generation

    def next_attempt(self, in_a_row: int) -> int:
        """Return how manieth the next attempt is, where `in_a_row` others failed."""
        return self._succeeding or in_a_row + 1

    def dials(self, generation: Generation) -> bool:
        """Take note that `generation` is about to dial; return whether it is the successor."""
        if generation is not self.successor:
            return False
        self._successor_dials()
        return True

    def opened(self, generation: Generation) -> None:
        """Count the socket of `generation`."""
        self._sockets.append(generation)

    def gone(self, generation: Generation) -> None:
        """Count the socket of `generation` no more, and let in who waits for room."""
        self._sockets.remove(generation)
        if self.sockets <= 1 and self._waiting_for_room is not None:
            self._waiting_for_room()

    def abort(self) -> None:
        """End all connections for good, at once, those too that are being closed."""
        for generation in reversed(tuple(self._sockets)):  # the successor first: it must not take over
            if generation.connection is not None:
                generation.connection.abort()


def _nothing() -> None: ...
