"""Many topics of a venue over as few connections as it takes, counted by reference."""

from __future__ import annotations

from typing import Literal, Unpack, overload

from reactivex import Observable, abc
from reactivex.disposable import Disposable

from rxws.arguments import whole, zero_or_more
from rxws.desired import Topics
from rxws.errors import ConfigError
from rxws.events import Event, TopicStatus
from rxws.market import MarketEvent
from rxws.options import StreamOptions, check_flags
from rxws.scheduler import given
from rxws.shard import Shard, Tuning
from rxws.venue import Venue
from rxws.venue_observable import Failure, FirstData, check_failures
from rxws.venue_stream import check_options, patience

__all__ = ["Multiplex", "multiplex"]


def multiplex(
    venue: Venue,
    *,
    base: str | None = None,
    linger: float = 5.0,
    topics_per_connection: int | None = None,
    ack_timeout: float | None = 10.0,
    first_data_timeout: FirstData = 60.0,
    on_rejected: Failure = "raise",
    on_silent: Failure = "tell",
    **options: Unpack[StreamOptions],
) -> Multiplex:
    """Share the connections to a venue among all who want something of it: `mux[topic]` is the topic's observable.

    ::

        mux[a]    ──a1──a2──a3──a4──…
        mux[b]          ──b1──────b2──…
        wire      └a      └b              one connection, and what is wanted on it

    The first subscriber of a topic subscribes it on the wire, the last one's leaving unsubscribes it, `linger` seconds
    later. More topics than a connection may have are spread over several; a topic stays on its connection for as long
    as somebody wants it, whatever becomes of the others, and no reconnect moves one. The connections are dialled as
    often as the venue allows, or as `dials` says. When nobody wants anything, there is no connection.

    Args:
        venue: a module of `rxws.exchanges`.
        base: scheme and host in place of the venue's own, such as a test server's; None: its own.
        linger: seconds that a topic stays subscribed after its last subscriber has left, 0 or more.
        topics_per_connection: how many a connection is to have at most, 1 or more; None: as many as the venue takes
            (`RULES.topics`), or any number.
        ack_timeout, first_data_timeout: see `venue_observable`.
        on_rejected: what becomes of a topic that the venue refuses: "raise" makes it the error of its subscribers, and
            of no others; "tell" tells it as the event `Rejected` only.
        on_silent: what becomes of one that is not acknowledged, or brings nothing, in time: "raise", or "tell".
        options: those of `ws_observable`, but for what the venue answers for; each connection is given them. What
            `stats` counts, and `events` hears, is of all of them; `topic_timeout` tells a topic's silence as `Stale`.

    Raises:
        ConfigError: an argument is wrong.

    >>> import asyncio, reactivex as rx, rxws
    >>> from reactivex import operators as ops
    >>> from rxws.exchanges import binance
    >>> from rxws.testing import SimulatedExchange
    >>> async def main():
    ...     async with SimulatedExchange("binance", rate=200.0) as exchange:
    ...         mux = rxws.multiplex(binance, base=exchange.url, linger=0.0)
    ...         both = rx.merge(mux[binance.trades("BTCUSDT")], mux[binance.trades("ETHUSDT")])
    ...         symbols = {trade.symbol async for trade in rxws.aiter(both.pipe(ops.take(50)))}
    ...         return sorted(symbols), exchange.handshakes_accepted
    >>> asyncio.run(main())
    (['BTCUSDT', 'ETHUSDT'], 1)
    """
    check_options(venue, base, options)
    check_failures(on_rejected=on_rejected, on_silent=on_silent)
    zero_or_more("linger", linger)
    whole("topics_per_connection", topics_per_connection, optional=True)
    most = venue.RULES.topics
    if most is not None and topics_per_connection is not None and topics_per_connection > most:
        raise ConfigError("topics_per_connection", f"{topics_per_connection} are more than the {most} of a connection")
    waits = patience(ack_timeout, first_data_timeout)
    tuning = Tuning(venue, base, waits, on_rejected, on_silent, linger, topics_per_connection or most, options)
    return Multiplex(tuning)


class Multiplex:
    """What `multiplex` makes of a venue: an observable for each topic, and where each topic stands."""

    # With `__getitem__` alone, `for` and `in` would ask for one topic after the other without an end.
    __iter__ = None

    def __init__(self, tuning: Tuning) -> None:
        self.venue = tuning.venue
        self._tuning = tuning
        self._shards: dict[str, list[Shard]] = {}

    def __getitem__(self, topic: str) -> Observable[MarketEvent]:
        """Return the observable of what happens by a topic.

        Raises:
            ConfigError: it is no topic of this venue.
        """
        return self.observe(topic)

    @overload
    def observe(self, topic: str, *, lifecycle: Literal[False] = False) -> Observable[MarketEvent]: ...
    @overload
    def observe(self, topic: str, *, lifecycle: bool) -> Observable[MarketEvent | Event]: ...
    def observe(self, topic: str, *, lifecycle: bool = False) -> Observable[MarketEvent | Event]:
        """Return the observable of what happens by a topic.

        Args:
            topic: as the venue's module makes it.
            lifecycle: whether events travel in it too: those of its connection, and of this topic.

        Raises:
            ConfigError: it is no topic of this venue.
        """
        check_flags(lifecycle=lifecycle)
        Topics([topic])
        endpoint = self._tuning.venue.endpoint(topic)

        def subscribe(
            observer: abc.ObserverBase[MarketEvent | Event], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            on = given(scheduler)
            shard = self._shard(endpoint, topic)
            return Disposable(shard.join(topic, observer, lifecycle, on))

        return Observable(subscribe)

    def renew(self, topic: str) -> bool:
        """Unsubscribe a topic on the wire and subscribe it again: some venues then send their book as a whole.

        Return whether it is subscribed, or lingers; one that is not is ignored.
        """
        shard = self._of(topic)
        return shard is not None and shard.topics.renew(topic)

    def reconnect(self, topic: str) -> bool:
        """End the connection of a topic as lost, with all its other topics: the next one asks for all of them anew.

        Return whether it is subscribed, or lingers; one that is not is ignored.
        """
        shard = self._of(topic)
        if shard is not None:
            shard.topics.reconnect()
        return shard is not None

    def end_lingering(self) -> None:
        """End what lingers now; topics that somebody still wants stay."""
        # One without a topic may linger too; and who hears of an end may come for another topic.
        for shard in [shard for shards in self._shards.values() for shard in shards]:
            shard.end_lingering()

    def status(self, topic: str) -> TopicStatus | None:
        """Return where a topic stands; None: nobody wants it, and it does not linger."""
        shard = self._of(topic)
        return None if shard is None else shard.topics.status(topic)

    @property
    def statuses(self) -> dict[str, TopicStatus]:
        """Where each topic stands that somebody wants, or that lingers."""
        return {topic: status for shard in self._all() for topic, status in shard.topics.statuses.items()}

    @property
    def connections(self) -> tuple[tuple[str, ...], ...]:
        """The topics of each connection."""
        return tuple(tuple(shard.topics) for shard in self._all())

    def _of(self, topic: str) -> Shard | None:
        return next((shard for shard in self._all() if topic in shard.topics), None)

    def _all(self) -> list[Shard]:
        return [shard for shards in self._shards.values() for shard in shards if shard.topics and not shard.is_lost]

    def _shard(self, endpoint: str, topic: str) -> Shard:
        """The connection that has the topic, or else the first that has room for it."""
        shards = self._shards[endpoint] = [shard for shard in self._shards.get(endpoint, []) if not shard.is_lost]
        there = next((shard for shard in shards if topic in shard.topics), None)
        free = there or next((shard for shard in shards if shard.has_room), None)
        if free is None:
            free = Shard(self._tuning, endpoint)
            shards.append(free)
        return free
