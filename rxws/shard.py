"""One of the connections that topics are spread over: who wants what of it, and what they get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.desired import Topics
from rxws.dialogue import Told
from rxws.errors import RxwsError
from rxws.events import Event, Rejected, Stale, TopicChanged, TopicStatus
from rxws.lingering import linger
from rxws.market import MarketEvent
from rxws.options import StreamOptions
from rxws.scheduler import RAISED, report_aside, whose_time
from rxws.standing import Patience
from rxws.venue import Venue
from rxws.venue_observable import Failure, raises
from rxws.venue_stream import venue_stream

__all__ = ["Shard", "Tuning"]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What all connections of a `multiplex` have in common; its arguments."""

    venue: Venue
    base: str | None
    patience: Patience
    on_rejected: Failure
    on_silent: Failure
    linger: float
    most: int | None
    options: StreamOptions


@dataclass(eq=False, slots=True)
class Member:
    """One who wants a topic."""

    observer: abc.ObserverBase[MarketEvent | Event]
    lifecycle: bool
    scheduler: abc.SchedulerBase
    is_here: bool = True


class Shard:
    """One connection, from the first who wants something of it to the last.

    That it outlives its subscribers is its purpose. One that raises is disposed alone, and told to the loop's handler.

    Args:
        tuning: what all connections have in common.
        endpoint: which of the venue's it leads to.
    """

    def __init__(self, tuning: Tuning, endpoint: str) -> None:
        self.topics = Topics()
        self._tuning = tuning
        self._endpoint = endpoint
        self._members: dict[str, tuple[Member, ...]] = {}
        self._lingering: dict[str, abc.DisposableBase] = {}
        self._fading = SerialDisposable()
        self._running: SerialDisposable | None = None
        self._scheduler: abc.SchedulerBase | None = None
        self._whose: Hashable = None

    @property
    def has_room(self) -> bool:
        """Whether it may have one more topic."""
        most = self._tuning.most
        return most is None or len(self.topics) < most

    @property
    def is_lost(self) -> bool:
        """Whether its event loop was closed under it: nothing comes of it any more."""
        return isinstance(self._whose, asyncio.AbstractEventLoop) and self._whose.is_closed()

    def join(
        self,
        topic: str,
        observer: abc.ObserverBase[MarketEvent | Event],
        lifecycle: bool,
        scheduler: abc.SchedulerBase,
    ) -> Callable[[], None]:
        """Hand what happens by `topic` to `observer`, until what is returned is called."""
        member = Member(observer, lifecycle, scheduler)
        lingering = self._lingering.pop(topic, None)
        if lingering is not None:
            lingering.dispose()
        there = self._members.get(topic, ())
        # What is refused is asked for again for whoever comes; what is silent, for the first who comes.
        self._members[topic] = (*there, member)
        self.topics.add(topic)
        status = self.topics.status(topic)
        if status is TopicStatus.REJECTED or (status is TopicStatus.TIMED_OUT and not there):
            self.topics.renew(topic)
        self._begin(scheduler)
        return lambda: self._leave(topic, member)

    def _begin(self, scheduler: abc.SchedulerBase) -> None:
        if self._running is not None:
            return
        self._scheduler, self._whose = scheduler, whose_time(scheduler)
        running = self._running = SerialDisposable()
        told = venue_stream(
            self._tuning.venue,
            self.topics,
            self._endpoint,
            self._tuning.base,
            self._tuning.patience,
            self._failed,
            **self._tuning.options,
        )
        running.disposable = told.subscribe(self._on_next, self._on_error, self._on_completed, scheduler=scheduler)

    def _leave(self, topic: str, member: Member) -> None:
        if not member.is_here:
            return
        member.is_here = False
        staying = tuple(each for each in self._members.get(topic, ()) if each is not member)
        if staying:
            self._members[topic] = staying
        elif self._members.pop(topic, None) is not None:
            self._linger(topic)

    def _linger(self, topic: str) -> None:
        if not self._tuning.linger or self._scheduler is None:
            self._give_up(topic)
            return
        self._lingering[topic] = linger(self._scheduler, self._tuning.linger, lambda: self._give_up(topic))

    def _give_up(self, topic: str) -> None:
        self._lingering.pop(topic, None)
        if topic not in self._members:
            self.topics.discard(topic)
            if not self.topics:
                self._end()

    # What comes

    def _on_next(self, value: Told | Event) -> None:
        if isinstance(value, Event):
            self._tell(value)
        elif value.topic is not None:
            for event in value.events:
                self._hand_to(value.topic, event)

    def _tell(self, event: Event) -> None:
        topic = event.topic if isinstance(event, TopicChanged | Rejected | Stale) else None
        for each in [topic] if topic is not None else tuple(self._members):
            self._hand_to(each, event)

    def _hand_to(self, topic: str, value: MarketEvent | Event) -> None:
        is_event = isinstance(value, Event)
        raised: list[tuple[BaseException, Member]] = []
        for member in self._members.get(topic, ()):
            if member.is_here and (member.lifecycle or not is_event):
                try:
                    member.observer.on_next(value)
                except RAISED as error:
                    self._leave(topic, member)
                    raised.append((error, member))
        _report(raised)

    # The end

    def _failed(self, topic: str, error: RxwsError) -> bool:
        """It is the error of those who want the topic; to the connection, which has others, it never is."""
        if not raises(error, self._tuning.on_rejected, self._tuning.on_silent):
            return False
        members = self._members.pop(topic, ())
        lingering = self._lingering.pop(topic, None)
        if lingering is not None:
            lingering.dispose()
        self.topics.discard(topic)
        self._tell_end(members, lambda observer: observer.on_error(error))
        if not self.topics:
            self._fade()
        return False

    def end_lingering(self) -> None:
        """Give up now what nobody wants any more."""
        for topic in tuple(self._lingering):
            self._lingering[topic].dispose()
            self._give_up(topic)
        self._faded()

    def _fade(self) -> None:
        """Who was told an error may come back for the topic: the connection lingers as topics do."""
        if not self._tuning.linger or self._scheduler is None:
            self._end()
        else:
            self._fading.disposable = linger(self._scheduler, self._tuning.linger, self._faded)

    def _faded(self) -> None:
        if not self.topics:
            self._end()

    def _on_error(self, error: Exception) -> None:
        self._over(lambda observer: observer.on_error(error))

    def _on_completed(self) -> None:
        self._over(lambda observer: observer.on_completed())

    def _over(self, tell: Callable[[abc.ObserverBase[MarketEvent | Event]], None]) -> None:
        members = [member for each in self._members.values() for member in each]
        self._members.clear()
        self.topics.replace(())
        self._end()
        self._tell_end(tuple(members), tell)

    def _tell_end(
        self, members: tuple[Member, ...], tell: Callable[[abc.ObserverBase[MarketEvent | Event]], None]
    ) -> None:
        raised: list[tuple[BaseException, Member]] = []
        for member in members:
            if member.is_here:
                member.is_here = False
                try:
                    tell(member.observer)
                except RAISED as error:
                    raised.append((error, member))
        _report(raised)

    def _end(self) -> None:
        for timer in self._lingering.values():
            timer.dispose()
        self._lingering.clear()
        self._fading.disposable = Disposable()
        running, self._running = self._running, None
        if running is not None:
            running.dispose()


def _report(raised: list[tuple[BaseException, Member]]) -> None:
    for problem, member in raised:
        report_aside(problem, member.scheduler)
