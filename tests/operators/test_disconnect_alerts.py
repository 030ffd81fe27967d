"""Alerts of disconnects: the first at once, the others counted, and told when the interval ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

import rxws
from rxws.alerts import DisconnectAlert
from rxws.backoff import Backoff
from rxws.errors import ConfigError, ConnectionClosed
from rxws.events import Closed, Connecting, DisconnectReason, Event, Opened
from rxws.operators import disconnect_alerts
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.seen import COMPLETED, Seen, at

SERVER, NETWORK, PING = DisconnectReason.SERVER_CLOSED, DisconnectReason.NETWORK_ERROR, DisconnectReason.PING_TIMEOUT
BUG = ConnectionClosed(1006)


def closed(reason: DisconnectReason = NETWORK, time_ns: int = 0, *, opened: bool = True) -> Closed:
    """Return the event of an end."""
    return Closed(generation=1, origin="ws://x", time_ns=time_ns, reason=reason, error=None, uptime=1.0, opened=opened)


class Played:
    """Events into the operator, alerts out of it, in virtual time."""

    def __init__(self, virtual: TestScheduler, interval: float = 60.0) -> None:
        self.virtual = virtual
        self.events: Subject[Any] = Subject()
        self.seen = Seen(virtual, self.events.pipe(disconnect_alerts(interval)))

    def at(self, time: float, *events: Any) -> None:
        """Let events come at a time."""
        self.virtual.advance_to(time)
        for event in events:
            self.events.on_next(event)

    @property
    def timers(self) -> int:
        """How many timers run."""
        return sum(not item.is_cancelled() for item, _ in self.virtual._queue.items)

    @property
    def told(self) -> list[Any]:
        """(time, count, reason) of each alert, and how it ended."""
        return [
            (time, what.count, what.reason) if isinstance(what, DisconnectAlert) else (time, what)
            for time, what in self.seen.messages
        ]


@pytest.fixture
def played() -> Played:
    """An interval of a minute, at the time 0."""
    return Played(at(0))


def test_the_first_is_told_at_once(played: Played) -> None:
    """By itself, with what is known of the end."""
    played.at(5, closed(SERVER, time_ns=77))
    assert played.seen.messages == [(5.0, DisconnectAlert(reason=SERVER, count=1, origin="ws://x", time_ns=77))]


def test_what_follows_is_told_when_the_interval_ends(played: Played) -> None:
    """Once, with the number since the last alert, and with the last reason."""
    played.at(5, closed(SERVER))
    played.at(10, closed(NETWORK), closed(NETWORK))
    played.at(64, closed(PING))
    played.at(1000)
    assert played.told == [(5.0, 1, SERVER), (65.0, 3, PING)]


def test_two_alerts_are_an_interval_apart(played: Played) -> None:
    """One that was told by the timer counts like another."""
    for time in range(0, 200, 10):
        played.at(time, closed())
    played.at(1000)
    assert [(time, count) for time, count, _ in played.told] == [
        (0.0, 1),
        (60.0, 5),
        (120.0, 6),
        (180.0, 6),
        (240.0, 2),
    ]


def test_after_a_quiet_interval_it_is_told_at_once_again(played: Played) -> None:
    """Nothing is told meanwhile."""
    played.at(0, closed())
    played.at(500, closed())
    assert played.told == [(0.0, 1, NETWORK), (500.0, 1, NETWORK)]


def test_while_there_is_nothing_to_tell_no_timer_runs(played: Played) -> None:
    """Neither before the first, nor after an alert; one runs while something waits."""
    timers = [played.timers]
    for time, *events in [(5, closed()), (10, closed()), (20, closed()), (65,), (66,)]:
        played.at(time, *events)
        timers.append(played.timers)
    assert timers == [0, 0, 1, 1, 0, 0]


def test_an_attempt_that_failed_counts_and_other_events_do_not(played: Played) -> None:
    """Every `Closed`, opened or not; data between the events is passed over."""
    stamp: Any = {"generation": 1, "origin": "ws://x", "time_ns": 0}
    played.at(1, Connecting(**stamp, attempt=1), closed(opened=False), Opened(**stamp, took=0.1), Event(**stamp))
    played.at(2, {"e": "kline"}, "Closed", None, closed(SERVER))
    played.at(100)
    assert played.told == [(1.0, 1, NETWORK), (61.0, 1, SERVER)]


def test_what_is_left_is_told_before_the_end(played: Played) -> None:
    """And no timer is left."""
    played.at(1, closed(), closed(PING))
    played.at(2)
    played.events.on_completed()
    played.at(100)
    assert played.told == [(1.0, 1, NETWORK), (2.0, 1, PING), (2.0, COMPLETED)]


def test_what_is_left_is_told_before_the_error(played: Played) -> None:
    """The error is the source's."""
    played.at(1, closed(), closed(PING))
    played.events.on_error(BUG)
    assert played.told == [(1.0, 1, NETWORK), (1.0, 1, PING), (1.0, BUG)]


def test_an_end_without_anything_left_is_only_an_end(played: Played) -> None:
    """Nothing was ever told, and nothing is made up."""
    played.at(1)
    played.events.on_completed()
    assert played.told == [(1.0, COMPLETED)]


def test_a_subscriber_that_leaves_hears_nothing_more(played: Played) -> None:
    """The timer is gone with it, and so is the source."""
    played.at(1, closed(), closed())
    assert played.timers == 1
    played.seen.dispose()
    assert (played.timers, played.events.observers) == (0, [])
    played.at(1000)
    assert played.told == [(1.0, 1, NETWORK)]


def test_two_subscribers_are_independent() -> None:
    """The one that comes later has its own first alert, and its own interval."""
    virtual, events = at(0), Subject[Any]()
    alerts = events.pipe(disconnect_alerts(60.0))
    first = Seen(virtual, alerts)
    events.on_next(closed())
    virtual.advance_to(30)
    second = Seen(virtual, alerts)
    events.on_next(closed())
    virtual.advance_to(100)
    assert [time for time, _ in first.messages] == [0.0, 60.0]
    assert [time for time, _ in second.messages] == [30.0]


def test_what_a_subscriber_raises_in_the_timers_turn_ends_it() -> None:
    """It is told to whoever runs the clock, and the subscription is disposed."""
    virtual, events = at(0), Subject[Any]()
    seen: list[int] = []

    def told(alert: DisconnectAlert) -> None:
        seen.append(alert.count)
        if len(seen) == 2:
            raise KeyError("a bug of the subscriber's")

    events.pipe(disconnect_alerts(60.0)).subscribe(told, scheduler=virtual)
    events.on_next(closed())
    events.on_next(closed())
    with pytest.raises(KeyError, match="a bug"):
        virtual.advance_to(100)
    assert (seen, events.observers) == ([1, 1], [])


async def test_on_a_loop_an_exception_goes_to_the_loops_handler() -> None:
    """As everywhere; the interval is so short that nothing is waited out."""
    reported: asyncio.Queue[Any] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.put_nowait(context["exception"]))
    events = Subject[Any]()
    seen: list[int] = []

    def told(alert: DisconnectAlert) -> None:
        seen.append(alert.count)
        if len(seen) == 2:
            raise KeyError("a bug of the subscriber's")

    events.pipe(disconnect_alerts(0.01)).subscribe(told)
    events.on_next(closed())
    events.on_next(closed())
    assert isinstance(await reported.get(), KeyError)
    assert events.observers == []


def test_the_events_of_a_stream_may_be_listened_to_before_any_loop_runs() -> None:
    """The loop is looked for when there is something to tell."""
    events = Subject[Event]()
    told: list[int] = []
    events.pipe(disconnect_alerts()).subscribe(lambda alert: told.append(alert.count))
    transport = ScriptedTransport(Attempt.closes(0.0), Attempt.refused())
    stream = rxws.ws_observable("ws://scripted", transport=transport, retry=None, events=events)
    with pytest.raises(ConnectionClosed):
        rxws.run(stream)
    events.on_completed()
    assert told == [1]


def test_a_whole_stream_is_told_of() -> None:
    """Losses and a failed dial while it comes back; its own end too."""
    virtual = at(0)
    transport = ScriptedTransport(Attempt.closes(10.0), Attempt.refused(), Attempt.closes(10.0, 1001), Attempt())
    stream = rxws.ws_observable(
        "ws://scripted",
        transport=transport,
        retry=Backoff.fixed(5.0),
        lifecycle=True,
        max_age=500.0,
        max_age_jitter=0.0,
    )
    planned = ops.take_while(lambda value: not isinstance(value, Closed) or value.error is not None, inclusive=True)
    seen = Seen(virtual, stream.pipe(planned, disconnect_alerts(100.0)))
    virtual.advance_to(1000)
    told = [(time, alert.count, alert.reason) for time, alert in seen.messages[:-1]]
    assert told == [(10.0, 1, NETWORK), (110.0, 2, SERVER), (535.0, 1, DisconnectReason.CONNECTION_LIMIT)]


@pytest.mark.parametrize("interval", [0.0, -1.0, None, "60", True], ids=repr)
def test_an_interval_is_a_positive_number_of_seconds(interval: Any) -> None:
    """Refused when the operator is made."""
    with pytest.raises(ConfigError) as refused:
        disconnect_alerts(interval)

    assert refused.value.field == "interval"
