"""The topics that are wanted of a venue, and where each of them stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from rxws.errors import ConfigError
from rxws.events import TopicStatus

__all__ = ["Asker", "Topics"]

BEST_FIRST = (
    TopicStatus.LIVE,
    TopicStatus.ACKNOWLEDGED,
    TopicStatus.REQUESTED,
    TopicStatus.TIMED_OUT,
    TopicStatus.REJECTED,
)


class Asker(Protocol):
    """Who asks for topics on one connection."""

    @property
    def statuses(self) -> Mapping[str, TopicStatus]:
        """Where each topic stands that it has asked for."""

    def changed(self) -> None:
        """Other topics are wanted now."""

    def renew(self, topic: str) -> None:
        """A topic is wanted anew: to be ended and asked for again."""

    def reconnect(self) -> None:
        """A new socket is wanted."""


class Topics:
    """The topics that are wanted, to be changed at any time, and where each stands.

    Give it to `venue_observable` in place of a list of topics: what is added is subscribed, what is discarded is
    unsubscribed, and every new connection asks for all. Where several subscriptions are given one, all of them follow
    it, and `status` tells where a topic stands with the one that has got furthest.

    Args:
        wanted: topics as the venue's module makes them, such as ``binance.trades("BTCUSDT")``.

    Raises:
        ConfigError: one is no string.

    >>> topics = Topics(["btcusdt@trade"])
    >>> topics.add("ethusdt@trade")
    >>> list(topics), topics.status("ethusdt@trade"), topics.status("bnbusdt@trade")
    (['btcusdt@trade', 'ethusdt@trade'], <TopicStatus.REQUESTED: 'requested'>, None)
    """

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        self._wanted = dict.fromkeys(_checked(wanted))
        self._askers: list[Asker] = []

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._wanted))

    def __len__(self) -> int:
        return len(self._wanted)

    def __contains__(self, topic: object) -> bool:
        return topic in self._wanted

    def add(self, *topics: str) -> None:
        """Want these too."""
        new = [topic for topic in _checked(topics) if topic not in self._wanted]
        self._wanted.update(dict.fromkeys(new))
        self._changed(bool(new))

    def discard(self, *topics: str) -> None:
        """Want these no more; what is not wanted anyway is ignored."""
        gone = [topic for topic in dict.fromkeys(_checked(topics)) if topic in self._wanted]
        for topic in gone:
            del self._wanted[topic]
        self._changed(bool(gone))

    def replace(self, topics: Iterable[str]) -> None:
        """Want these, and no others."""
        wanted = dict.fromkeys(_checked(topics))
        # Those that stay keep their place, so that nothing is asked for in another order than it was.
        staying = {topic: None for topic in self._wanted if topic in wanted}
        is_other = len(staying) != len(self._wanted) or len(staying) != len(wanted)
        self._wanted = staying | wanted
        self._changed(is_other)

    def renew(self, topic: str) -> bool:
        """End the subscription of a topic on the wire and begin it again: some venues then send their book as a whole.

        Return whether it is wanted; one that is not is ignored.
        """
        is_wanted = topic in self._wanted
        if is_wanted:
            for asker in tuple(self._askers):
                asker.renew(topic)
        return is_wanted

    def reconnect(self) -> None:
        """End the connection as lost: all is asked for anew on the next, behind a back-off like any other loss."""
        for asker in tuple(self._askers):
            asker.reconnect()

    def status(self, topic: str) -> TopicStatus | None:
        """Return where a topic stands: on the best of several connections; None: it is not wanted.

        One that is wanted while there is no connection is `REQUESTED`.
        """
        if topic not in self._wanted:
            return None
        statuses = {asker.statuses[topic] for asker in self._askers if topic in asker.statuses}
        return next((status for status in BEST_FIRST if status in statuses), TopicStatus.REQUESTED)

    @property
    def statuses(self) -> dict[str, TopicStatus]:
        """Where each stands, in the order in which they were wanted."""
        return {topic: self.status(topic) or TopicStatus.REQUESTED for topic in self._wanted}

    def join(self, asker: Asker) -> None:
        """Tell `asker` of every change, until it leaves."""
        self._askers.append(asker)

    def leave(self, asker: Asker) -> None:
        """Tell `asker` nothing more."""
        if asker in self._askers:
            self._askers.remove(asker)

    def _changed(self, is_other: bool) -> None:
        if is_other:
            for asker in tuple(self._askers):
                asker.changed()


def _checked(topics: Iterable[str]) -> list[str]:
    if isinstance(topics, str | bytes):
        raise ConfigError("topics", f"{topics!r} is one string, which is letters; take a list of topics")
    if not isinstance(topics, Iterable):
        raise ConfigError("topics", f"{topics!r} is no collection; take a list of topics")
    found = list(topics)
    for topic in found:
        if not isinstance(topic, str) or not topic:
            raise ConfigError("topics", f"{topic!r} is no topic; take strings, such as binance.trades('BTCUSDT')")
    return found
