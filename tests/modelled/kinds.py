"""What readers have in common, and one stream of topics that change."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from rxws import venue_observable
from rxws.desired import Topics
from rxws.events import Event, TopicStatus
from rxws.market import MarketEvent
from tests.modelled.faults import Operation
from tests.modelled.market import by_message
from tests.modelled.trial import Trial

__all__ = ["Kind", "Stream"]


class Kind(ABC):
    """Readers of one kind, what they do at random, and what the model says of them."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.place = trial.place
        self.random = trial.random
        self.linger = 0.0

    @property
    @abstractmethod
    def operations(self) -> list[Operation]:
        """What they do."""

    @property
    @abstractmethod
    def wanted(self) -> set[str]:
        """What they want, of what the venue may have refused too."""

    @property
    @abstractmethod
    def statuses(self) -> dict[str, TopicStatus]:
        """Where each topic stands."""

    @abstractmethod
    def marks(self) -> Callable[[Sequence[MarketEvent]], list[str]]:
        """Return what says, of all that has happened from now on, what is wrong with what the readers got."""

    @abstractmethod
    def problems(self) -> list[str]:
        """What is wrong with all that the readers got."""

    @abstractmethod
    def leave(self) -> None:
        """Nobody wants anything any more."""


class Stream(Kind):
    """One `venue_observable`, whose topics change."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        module = self.place.module
        self.pool = self.place.pool(self.random.choice(list(module.ENDPOINTS)))
        self.topics = Topics()
        self.seen: list[MarketEvent] = []
        self.discarded: dict[str, float] = {}
        stream = venue_observable(module, self.topics, base=trial.exchange.url, lifecycle=True, on_rejected="tell")
        self.running = trial.as_client(stream.subscribe, self._take, self._fail)

    def _take(self, value: MarketEvent | Event) -> None:
        if isinstance(value, Event):
            return
        topic, now = self.place.topic_of(value), asyncio.get_running_loop().time()
        # What nobody wants any more is given up a turn later.
        if topic not in self.topics and self.discarded.get(topic) != now:
            self.trial.problems.append(f"{topic} came, which nobody wants")
        self.seen.append(by_message(value))

    def _fail(self, error: Exception) -> None:
        self.trial.problems.append(f"the stream ended by {error!r}")

    @property
    def operations(self) -> list[Operation]:
        return [self._add, self._add, self._add, self._discard, self._discard, self._replace, self._renew, self._cut]

    def _some(self, most: int) -> list[str]:
        return self.random.sample(self.pool, self.random.randint(1, min(most, len(self.pool))))

    def _add(self) -> str:
        topics = self._some(3)
        self.trial.as_client(self.topics.add, *topics)
        return f"add {topics}"

    def _discard(self) -> str | None:
        topics = [topic for topic in self.topics if self.random.random() < 0.4]
        self._gone(topics)
        self.trial.as_client(self.topics.discard, *topics)
        return f"discard {topics}" if topics else None

    def _replace(self) -> str:
        topics = self._some(4) if self.random.random() < 0.9 else []
        self._gone([topic for topic in self.topics if topic not in topics])
        self.trial.as_client(self.topics.replace, topics)
        return f"replace by {topics}"

    def _gone(self, topics: Sequence[str]) -> None:
        self.discarded |= dict.fromkeys(topics, asyncio.get_running_loop().time())

    def _renew(self) -> str:
        (topic,) = self._some(1)
        return f"renew {topic}: {self.trial.as_client(self.topics.renew, topic)}"

    def _cut(self) -> str | None:
        if self.random.random() < 0.5:
            return None
        self.trial.as_client(self.topics.reconnect)
        return "reconnect"

    @property
    def wanted(self) -> set[str]:
        return set(self.topics)

    @property
    def statuses(self) -> dict[str, TopicStatus]:
        return self.topics.statuses

    def marks(self) -> Callable[[Sequence[MarketEvent]], list[str]]:
        before = len(self.seen)

        def check(happened: Sequence[MarketEvent]) -> list[str]:
            due = [event for event in happened if self.place.topic_of(event) in self.topics]
            came = self.seen[before:]
            return [] if came == due else [f"of {len(due)} events {len(came)} came, or in another order"]

        return check

    def problems(self) -> list[str]:
        by_topic: dict[str, list[MarketEvent]] = {}
        for event in self.seen:
            by_topic.setdefault(self.place.topic_of(event), []).append(event)
        return [text for topic, seen in by_topic.items() if (text := self.trial.strays(topic, seen))]

    def leave(self) -> None:
        self.trial.as_client(self.running.dispose)
