"""The handover of connections that nobody keeps a journal of."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from reactivex import abc
from reactivex.disposable import Disposable

from rxws.events import DisconnectReason
from rxws.types import Silence

__all__ = ["Alone"]


class Alone(Silence):
    """It knows no sockets: an age counts from the subscription or the cut, and there is always room.

    Args:
        now: the scheduler's clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began: float | None = None

    def age(self) -> float | None:
        return None if self._began is None else self._now() - self._began

    def read_for(self) -> float:
        return inf

    def room(self, then: Callable[[], None]) -> abc.DisposableBase:
        if self._began is None:  # what asks first is the first connection
            self._began = self._now()
        then()
        return Disposable()

    def succeeding(self, attempt: int, dials: Callable[[], None]) -> None:
        dials()

    def successor_is_live(self) -> bool:
        return True

    def successor_is_settled(self) -> bool:
        return True

    def successor_delivers(self) -> None: ...

    def abandon(self) -> None: ...

    def hand_over(self, reason: DisconnectReason, rule: str) -> None:
        self._began = self._now()

    def handed_over(self) -> None: ...

    def is_final(self, error: Exception | None) -> bool:
        return False
