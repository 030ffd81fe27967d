"""What is counted, over how many connections it may be, and how fast it comes."""

from __future__ import annotations

from itertools import accumulate
from math import inf, nan
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex.testing import TestScheduler

from rxws import Stats, connect
from rxws.errors import ConfigError, ConnectionClosed
from rxws.events import DisconnectReason
from rxws.operators import record_stats
from rxws.stats import SAMPLE_EVERY
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Connection

LOST = DisconnectReason.NETWORK_ERROR
PLANNED = DisconnectReason.SCHEDULED


class Bench:
    """A clock that is moved by hand, and a `Stats` that reads it."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self.stats = Stats()

    def open(self, stats: Stats | None = None) -> Wire:
        wire = Wire(self)
        (stats or self.stats).attach(cast(Connection, wire), lambda: self.now)
        return wire

    def end(self, wire: Wire, reason: DisconnectReason = LOST) -> None:
        self.stats.detach(cast(Connection, wire), reason)


class Wire:
    """The counters of a connection."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.opened_time = bench.now
        self.last_message_time: float | None = None
        self.messages_received = 0
        self.bytes_received = 0
        self.messages_sent = 0
        self.bytes_sent = 0

    def read(self, messages: int, size: int = 10) -> None:
        """Take in what one read of the socket brings."""
        self.bench.stats.sample(self.bench.now)
        if messages:
            self.messages_received += messages
            self.bytes_received += messages * size
            self.last_message_time = self.bench.now

    def send(self, messages: int, size: int = 3) -> None:
        self.messages_sent += messages
        self.bytes_sent += messages * size


def counts(stats: Stats) -> tuple[int, int, int, int]:
    """Return what went both ways: messages and bytes received, messages and bytes sent."""
    return (stats.messages_received, stats.bytes_received, stats.messages_sent, stats.bytes_sent)


# Before anything


def test_at_first_nothing_has_happened() -> None:
    """Counts are zero, times are None, and a rate is no division by zero."""
    stats = Stats()

    assert counts(stats) == (0, 0, 0, 0)
    assert (stats.connects, stats.disconnects, stats.proactive_disconnects, stats.reactive_disconnects) == (0, 0, 0, 0)
    assert (stats.dropped, stats.bad_frames, stats.late, stats.reasons) == (0, 0, 0, {})
    assert (stats.last_connect_time, stats.last_disconnect_time, stats.last_message_time) == (None, None, None)
    assert (stats.uptime, stats.connection_time, stats.rate()) == (0.0, 0.0, 0.0)


# Counts


def test_an_open_connection_is_counted_as_it_goes() -> None:
    """What it counts at the wire is there at once, and when the last message came."""
    bench = Bench(now=100.0)
    wire = bench.open()
    wire.read(3, size=20)
    bench.now = 101.0
    wire.read(1, size=7)
    wire.send(2)
    bench.now = 102.0
    wire.read(0)

    assert counts(bench.stats) == (4, 67, 2, 6)
    assert (bench.stats.connects, bench.stats.disconnects) == (1, 0)
    assert (bench.stats.last_connect_time, bench.stats.last_message_time) == (100.0, 101.0)


def test_counts_go_on_over_the_connections_of_a_stream() -> None:
    """What an ended connection had counted is kept, and what it counts later is not."""
    bench = Bench()
    first = bench.open()
    first.read(3)
    first.send(1)
    bench.end(first)
    first.read(100)
    second = bench.open()
    second.read(2)
    second.send(5)

    assert counts(bench.stats) == (5, 50, 6, 18)
    assert (bench.stats.connects, bench.stats.disconnects) == (2, 1)


def test_an_end_is_counted_by_its_kind_and_its_reason() -> None:
    """Proactive and reactive ends add up to all of them."""
    bench = Bench()
    for reason in (LOST, PLANNED, PLANNED, DisconnectReason.KILLED):
        wire = bench.open()
        bench.now += 1.0
        bench.end(wire, reason)
    stats = bench.stats

    assert (stats.connects, stats.disconnects, stats.proactive_disconnects, stats.reactive_disconnects) == (4, 4, 2, 2)
    assert stats.reasons == {LOST: 1, PLANNED: 2, DisconnectReason.KILLED: 1}
    assert stats.last_disconnect_time == 4.0


def test_the_end_of_a_connection_that_was_never_counted_is_none() -> None:
    """Nor is a second end of the same one."""
    bench = Bench()
    wire = bench.open()
    bench.end(wire)
    bench.end(wire)
    bench.end(Wire(bench))

    assert bench.stats.disconnects == 1
    assert bench.stats.reasons == {LOST: 1}


def test_two_streams_may_count_into_one() -> None:
    """Both connections are in every sum while they are open, and after."""
    bench = Bench()
    one, other = bench.open(), bench.open()
    one.read(1)
    other.read(10)
    bench.end(one)
    other.read(10)

    assert counts(bench.stats)[:2] == (21, 210)
    assert (bench.stats.connects, bench.stats.disconnects) == (2, 1)


@given(
    st.lists(st.sampled_from("open end read send wait reset".split()), max_size=40), st.randoms(use_true_random=False)
)
def test_no_count_ever_goes_back(steps: list[str], draw: Any) -> None:
    """Whatever opens, ends and reads in whatever order, only `reset` makes anything smaller, and the sums are right."""
    bench = Bench()
    wires: list[Wire] = []
    received = sent = 0
    before: list[float] = [0.0] * 7

    for step in steps:
        if step == "open":
            wires.append(bench.open())
        elif step == "wait":
            bench.now += 1.0
        elif step == "reset":
            bench.stats.reset()
            received = sent = 0
            before = [0.0] * 7
        elif wires:
            wire = draw.choice(wires)
            if step == "end":
                wires.remove(wire)
                bench.end(wire, draw.choice([LOST, PLANNED]))
            elif step == "read":
                wire.read(2)
                received += 2
            else:
                wire.send(3)
                sent += 3
        stats = bench.stats
        after = [*counts(stats), stats.uptime, stats.last_message_time or 0.0, float(stats.disconnects)]
        assert all(new >= old for new, old in zip(after, before, strict=True))
        assert counts(stats) == (received, received * 10, sent, sent * 3)
        assert stats.proactive_disconnects + stats.reactive_disconnects == stats.disconnects == stats.reasons.total()
        before = after


def test_the_last_message_is_the_last_of_all_connections() -> None:
    """Not that of the connection which ended last."""
    bench = Bench()
    one, other = bench.open(), bench.open()
    other.read(1)
    bench.now = 5.0
    one.read(1)
    bench.end(one)
    assert bench.stats.last_message_time == 5.0
    bench.end(other)

    assert bench.stats.last_message_time == 5.0


# Times


def test_uptime_adds_up_and_stands_still_without_a_connection() -> None:
    """The seconds of all connections, those of two at once counted twice."""
    bench = Bench(now=1_000.0)
    first = bench.open()
    bench.now += 10.0
    assert bench.stats.uptime == 10.0
    bench.end(first)
    bench.now += 100.0
    assert bench.stats.uptime == 10.0
    second, third = bench.open(), bench.open()
    bench.now += 1.0
    assert bench.stats.uptime == 12.0
    bench.end(second)
    bench.end(third)
    bench.now += 1.0

    assert bench.stats.uptime == 12.0


def test_the_connection_time_is_that_of_the_newest_connection() -> None:
    """It stops when the connection ends, and says from then on how long that had been open."""
    bench = Bench(now=1_000.0)
    first = bench.open()
    bench.now += 10.0
    assert bench.stats.connection_time == 10.0
    bench.end(first)
    bench.now += 100.0
    assert bench.stats.connection_time == 10.0
    second = bench.open()
    assert bench.stats.connection_time == 0.0
    bench.now += 3.0
    third = bench.open()
    bench.now += 1.0
    assert bench.stats.connection_time == 1.0
    bench.end(second)
    bench.end(third)

    assert bench.stats.connection_time == 1.0


def test_times_are_of_the_loops_clock() -> None:
    """A first connection brings the clock; one on another loop, after a fresh start, brings its own."""
    bench, other = Bench(now=50.0), Bench(now=7.0)
    bench.end(bench.open())
    bench.stats.reset()
    other.open(bench.stats)
    other.now = 9.0

    assert bench.stats.last_connect_time == 7.0
    assert bench.stats.uptime == 2.0


# Reset


def test_after_a_reset_an_open_connection_counts_on_from_there() -> None:
    """All that was counted is gone; what comes now is counted, for the connection that is open too."""
    bench = Bench()
    wire = bench.open()
    wire.read(5)
    wire.send(5)
    bench.stats.dropped = bench.stats.bad_frames = bench.stats.late = 3
    bench.now = 10.0
    bench.stats.reset()
    stats = bench.stats

    assert counts(stats) == (0, 0, 0, 0)
    assert (stats.connects, stats.disconnects, stats.dropped, stats.bad_frames, stats.late) == (0, 0, 0, 0, 0)
    assert (stats.last_connect_time, stats.last_disconnect_time, stats.last_message_time) == (None, None, None)
    assert (stats.uptime, stats.rate()) == (0.0, 0.0)
    bench.now = 12.0
    wire.read(1)
    wire.send(2)
    assert counts(stats) == (1, 10, 2, 6)
    assert (stats.uptime, stats.last_message_time, stats.rate()) == (2.0, 12.0, 0.5)
    bench.end(wire)
    assert counts(stats) == (1, 10, 2, 6)
    assert (stats.uptime, stats.disconnects) == (2.0, 1)


def test_a_connection_that_ended_before_a_reset_is_forgotten() -> None:
    """With its reasons and its times."""
    bench = Bench()
    bench.open().read(1)
    wire = bench.open()
    bench.now = 5.0
    bench.end(wire)
    bench.stats.reset()

    assert bench.stats.reasons == {}
    assert bench.stats.last_disconnect_time is None


def test_after_a_reset_the_next_connection_does_not_begin_anew() -> None:
    """The rate and the up-time go on over a connection that was open at the reset and one that came after."""
    bench = Bench()
    wire = bench.open()
    bench.stats.reset()
    for _ in range(8):
        bench.now += 0.5
        wire.read(1)
    bench.end(wire)
    bench.now += 1.0
    bench.open()
    bench.now += 1.0

    assert bench.stats.rate(300.0) == 8 / 6.0
    assert bench.stats.rate(3.0) == 2 / 3.0
    assert bench.stats.uptime == 5.0


# Rates


@pytest.mark.parametrize("seconds", [1.0, 10, 300, 0.5])
def test_a_steady_stream_has_its_rate_over_any_window(seconds: float) -> None:
    """Eight messages a second are eight a second."""
    bench = Bench()
    wire = bench.open()
    for _ in range(8 * 400):
        bench.now += 0.125
        wire.read(1)

    assert bench.stats.rate(seconds) == 8.0


def test_in_its_first_seconds_a_streams_rate_is_over_its_age() -> None:
    """What is not yet ten seconds old is not divided by ten."""
    bench = Bench(now=1_000.0)
    wire = bench.open()
    assert bench.stats.rate() == 0.0
    wire.read(4)
    assert bench.stats.rate() == 0.0
    bench.now += 2.0

    assert bench.stats.rate() == bench.stats.rate(2.0) == 2.0


def test_a_silent_streams_rate_falls_to_nothing() -> None:
    """A burst that came before the window is not in it, though nothing was read since."""
    bench = Bench()
    wire = bench.open()
    bench.now = 100.0
    for _ in range(3):
        wire.read(50)
        bench.now += 0.0625
    bench.now = 105.0
    assert bench.stats.rate(10.0) == 15.0
    bench.now = 150.0
    assert bench.stats.rate(10.0) == 0.0
    wire.read(5)
    bench.now = 155.0
    assert bench.stats.rate(10.0) == 0.5


def test_the_rate_goes_on_over_a_loss() -> None:
    """What an ended connection had received is in the window as well."""
    bench = Bench()
    first = bench.open()
    for _ in range(40):
        bench.now += 0.25
        first.read(1)
    bench.end(first)
    bench.now += 5.0
    second = bench.open()
    second.read(5)

    assert bench.stats.rate(10.0) == bench.stats.rate() == (20 + 5) / 10
    assert bench.stats.rate(9.0) != bench.stats.rate() != bench.stats.rate(11.0)


MOMENTS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5)), min_size=1, max_size=60)


@given(MOMENTS, st.integers(0, 500), st.integers(1, 300 * 64))
def test_a_rates_window_is_right_to_a_quarter_of_a_second(
    moments: list[tuple[int, int]], later: int, window: int
) -> None:
    """Every message in it is counted, and of those before it at most the last quarter second's."""
    bench = Bench()
    wire = bench.open()
    times = [each / 64 for each in accumulate(gap for gap, _ in moments)]  # 1/64 s is exact in binary
    for time, (_, messages) in zip(times, moments, strict=True):
        bench.now = time
        wire.read(messages)
    bench.now += later / 64
    start = max(bench.now - window / 64, 0.0)
    length = bench.now - start

    def since(moment: float) -> int:
        return sum(messages for time, (_, messages) in zip(times, moments, strict=True) if time > moment)

    counted = round(bench.stats.rate(window / 64) * length)
    if start > 0.0:
        assert since(start) <= counted <= since(start - SAMPLE_EVERY)
    elif length:
        assert counted == wire.messages_received


@pytest.mark.parametrize("offsets", [(0.0, 0.234375), (0.0,), tuple(each / 64 for each in range(16))])
def test_the_samples_reach_back_for_the_longest_window(offsets: tuple[float, ...]) -> None:
    """Also where reads come in the rhythm that leaves the most samples, and where they come densely."""
    bench = Bench()
    wire = bench.open()
    for quarter in range(4 * 400):
        for offset in offsets:
            bench.now = quarter / 4 + offset
            # The first of the 300 seconds are the fullest.
            wire.read(1_000 if 100.0 < bench.now <= 101.0 else 1)
    bench.now = 400.0
    received = 300 * 4 * len(offsets) - 1 + 999 * 4 * len(offsets)

    assert bench.stats.rate(300.0) * 300 == pytest.approx(received, abs=len(offsets))


def test_what_is_kept_for_rates_is_bounded() -> None:
    """A day of reads leaves no more behind than ten minutes."""
    bench = Bench()
    wire = bench.open()
    sizes = set()
    for step in range(20_000):
        bench.now += 0.25
        wire.read(1)
        if step > 4_000:
            sizes.add(len(bench.stats._samples))

    assert len(sizes) == 1


def test_reads_without_a_message_leave_no_sample() -> None:
    """A flood of pings does not push the past out of the window."""
    bench = Bench()
    wire = bench.open()
    for _ in range(100):
        bench.now += 1.0
        wire.read(100)
    for _ in range(10_000):
        bench.now += 1 / 1024
        wire.read(0)
    bench.now = 120.0

    assert bench.stats.rate(100.0) == 80.0


@pytest.mark.parametrize("seconds", [0, 0.0, -1.0, 300.1, inf, nan, "10", None], ids=repr)
def test_a_window_is_more_than_nothing_and_at_most_300_seconds(seconds: Any) -> None:
    """The bounds stand in the message."""
    with pytest.raises(ConfigError) as caught:
        Stats().rate(seconds)

    assert str(caught.value) == f"seconds: {seconds!r} is out of range; take more than 0 and at most 300"


# For people


def test_a_person_can_read_it() -> None:
    """One line with what one asks first."""
    bench = Bench()
    wire = bench.open()
    wire.read(1_234)
    wire.send(5)
    bench.now = 61.25
    bench.end(wire)
    bench.end(bench.open(), PLANNED)

    assert repr(bench.stats) == (
        "<Stats: 2 connects, 2 disconnects (1 proactive, 1 reactive), 1234 messages in, 5 out, up 61.2 s>"
    )


# With real connections


def test_it_counts_what_connections_carry() -> None:
    """Two streams over the scripted transport, one of which is lost, in virtual time."""
    virtual, stats = TestScheduler(), Stats()
    lost = ScriptedTransport(Attempt(messages=[(1.0, "tick"), (2.0, b"\x00\x01")], lost=(3.0, ConnectionClosed(1001))))
    open_ = ScriptedTransport(Attempt(opens=1.0, messages=[(4.0, "äö")]))
    for transport in (lost, open_):
        stream = connect("ws://scripted", transport=transport).pipe(record_stats(stats))
        stream.subscribe(lambda connection: connection.send("hello"), lambda error: None, scheduler=virtual)
    virtual.advance_to(5.0)

    assert counts(stats) == (3, 4 + 2 + 4, 2, 10)
    assert (stats.connects, stats.disconnects, dict(stats.reasons)) == (2, 1, {DisconnectReason.SERVER_CLOSED: 1})
    assert (stats.last_connect_time, stats.last_disconnect_time, stats.last_message_time) == (1.0, 3.0, 4.0)
    assert (stats.uptime, stats.connection_time) == (3.0 + 4.0, 4.0)
    assert stats.rate() == 3 / 5.0
