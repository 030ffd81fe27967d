"""After a sleep each connection is asked whether it is still there, and what has failed is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from reactivex.testing import TestScheduler

from rxws import Backoff, Rotation, ws_observable
from rxws.controls import Controls
from rxws.errors import HandshakeRejected, PingTimeout
from rxws.events import Closed, Connecting, DisconnectReason, Event, Opened, Rotated, Suspended, Waiting
from rxws.testing import Attempt, ScriptedTransport

SLEPT = 3_600.0


class Sleeper:
    """A stream in virtual time, on a machine that sleeps when it is told to."""

    def __init__(self, *attempts: Attempt, **options: Any) -> None:
        self.virtual, self.transport = TestScheduler(), ScriptedTransport(*attempts)
        self.controls = Controls()
        self.events: list[tuple[float, Event]] = []
        self.values: list[Any] = []
        stream = ws_observable(
            "ws://scripted",
            **{
                "transport": self.transport,
                "events": lambda event: self.events.append((self.virtual.clock, event)),
                "controls": self.controls,
                "random": lambda: 0.0,
                "retry": Backoff(initial=2.0, cap=60.0),
                **options,
            },
        )
        self.subscription = stream.subscribe(self.values.append, scheduler=self.virtual)

    def to(self, seconds: float) -> Sleeper:
        """Let time pass."""
        self.virtual.advance_to(seconds)
        return self

    def sleeps(self) -> Sleeper:
        """Say, as the watchman does, that the machine slept."""
        assert self.controls.life is not None
        self.controls.life.suspended(SLEPT)
        return self

    def of(self, kind: type[Event]) -> list[tuple[float, Any]]:
        """The events of a kind."""
        return [(at, event) for at, event in self.events if isinstance(event, kind)]

    @property
    def pings(self) -> list[int]:
        """How many each connection has sent."""
        return [dialed.pings for dialed in self.transport.dials]


INTERVALS = pytest.mark.parametrize("interval", [20.0, None])
TIMEOUTS = pytest.mark.parametrize("timeout", [20.0, None])


@INTERVALS
@TIMEOUTS
def test_a_connection_that_is_still_there_stays(interval: float | None, timeout: float | None) -> None:
    """It is told, a ping goes, its pong comes, and nothing else happens; pings go on as before."""
    sleeper = Sleeper(Attempt(), ping_interval=interval, ping_timeout=timeout).to(7.0).sleeps().to(8.0)
    [(at, suspended)] = sleeper.of(Suspended)
    assert (at, suspended.seconds, suspended.generation, sleeper.pings) == (7.0, SLEPT, 1, [1])
    sleeper.to(100.0)
    assert (len(sleeper.transport.dials), sleeper.pings) == (1, [1 if interval is None else 5])


@INTERVALS
@TIMEOUTS
def test_a_connection_that_is_gone_is_lost_after_five_seconds(interval: float | None, timeout: float | None) -> None:
    """However long its pongs may take else, and though it sends no pings."""
    sleeper = Sleeper(Attempt(pongs=False), ping_interval=interval, ping_timeout=timeout).to(7.0).sleeps().to(13.0)
    [(at, closed)] = sleeper.of(Closed)
    assert (at, closed.reason) == (12.0, DisconnectReason.PING_TIMEOUT)
    assert isinstance(closed.error, PingTimeout)
    assert closed.error.timeout == 5.0


def test_it_is_not_lost_later_than_pongs_usually_may_take() -> None:
    """Where that is shorter than five seconds."""
    sleeper = Sleeper(Attempt(pongs=False), ping_timeout=1.0).to(7.0).sleeps().to(13.0)
    assert [at for at, _ in sleeper.of(Closed)] == [8.0]


def test_what_failed_before_counts_no_more() -> None:
    """The back-off begins anew: the network was asleep too."""
    refused = [Attempt.refused()] * 5
    sleeper = Sleeper(*refused, Attempt(pongs=False), Attempt.refused()).to(62.5)
    assert [event.seconds for _, event in sleeper.of(Waiting)] == pytest.approx([2.0, 4.0, 8.0, 16.0, 32.0])
    assert len(sleeper.of(Opened)) == 1
    sleeper.sleeps().to(75.0)
    assert [event.attempt for _, event in sleeper.of(Connecting)][6:] == [2, 3]
    assert [event.seconds for _, event in sleeper.of(Waiting)][5:] == pytest.approx([2.0, 4.0, 8.0])


def test_in_a_back_off_the_wait_goes_on_and_the_next_failure_is_the_first() -> None:
    """There is nothing to ask."""
    sleeper = Sleeper(Attempt.refused()).to(20.0).sleeps().to(31.0)
    assert [event.seconds for _, event in sleeper.of(Waiting)] == pytest.approx([2.0, 4.0, 8.0, 16.0, 2.0])


def test_during_a_dial_its_own_clock_goes_on() -> None:
    """There is no socket yet to ask on; it opens, or does not in its time."""
    sleeper = Sleeper(Attempt(opens=4.0), Attempt(opens=None)).to(2.0).sleeps().to(60.0)
    assert ([at for at, _ in sleeper.of(Opened)], len(sleeper.transport.dials), sleeper.pings) == ([4.0], 1, [2])
    hanging = Sleeper(Attempt(opens=None), Attempt()).to(2.0).sleeps().to(60.0)
    assert [at for at, _ in hanging.of(Closed)] == [10.0]


@pytest.mark.parametrize("pongs", [True, False])
def test_a_connection_that_is_paused_is_asked_when_it_is_read_again(pongs: bool) -> None:
    """Its pong could not be read before."""
    sleeper = Sleeper(Attempt(pongs=pongs), ping_interval=None).to(2.0)
    assert sleeper.controls.outgoing is not None
    connection = sleeper.controls.outgoing.connection
    assert connection is not None
    connection.pause()
    sleeper.sleeps().to(60.0)
    assert (sleeper.pings, sleeper.of(Closed)) == ([0], [])
    connection.resume()
    sleeper.to(70.0)
    assert sleeper.pings[0] == 1
    assert [at for at, _ in sleeper.of(Closed)] == ([] if pongs else [65.0])


def test_in_the_overlap_of_a_rotation_both_are_asked() -> None:
    """Each answers for itself: the new one is gone, and the old one goes on."""
    messages = [(float(second), f'{{"n":{second}}}') for second in range(1, 100)]
    rotate = Rotation(20.0, overlap=15.0, key=lambda value: value["n"])
    sleeper = Sleeper(Attempt(messages=messages), Attempt(pongs=False), rotate=rotate, ping_interval=None).to(25.0)
    assert [dialed.opened for dialed in sleeper.transport.dials] == [True, True]
    sleeper.sleeps().to(26.0)
    assert sleeper.pings == [1, 1]
    sleeper.to(31.0)
    assert [(at, event.generation) for at, event in sleeper.of(Closed)] == [(30.0, 2)]
    assert (sleeper.of(Rotated), len(sleeper.values)) == ([], 31)


def test_who_ends_it_on_hearing_of_the_sleep_is_not_asked() -> None:
    """The event comes first; nothing is sent on what is over."""
    sleeper = Sleeper(Attempt(), ping_interval=None).to(2.0)
    sleeper.events = Ending(sleeper)  # type: ignore[assignment]
    sleeper.sleeps().to(60.0)
    assert (sleeper.pings, sleeper.transport.live) == ([0], 0)


class Ending(list[Any]):
    """Disposes the subscription on hearing of a sleep."""

    def __init__(self, sleeper: Sleeper) -> None:
        super().__init__()
        self._sleeper = sleeper

    def append(self, told: tuple[float, Event]) -> None:
        if isinstance(told[1], Suspended):
            self._sleeper.subscription.dispose()


def test_before_the_first_connection_it_is_told_and_that_is_all() -> None:
    """A window may be closed."""
    sleeper = Sleeper(Attempt(), connect_while=lambda: False).to(2.0).sleeps().to(60.0)
    assert ([event.generation for _, event in sleeper.of(Suspended)], sleeper.transport.dials) == ([0], [])


def test_what_the_server_asked_for_is_kept_over_a_sleep() -> None:
    """A fresh back-off is no way around Retry-After."""
    refusal = Attempt.refused(0.0, HandshakeRejected("ws://scripted", 429, 60.0, b""))
    sleeper = Sleeper(refusal, Attempt()).to(10.0).sleeps().to(100.0)
    assert [dialed.at for dialed in sleeper.transport.dials] == [0.0, 60.0]
