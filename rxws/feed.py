"""A venue's topics as observables, each over a connection of its own or over shared ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Unpack, cast

import reactivex as rx
from reactivex import Observable, abc
from reactivex import operators as ops

from rxws import operators as wsops
from rxws._sliding import TICK
from rxws.book_fetch import Get
from rxws.desired import Topics
from rxws.errors import ConfigError
from rxws.events import TopicStatus
from rxws.multiplex import Multiplex, multiplex
from rxws.operators._whole_first import whole_first
from rxws.options import StreamOptions
from rxws.scheduler import given, whose_time
from rxws.topical import Pipeline, Topical
from rxws.venue import Venue
from rxws.venue_observable import Failure, FirstData, venue_observable

__all__ = ["Feed", "FeedOptions", "Get", "MultiplexOptions", "SharedFeed"]


LONGEST = 60.0
"""Seconds between two times that a snapshot is asked for, however many have brought none."""


class FeedOptions(StreamOptions, total=False):
    """The keywords of `venue_observable`."""

    base: str | None
    ack_timeout: float | None
    first_data_timeout: FirstData
    on_rejected: Failure
    on_silent: Failure


class MultiplexOptions(FeedOptions, total=False):
    """The keywords of `multiplex`."""

    linger: float
    topics_per_connection: int | None


class Feed(Topical):
    """A venue of which each subscription has a connection of its own.

    Args:
        venue: a module of `rxws.exchanges`.
        options: those of `venue_observable`, for all its observables.
    """

    def __init__(self, venue: Venue, **options: Unpack[FeedOptions]) -> None:
        super().__init__(venue)
        self._options = options

    def __repr__(self) -> str:
        return f"<Feed of {self.venue.NAME}>"

    def configured(self, **options: Unpack[FeedOptions]) -> Feed:
        """Return the same venue with other options, such as `base`, a test server's scheme and host.

        Raises:
            ConfigError: one is wrong.

        >>> from rxws.feeds import deribit
        >>> test = deribit.configured(base="wss://test.deribit.com")
        """
        if "lifecycle" in options:
            raise ConfigError("lifecycle", "each method has one of its own; take trades(symbol, lifecycle=True)")
        feed = Feed(self.venue, **cast(FeedOptions, {**self._options, **options}))
        venue_observable(self.venue, Topics(), **feed._options)  # what is wrong with them is said now
        return feed

    def shared(self, **options: Unpack[MultiplexOptions]) -> SharedFeed:
        """Return the same venue with all topics over as few connections as it takes; see `multiplex`."""
        return SharedFeed(multiplex(self.venue, **cast(MultiplexOptions, {**self._options, **options})))

    def _topics(self, topics: Sequence[str], pipeline: Pipeline) -> Observable[Any]:
        # What is wrong with the options is said now, and not to whoever subscribes.
        venue_observable(self.venue, topics, lifecycle=True, **self._options)

        def made(_: object) -> Observable[Any]:
            wanted = Topics(topics)
            return pipeline(venue_observable(self.venue, wanted, lifecycle=True, **self._options), wanted.renew)

        return rx.defer(made)

    def _changes(self, topic: str, has_beginning: bool) -> Observable[Any]:
        return self._events(topic)

    def _book(self, topic: str, key: Hashable, pipeline: Pipeline) -> Observable[Any]:
        return self._topics([topic], pipeline)


class SharedFeed(Topical):
    """A venue whose connections are shared; `multiplex` says how, and where each topic stands.

    A book is one for all who read it at the same time, if they mend it alike, and whole for whoever comes later.
    """

    def __init__(self, multiplex: Multiplex) -> None:
        super().__init__(multiplex.venue)
        self.multiplex = multiplex
        # With whose time it is: those of a loop that was closed under them are never heard of again.
        self._shared: dict[Hashable, tuple[Hashable, Observable[Any]]] = {}

    @property
    def statuses(self) -> dict[str, TopicStatus]:
        """Where each topic stands that somebody wants, or that lingers."""
        return self.multiplex.statuses

    def end_lingering(self) -> None:
        """End now what nobody wants any more."""
        self.multiplex.end_lingering()

    def __repr__(self) -> str:
        return f"<SharedFeed of {self.venue.NAME}: {len(self.multiplex.statuses)} topics>"

    def _topics(self, topics: Sequence[str], pipeline: Pipeline) -> Observable[Any]:
        # The first is what is asked for, and tells of its connection; what stands beside it has the same one.
        first, *others = topics
        events: Observable[Any] = self.multiplex.observe(first, lifecycle=True)
        if others:
            events = rx.merge(events, *(self.multiplex[topic] for topic in others))
        return rx.defer(lambda _: pipeline(events, self.multiplex.renew))

    def _changes(self, topic: str, has_beginning: bool) -> Observable[Any]:
        events = self._events(topic)
        return (
            events.pipe(whole_first(self._one((topic, "asked for"), self._asking(topic)))) if has_beginning else events
        )

    def _asking(self, topic: str) -> Observable[Any]:
        """Ask for a snapshot for as long as somebody waits for one, and where none is on its way."""

        def ask(_: object) -> None:
            if self.multiplex.status(topic) is TopicStatus.LIVE:
                self.multiplex.renew(topic)

        def longer(wait: float) -> float:
            return min(max(1.0, 2.0 * wait), LONGEST)

        times = rx.generate_with_relative_time(TICK, lambda _: True, longer, lambda wait: wait)
        return times.pipe(ops.do_action(ask), ops.ignore_elements())

    def _book(self, topic: str, key: Hashable, pipeline: Pipeline) -> Observable[Any]:
        return self._one(key, self._topics([topic], pipeline))

    def _one(self, key: Hashable, made: Observable[Any]) -> Observable[Any]:
        """Return what is one subscription of `made` for all who want it at the same time."""

        def shared(scheduler: abc.SchedulerBase) -> Observable[Any]:
            whose = whose_time(given(scheduler))
            known = self._shared.get(key)
            if known is not None and known[0] is whose:
                return known[1]

            def forgotten() -> None:
                if self._shared.get(key) is mine:
                    del self._shared[key]

            mine = self._shared[key] = (whose, made.pipe(ops.finally_action(forgotten), wsops.share_live()))
            return mine[1]

        return rx.defer(shared)
