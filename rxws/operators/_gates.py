"""Several gates as one, each asked and watched in turn, directly: `merge` would come a turn later, behind a dial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws.events import DisconnectReason
from rxws.operators._gate import Gate
from rxws.scheduler import given

__all__ = ["Gates"]


class Gates:
    """Several gates: open while all of them are. Made once a subscription."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self._gates = gates
        self._unanswered = 0
        self._just_opened = False
        self._start: Callable[[], None] | None = None

    def begin(self, scheduler: abc.SchedulerBase, fail: Callable[[Exception], None]) -> abc.DisposableBase:
        """Begin to keep the levels."""
        return CompositeDisposable(*(gate.begin(scheduler, fail) for gate in self._gates))

    def closing(self) -> Observable[DisconnectReason]:
        """Emit once, when the first of them is closed: at once where one is."""

        def subscribe(
            observer: abc.ObserverBase[DisconnectReason],
            scheduler: abc.SchedulerBase | None = None,
        ) -> abc.DisposableBase:
            on = given(scheduler)
            watching = CompositeDisposable()
            just_opened, self._just_opened = self._just_opened, False
            self._unanswered = len(self._gates)

            def closed(gate: Gate) -> None:
                watching.dispose()
                observer.on_next(gate.reason)

            def answered(gate: Gate, is_open: bool) -> None:
                if not is_open:
                    closed(gate)
                    return
                self._unanswered -= 1
                watching.add(gate.watch(on, False, lambda: closed(gate)))
                if not self._unanswered and self._start is not None:
                    self._start()

            for gate in self._gates:
                if watching.is_disposed:
                    break
                if just_opened:
                    answered(gate, True)
                else:
                    watching.add(gate.ask(on, partial(answered, gate)))
            return watching

        return Observable(subscribe)

    def opens_in(self, scheduler: abc.SchedulerBase) -> float | None:
        """Return the seconds until the last of them opens, as far as that can be known."""
        waits = [gate.opens_in(scheduler) for gate in self._gates]
        known = [wait for wait in waits if wait is not None]
        return max(known, default=0.0) if len(known) == len(waits) else None

    def answered(self) -> Observable[None]:
        """Emit once every gate that `closing` asks has said that it is open; never from inside subscribe."""

        def subscribe(
            observer: abc.ObserverBase[None], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            turn = SerialDisposable()

            def start() -> None:
                self._start = None
                turn.disposable = given(scheduler).schedule(lambda *_: observer.on_next(None))

            self._start = start
            if not self._unanswered:
                start()
            return turn

        return Observable(subscribe)

    def opening(self) -> Observable[None]:
        """Emit once, when all of them are open."""

        def subscribe(
            observer: abc.ObserverBase[None], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            on = given(scheduler)
            asking = SerialDisposable()

            def ask(place: int) -> None:
                if asking.is_disposed:
                    return
                if place == len(self._gates):
                    # `closing`, which follows in this very turn, asks no callable again: one that answered differently
                    # every time would keep the two going for ever, without a pause.
                    self._just_opened = True
                    observer.on_next(None)
                    return
                gate, answer = self._gates[place], SerialDisposable()
                asking.disposable = answer

                def answered(is_open: bool) -> None:
                    if is_open:
                        ask(place + 1)
                    else:
                        # When it opens, an earlier one may have closed: ask them all anew.
                        answer.disposable = gate.watch(on, True, lambda: ask(0))

                waiting = gate.ask(on, answered)
                if answer.disposable is None:
                    answer.disposable = waiting

            ask(0)
            return asking

        return Observable(subscribe)
