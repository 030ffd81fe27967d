"""Dials that wait for their turn: by a governor that several share, and by what their host asked for."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from reactivex import Subject
from reactivex.testing import TestScheduler

from benchmarks.reliability.limited import most_in_any
from rxws import Backoff, Governor, Rotation, connect, ws_observable
from rxws.controls import Controls
from rxws.errors import HandshakeRejected, Killed
from rxws.events import Closed, Connecting, ConnectionState, Event, GaveUp, Opened, Rotated, Waiting
from rxws.testing import Attempt, ScriptedTransport

URL = "ws://venue.example/ws"


class Streams:
    """Several streams over one script and one clock."""

    def __init__(self, *attempts: Attempt) -> None:
        self.virtual = TestScheduler()
        self.transport = ScriptedTransport(*attempts)
        self.events: list[tuple[float, int, Event]] = []
        self.errors: list[Exception] = []
        self.subscriptions: list[Any] = []

    def add(self, url: Any = URL, transport: Any = None, **options: Any) -> Streams:
        """Subscribe one more."""
        number = len(self.subscriptions)
        stream = ws_observable(
            url,
            **{
                "transport": transport or self.transport,
                "events": lambda event: self.events.append((self.virtual.clock, number, event)),
                "random": lambda: 0.999_999_999,
                "retry": Backoff.fixed(1.0),
                "ping_interval": None,
                **options,
            },
        )
        self.subscriptions.append(stream.subscribe(on_error=self.errors.append, scheduler=self.virtual))
        return self

    def to(self, seconds: float) -> Streams:
        """Let time pass."""
        self.virtual.advance_to(seconds)
        return self

    def of(self, kind: type[Event], number: int = 0) -> list[tuple[float, Any]]:
        """The events of one stream, of one kind."""
        return [(at, event) for at, who, event in self.events if isinstance(event, kind) and who == number]

    def waits(self, number: int = 0) -> list[tuple[float, float]]:
        """When one was told that it waits for its turn, and how long."""
        return [(at, event.seconds) for at, event in self.of(Waiting, number) if event.rule == "governor"]

    @property
    def dials(self) -> list[float]:
        """When sockets were asked for."""
        return [dialed.at for dialed in self.transport.dials]

    @property
    def timers(self) -> int:
        """How many timers wait."""
        return sum(not item.is_cancelled() for item, _ in self.virtual._queue.items)


def refused(after: float, status: int = 429) -> Attempt:
    """A refusal with Retry-After."""
    return Attempt.refused(0.5, HandshakeRejected(URL, status, after, b""))


# A governor


def test_dials_of_several_are_spaced_and_counted_together() -> None:
    """Each waits its turn, first come, first served, and is told how long."""
    streams, governor = Streams(), Governor(dials=3, per=60.0, spacing=1.0)
    for _ in range(5):
        streams.add(dials=governor)
    assert streams.to(200.0).dials == [0.0, 1.0, 2.0, 60.0, 61.0]
    assert [streams.waits(number) for number in range(5)] == [
        [],
        [(0.0, 1.0)],
        [(0.0, 2.0)],
        [(0.0, 60.0)],
        [(0.0, 61.0)],
    ]
    assert [streams.of(Connecting, number)[0][0] for number in range(5)] == streams.dials


def test_a_wait_that_nobody_would_notice_is_not_told() -> None:
    """A timer that fires a little early would tell of microseconds."""
    streams, governor = Streams(), Governor(spacing=0.0005)
    streams.add(dials=governor).add(dials=governor).to(1.0)
    assert (streams.dials, streams.waits(1)) == ([0.0, 0.0005], [])


def test_a_bare_connect_takes_its_turn_too() -> None:
    """It belongs to the connection, not to the pipeline."""
    virtual, transport, governor = TestScheduler(), ScriptedTransport(), Governor(spacing=2.0)
    for _ in range(3):
        connect(URL, transport=transport, dials=governor).subscribe(scheduler=virtual)
    virtual.advance_to(60.0)
    assert [dialed.at for dialed in transport.dials] == [0.0, 2.0, 4.0]


def test_hosts_and_ports_are_counted_apart_and_governors_too() -> None:
    """A host is a name and a port; who has another governor, or none, is not held up."""
    streams, governor = Streams(), Governor(spacing=10.0)
    for url in (URL, "ws://venue.example:80/other", "ws://venue.example:81/", "wss://venue.example/", "ws://other/"):
        streams.add(url, dials=governor)
    streams.add(URL, dials=Governor(spacing=10.0)).add(URL)
    assert streams.to(5.0).dials == [0.0] * 6
    assert streams.to(15.0).dials[6:] == [10.0]


def test_the_wait_is_part_of_no_attempt() -> None:
    """Neither open_timeout nor max_attempts nor the dial's time count it."""
    streams, governor = Streams(Attempt(opens=2.0)), Governor(spacing=100.0)
    retry = Backoff.fixed(1.0, max_attempts=1)
    streams.add(dials=governor, open_timeout=5.0, retry=retry).add(dials=governor, open_timeout=5.0, retry=retry)
    streams.to(150.0)
    [(at, opened)] = streams.of(Opened, 1)
    assert (at, opened.took, streams.errors) == (102.0, 2.0, [])
    assert [event.attempt for _, event in streams.of(Connecting, 1)] == [1]


def test_what_is_told_meanwhile_is_of_no_new_connection() -> None:
    """The wait is told between the end of one and the beginning of the next, with the generation of the one before."""
    streams, governor = Streams(Attempt.closes(1.0, 1001)), Governor(spacing=50.0)
    streams.add(dials=governor).to(60.0)
    told = [event for _, _, event in streams.events if not isinstance(event, Opened)]
    assert [(type(event).__name__, event.generation) for event in told[:5]] == [
        ("Connecting", 1),
        ("Closed", 1),
        ("Waiting", 1),
        ("Waiting", 1),
        ("Connecting", 2),
    ]
    assert told[3].state is ConnectionState.RECONNECTING
    assert told[3].attempt == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("url", [URL, lambda: URL])
def test_who_leaves_while_waiting_gives_the_place_back(url: Any) -> None:
    """The next one who comes has it, and no timer is left."""
    streams, governor = Streams(), Governor(spacing=10.0)
    streams.add(dials=governor).add(url, dials=governor)
    streams.to(1.0).subscriptions[1].dispose()
    assert streams.timers == 0
    streams.add(url, dials=governor)
    assert streams.to(60.0).dials == [0.0, 10.0]
    assert streams.of(Connecting, 1) == ([] if url is URL else streams.of(Connecting, 1)[:1])


@pytest.mark.parametrize("url", [URL, lambda: URL])
def test_who_leaves_on_hearing_of_the_wait_leaves_nothing(url: Any) -> None:
    """From inside the very call."""
    streams, governor = Streams(), Governor(spacing=10.0)
    streams.add(dials=governor)
    waits: list[Event] = []

    def leave(event: Event) -> None:
        if isinstance(event, Waiting):
            waits.append(event)
            streams.subscriptions[1].dispose()

    streams.to(1.0).add(url, dials=governor, events=leave)
    streams.to(60.0)
    assert (streams.dials, len(waits), streams.timers) == ([0.0], 1, 0)
    assert governor.reserve("venue.example:80", 60.0) == 60.0


def test_a_url_that_is_asked_for_waits_once_its_host_is_known() -> None:
    """Its seconds to open count from its turn; the url is asked for once."""
    streams, governor, asked = Streams(Attempt(opens=2.0)), Governor(spacing=100.0), list[float]()

    def url() -> str:
        asked.append(streams.virtual.clock)
        return URL

    streams.add(dials=governor).add(url, dials=governor, open_timeout=5.0).to(150.0)
    assert (streams.dials, asked) == ([0.0, 100.0], [0.0])
    [(at, opened)] = streams.of(Opened, 1)
    assert (at, opened.took) == (102.0, 2.0)
    names = [type(event).__name__ for _, who, event in streams.events if who == 1]
    assert names == ["Connecting", "Waiting", "Opened"]


def test_after_its_turn_a_url_that_is_asked_for_has_its_seconds_to_open() -> None:
    """And no more."""
    streams, governor = Streams(Attempt(), Attempt(opens=None)), Governor(spacing=100.0)
    streams.add(dials=governor).add(lambda: URL, dials=governor, open_timeout=5.0, retry=None).to(150.0)
    assert [at for at, _ in streams.of(Closed, 1)] == [105.0]


def test_the_headers_are_asked_for_when_the_turn_has_come() -> None:
    """A signature in them does not grow old in the line."""
    streams, governor, asked = Streams(), Governor(spacing=30.0), list[float]()
    streams.add(dials=governor).add(dials=governor, headers=lambda: asked.append(streams.virtual.clock) or {})
    streams.to(60.0)
    assert asked == [30.0]


@pytest.mark.parametrize("url", [URL, lambda: URL])
def test_a_window_that_closes_while_it_waits_spares_the_dial(url: Any) -> None:
    """A gate stands outside; when it opens again, the dial takes a new place."""
    streams, governor, gate = Streams(), Governor(spacing=10.0), Subject[bool]()
    streams.add(dials=governor).add(url, dials=governor, connect_while=gate, check_interval=0.001)
    gate.on_next(True)
    streams.to(5.0)
    gate.on_next(False)
    streams.to(60.0)
    assert streams.dials == [0.0]
    gate.on_next(True)
    assert streams.to(90.0).dials == [0.0, 60.0]


def test_a_kill_while_it_waits_is_of_no_connection() -> None:
    """There is none: nothing is told, and the turn comes."""
    streams, governor, controls = Streams(), Governor(spacing=10.0), Controls()
    streams.add(dials=governor).add(dials=governor, controls=controls).to(5.0)
    controls.lose(Killed())
    assert streams.to(60.0).dials == [0.0, 10.0]
    assert streams.of(Closed, 1) == []


def test_a_rotations_next_dial_is_counted_and_waits() -> None:
    """The old connection goes on meanwhile."""
    messages = [(float(second), f'{{"n":{second}}}') for second in range(1, 100)]
    streams, governor = Streams(Attempt(messages=messages)), Governor(dials=2, per=40.0)
    streams.add(dials=governor).add(dials=governor, rotate=Rotation(20.0, overlap=30.0))
    streams.to(50.0)
    assert streams.dials == [0.0, 0.0, 40.0]
    assert streams.waits(1) == [(pytest.approx(18.0), pytest.approx(22.0))]
    assert len(streams.of(Rotated, 1)) == 1
    assert streams.of(Closed, 1) == []


def test_a_rotations_overlap_counts_from_its_dial_and_not_from_the_wait_for_it() -> None:
    """A governor may keep it waiting for longer than the overlap: that is no failure of the new connection."""
    messages = [(float(second), f'{{"n":{second}}}') for second in range(1, 100)]
    streams, governor = Streams(Attempt(messages=messages)), Governor(dials=2, per=40.0)
    streams.add(dials=governor).add(dials=governor, rotate=Rotation(20.0, overlap=5.0, jitter=0.0))
    streams.to(50.0)
    assert streams.dials == [0.0, 0.0, 40.0]
    assert [event.rule for _, event in streams.of(Waiting, 1)] == ["governor"]
    assert len(streams.of(Rotated, 1)) == 1


class DroppedAt(ScriptedTransport):
    """Its first connection is lost at an instant of the clock, the next one stays."""

    def __init__(self, instant: float) -> None:
        super().__init__()
        self._instant = instant

    def open(self, dial: Any, receiver: Any, scheduler: Any) -> Any:
        self._attempts = (Attempt.closes(self._instant - scheduler.clock) if not self.dials else Attempt(),)
        return super().open(dial, receiver, scheduler)


def test_a_thousand_that_are_dropped_at_once_come_back_at_the_governors_rate() -> None:
    """No window of it holds more, each dials once, and whose back-off is over first is served first."""
    governor, streams = Governor(dials=300, per=300.0, spacing=0.1), Streams()
    scripts = [DroppedAt(2_000.0) for _ in range(1_000)]
    chance = random.Random(7)
    for script in scripts:
        streams.add(transport=script, dials=governor, retry=Backoff(initial=60.0), random=chance.random)
    streams.to(1_999.0)
    assert [len(script.dials) for script in scripts] == [1] * 1_000
    streams.to(4_000.0)
    assert [len(script.dials) for script in scripts] == [2] * 1_000
    everything = [dialed.at for script in scripts for dialed in script.dials]
    assert most_in_any(300.0, everything) == 300
    assert most_in_any(0.1, everything) == 1
    again = sorted(range(1_000), key=lambda number: scripts[number].dials[1].at)
    over = {who: at + event.seconds for at, who, event in streams.events if _is_policy(event) and event.seconds}
    assert again == sorted(over, key=lambda who: round(over[who], 6))
    assert scripts[again[-1]].dials[1].at < 2_000.0 + 300.0 * 4


def _is_policy(event: Any) -> bool:
    return isinstance(event, Waiting) and event.rule == "policy"


def test_those_that_come_back_at_one_instant_are_served_in_their_order() -> None:
    """Nobody is passed by, nobody waits twice."""
    governor = Governor(dials=10, per=10.0, spacing=0.5)
    virtual, order = TestScheduler(), list[tuple[float, int]]()
    ticks: Subject[Any] = Subject()

    class Noting(ScriptedTransport):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def open(self, *arguments: Any) -> Any:
            order.append((virtual.clock, self.number))
            return super().open(*arguments)

    for number in range(100):
        ws_observable(
            URL, transport=Noting(number), dials=governor, disconnect_when=ticks, check_interval=0.001
        ).subscribe(scheduler=virtual)
    virtual.advance_to(1_000.0)
    order.clear()
    ticks.on_next(1)
    virtual.advance_to(2_000.0)
    assert [number for _, number in order] == list(range(100))
    assert most_in_any(10.0, [at for at, _ in order]) == 10
    assert order[-1][0] <= 1_100.0


# Retry-After


def test_a_retry_after_is_kept_by_all_on_the_loop_that_dial_that_host_and_port() -> None:
    """Also by one that has never been refused; others are not concerned."""
    streams = Streams(refused(60.0), Attempt())
    streams.add().to(1.0)
    streams.add().add(lambda: URL).add("ws://venue.example:81/").add("ws://other.example/")
    assert streams.to(50.0).dials == [0.0, 1.0, 1.0]
    assert streams.to(100.0).dials[3:] == [60.5] * 3
    assert streams.waits(1) == streams.waits(2) == [(1.0, 59.5)]


def test_its_own_back_off_is_no_second_wait() -> None:
    """The floor under its policy and what is remembered are one instant."""
    streams = Streams(refused(60.0), Attempt())
    streams.add().to(100.0)
    assert (streams.dials, streams.waits()) == ([0.0, 60.5], [])


def test_what_is_asked_for_later_holds_off_who_waits_already() -> None:
    """The back-off is over sooner than the host wants: the dial waits on."""
    streams = Streams(Attempt.closes(0.2, 1001), refused(60.0), Attempt())
    streams.add(retry=Backoff.fixed(5.0)).to(0.3)
    streams.add()
    assert streams.to(100.0).dials == [0.0, 0.3, 60.8, 60.8]
    assert streams.waits(0) == [(5.2, pytest.approx(55.6))]


def test_with_a_governor_those_that_share_it_keep_it() -> None:
    """And nobody else."""
    governor, streams = Governor(), Streams(refused(60.0), Attempt())
    streams.add(dials=governor).to(1.0)
    streams.add(dials=governor).add(dials=Governor()).add()
    assert streams.to(50.0).dials == [0.0, 1.0, 1.0]
    assert streams.to(100.0).dials[3:] == [60.5] * 2


def test_two_loops_remember_apart() -> None:
    """Their clocks have nothing to do with one another."""
    first, second = Streams(refused(60.0), Attempt()), Streams()
    first.add().to(1.0)
    second.add().to(1.0)
    assert second.dials == [0.0]


async def test_on_a_real_loop_it_is_remembered_too() -> None:
    """By whichever scheduler, and by a bare connect."""
    transport, waits = ScriptedTransport(refused(60.0), Attempt()), list[Waiting]()
    errors: list[Exception] = []
    connect(URL, transport=transport).subscribe(on_error=errors.append)
    while not errors:
        await asyncio.sleep(0.01)
    heard = waits.append
    stream = ws_observable(URL, transport=transport, events=lambda event: heard(event))  # type: ignore[arg-type]
    subscription = stream.subscribe()
    while not waits:
        await asyncio.sleep(0.01)
    subscription.dispose()
    [wait] = waits
    assert (type(wait), wait.rule, len(transport.dials)) == (Waiting, "governor", 1)
    assert 50.0 < (wait.seconds or 0.0) <= 60.0


def test_a_refusal_without_seconds_is_nothing_to_remember() -> None:
    """Each waits as its own policy says."""
    streams = Streams(Attempt.refused(0.5, HandshakeRejected(URL, 503, None, b"")), Attempt())
    streams.add().to(1.0)
    streams.add()
    assert streams.to(1.1).dials == [0.0, 1.0]


def test_what_is_fatal_is_so_in_the_line_too() -> None:
    """A governor changes nothing about what errors mean."""
    streams, governor = Streams(Attempt.refused(0.5, HandshakeRejected(URL, 403, 30.0, b""))), Governor(spacing=1.0)
    streams.add(dials=governor).to(100.0)
    assert isinstance(streams.errors[0], HandshakeRejected)
    assert len(streams.of(GaveUp)) == 1
    assert streams.timers == 0
