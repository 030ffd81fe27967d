"""Dials to a host, seen against the rules in exact arithmetic: planned, given back, put off, and really gone."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from fractions import Fraction
from math import inf, nan, nextafter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws import _sliding
from rxws._sliding import TICK, sum_up
from rxws.errors import ConfigError
from rxws.governor import Governor, host_of

HOST, OTHER = "venue.example:443", "other.example:443"

PARTS = st.sampled_from([0.0, 0.1, 0.3, 0.7, nextafter(1.0, 0.0), 1.0, 1.1]) | st.floats(0.0, 3.0)
RULES = st.tuples(
    st.none() | st.integers(1, 5), st.sampled_from([0.3, 1.0, 1.1, 5.0]), st.sampled_from([0.0, 0.1, 0.7])
)
STEPS = st.lists(
    st.tuples(PARTS, st.sampled_from(["reserve", "reserve", "reserve", "give back", "hold"]), st.integers(0, 9)),
    max_size=40,
)


def broken(instants: list[float], count: int | None, per: float, spacing: float) -> list[tuple[float, float]]:
    """Return the groups of dials that are too near."""
    ordered = sorted(instants)
    rules = [(1, spacing), *([(count, per)] if count is not None else [])]
    return [
        (first, last)
        for many, span in rules
        for first, last in zip(ordered, ordered[many:], strict=False)
        if Fraction(last) - Fraction(first) < Fraction(span)
    ]


class Dialler:
    """Stands for the observables of one loop: wakes when it was told, late by so much, and dials when it may.

    `busy` is how long the loop is with each before it can wake the next.
    """

    def __init__(self, governor: Governor, late: Callable[[int], float] = lambda _: 0.0, busy: float = 0.0) -> None:
        self.governor = governor
        self.late = late
        self.busy = busy
        self.gone: list[tuple[float, int]] = []
        self.asked = 0
        self._waiting: list[tuple[float, int]] = []

    def reserve(self, number: int, now: float) -> None:
        """Have dial `number` wait for a slot."""
        heapq.heappush(self._waiting, (self.governor.reserve(HOST, now), number))

    def run(self, now: float, until: float = inf) -> float:
        """Let time pass until then, or until nobody waits; return the time."""
        while self._waiting and self._waiting[0][0] < until:
            instant, number = heapq.heappop(self._waiting)
            now = max(now, instant + self.late(self.asked))
            self.asked += 1
            at = self.governor.due(HOST, instant, now)
            assert at == now or at >= now + TICK
            if at == now:
                self.gone.append((now, number))
            else:
                heapq.heappush(self._waiting, (at, number))
            now += self.busy
        return now


# What is planned


@given(RULES, STEPS)
@example((2, 1.0, 0.0), [(0.0, "reserve", 0)] * 5)
@example((1, 0.3, 0.0), [(0.3, "reserve", 0)] * 9)
def test_no_plan_breaks_a_rule(rules: Any, steps: Any) -> None:
    """Whatever is reserved, given back and put off: too many are never planned for a window, nor two too near."""
    dials, per, spacing = rules
    governor, now, held = Governor(dials, per, spacing), 0.0, -inf
    planned: list[float] = []
    for part, what, which in steps:
        now += part * per
        future = [at for at in planned if at > now]
        if what == "reserve":
            at = governor.reserve(HOST, now)
            assert at >= max(now, held)
            planned.append(at)
            assert broken(planned, dials, per, spacing) == []
        elif what == "hold":
            held = max(held, now + which)
            governor.hold_off(HOST, now + which)
        elif future:
            given_back = future[which % len(future)]
            governor.give_back(HOST, given_back, now)
            planned.remove(given_back)


@given(RULES, st.lists(PARTS, max_size=40))
def test_who_comes_later_goes_later(rules: Any, parts: list[float]) -> None:
    """And no slot stays empty: each is the first that the rules leave after those before it."""
    dials, per, spacing = rules
    governor, now = Governor(dials, per, spacing), 0.0
    planned: list[float] = []
    for part in parts:
        now += part * per
        at = governor.reserve(HOST, now)
        ends = [Fraction(each) + Fraction(spacing) for each in planned[-1:]]
        if dials is not None:
            ends += [Fraction(each) + Fraction(per) for each in planned[-dials:][:1] if len(planned) >= dials]
        soonest = max([Fraction(now), *ends])
        assert Fraction(nextafter(at, -inf)) < soonest <= Fraction(at) or at == now == soonest
        assert planned == [] or at >= planned[-1]
        planned.append(at)


def test_so_many_at_once_and_then_the_next_window() -> None:
    """Binance's limit, with 301 that come at once."""
    governor = Governor(dials=300)
    instants = [governor.reserve(HOST, 7.0) for _ in range(301)]

    assert instants == [7.0] * 300 + [307.0]


def test_spacing_alone_counts_nothing() -> None:
    """One after the other, as many as there are."""
    governor = Governor(spacing=0.5)
    assert [governor.reserve(HOST, 0.0) for _ in range(5)] == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_a_slot_that_is_given_back_is_the_next_ones() -> None:
    """And the others stay where they are."""
    governor = Governor(spacing=1.0)
    assert [governor.reserve(HOST, 0.0) for _ in range(4)] == [0.0, 1.0, 2.0, 3.0]
    governor.give_back(HOST, 2.0, 0.5)
    assert [governor.reserve(HOST, 0.5) for _ in range(2)] == [2.0, 4.0]


def test_a_slot_in_a_window_that_is_full_is_given_back_too() -> None:
    """Of equal instants one is freed, not all."""
    governor = Governor(dials=2, per=10.0)
    assert [governor.reserve(HOST, 0.0) for _ in range(4)] == [0.0, 0.0, 10.0, 10.0]
    governor.give_back(HOST, 10.0, 1.0)
    assert [governor.reserve(HOST, 1.0) for _ in range(2)] == [10.0, 20.0]


def test_a_slot_between_others_keeps_both_rules() -> None:
    """Where one rule pushes it on, the other is asked again: 7.5 would be too near to 7."""
    governor = Governor(dials=2, per=5.0, spacing=2.0)
    assert [governor.reserve(HOST, 0.0) for _ in range(4)] == [0.0, 2.0, 5.0, 7.0]
    governor.give_back(HOST, 5.0, 0.5)
    governor.give_back(HOST, 2.0, 0.5)
    assert governor.reserve(HOST, 2.5) == 2.5
    assert governor.reserve(HOST, 3.5) == 9.0


def test_of_slots_at_one_instant_one_is_given_back() -> None:
    """Whether planned or put off."""
    governor = Governor(dials=2, per=10.0)
    slots = [governor.reserve(HOST, 0.0) for _ in range(4)]
    governor.hold_off(HOST, 10.0)
    assert [governor.due(HOST, slot, 0.0) for slot in slots[:2]] == [10.0, 10.0]
    for left in (3, 2, 1, 0):
        governor.give_back(HOST, 10.0, 5.0)
        assert repr(governor) == f"<Governor: 1 hosts, {left} dials>"


def test_a_long_queue_is_not_searched_for_each_who_joins_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand streams that are lost at once do not stop the loop to compute."""
    sums = 0

    def counted(a: float, b: float) -> float:
        nonlocal sums
        sums += 1
        return sum_up(a, b)

    monkeypatch.setattr(_sliding, "sum_up", counted)
    governor = Governor(dials=300, spacing=0.1)
    for _ in range(1000):
        governor.reserve(HOST, 0.0)
    assert sums < 100 * 1000


@pytest.mark.parametrize("now", [1.0, 1.5])
def test_what_has_gone_cannot_be_given_back(now: float) -> None:
    """The dial of this very instant has gone too."""
    governor = Governor(spacing=5.0)
    assert [governor.reserve(HOST, 1.0)] == [1.0]
    governor.give_back(HOST, 1.0, now)
    assert governor.reserve(HOST, now) == 6.0


def test_what_nobody_reserved_is_given_back_without_effect() -> None:
    """An unknown host, an unknown instant, one that was given back before."""
    governor = Governor(spacing=1.0)
    governor.give_back(OTHER, 5.0, 0.0)
    assert [governor.reserve(HOST, 0.0) for _ in range(2)] == [0.0, 1.0]
    governor.give_back(HOST, 0.5, 0.0)
    governor.give_back(HOST, 1.0, 0.0)
    governor.give_back(HOST, 1.0, 0.0)
    assert governor.reserve(HOST, 0.0) == 1.0


def test_hosts_do_not_count_together() -> None:
    """Another port is another host."""
    governor = Governor(dials=1)
    governor.hold_off(OTHER, 50.0)
    assert [governor.reserve(host, 0.0) for host in (HOST, "venue.example:9443", OTHER)] == [0.0, 0.0, 50.0]


# What a host asks for


def test_a_pause_that_was_asked_for_is_kept() -> None:
    """Until its very end; the rules hold after it."""
    governor = Governor(spacing=1.0)
    governor.hold_off(HOST, 10.0)
    assert [governor.reserve(HOST, 3.0) for _ in range(3)] == [10.0, 11.0, 12.0]
    assert [governor.earliest(HOST, now) for now in (3.0, 10.0, 11.0)] == [10.0, 10.0, 11.0]
    assert governor.earliest(OTHER, 3.0) == 3.0


def test_the_longest_pause_holds() -> None:
    """A shorter one that comes later does not end it."""
    governor = Governor()
    governor.hold_off(HOST, 10.0)
    governor.hold_off(HOST, 5.0)
    assert governor.earliest(HOST, 0.0) == 10.0


def test_without_arguments_only_a_pause_counts() -> None:
    """Any number of dials at once, before and after."""
    governor = Governor()
    assert [governor.reserve(HOST, 0.0) for _ in range(500)] == [0.0] * 500
    governor.hold_off(HOST, 10.0)
    assert [governor.reserve(HOST, 1.0) for _ in range(2)] == [10.0, 10.0]
    assert governor.due(HOST, 0.5, 1.0) == 10.0
    assert governor.due(HOST, 10.0, 10.0) == 10.0
    assert governor.due(HOST, 10.0, 11.0) == 11.0
    assert governor.due(HOST, 12.0, nextafter(12.0, 0.0)) == nextafter(12.0, 0.0) + TICK


def test_a_dial_that_was_reserved_before_the_pause_is_put_off_when_it_is_due() -> None:
    """All of them, in their order, and not in one moment."""
    governor = Governor(spacing=1.0)
    dialler = Dialler(governor)
    for number in range(4):
        dialler.reserve(number, 0.0)
    dialler.run(0.0, until=2.0)
    governor.hold_off(HOST, 60.0)
    dialler.run(2.0)

    assert dialler.gone == [(0.0, 0), (1.0, 1), (60.0, 2), (61.0, 3)]


# What really goes


@given(RULES, STEPS, st.lists(st.floats(0.0, 4.0) | st.sampled_from([0.0, 1e-9, 1e-3]), min_size=1, max_size=9))
def test_what_goes_keeps_every_rule_however_late_the_loop_is(rules: Any, steps: Any, late: list[float]) -> None:
    """Late wakings bring dials together that were planned apart: who is due then waits again."""
    dials, per, spacing = rules
    governor, now, number = Governor(dials, per, spacing), 0.0, 0
    dialler = Dialler(governor, lambda asked: late[asked % len(late)])
    pauses: list[tuple[float, float]] = []
    for part, what, which in steps:
        now = dialler.run(now, until=now + part * per)
        now += part * per
        if what == "hold":
            pauses.append((now, now + which))
            governor.hold_off(HOST, now + which)
        else:
            dialler.reserve(number, now)
            number += 1
    dialler.run(now)

    assert sorted(number for _, number in dialler.gone) == list(range(number))
    assert broken([at for at, _ in dialler.gone], dials, per, spacing) == []
    assert [at for at, _ in dialler.gone for begin, end in pauses if begin < at < end] == []


def test_a_thousand_dials_of_a_busy_loop_go_in_their_order() -> None:
    """Each takes a millisecond of the loop; nobody is overtaken, and nobody asks again and again."""
    dialler = Dialler(Governor(dials=300), busy=0.001)
    for number in range(1000):
        dialler.reserve(number, 0.0)
    dialler.run(0.0)

    assert [number for _, number in dialler.gone] == list(range(1000))
    assert broken([at for at, _ in dialler.gone], 300, 300.0, 0.0) == []
    assert dialler.gone[-1][0] < 902.0
    assert dialler.asked <= 2000


def test_a_loop_that_stood_still_does_not_dial_in_one_burst() -> None:
    """Three slots have passed: one goes, and the others follow by the rule, before who came later."""
    governor = Governor(spacing=1.0)
    slots = [governor.reserve(HOST, 0.0) for _ in range(3)]

    assert [governor.due(HOST, slot, 9.0) for slot in slots] == [9.0, 10.0, 11.0]
    assert [governor.due(HOST, slot, slot) for slot in (10.0, 11.0)] == [10.0, 11.0]


def test_who_is_a_little_late_is_not_sent_to_the_end() -> None:
    """Though the next slot is then nearer than the rule allows: that one will wait."""
    governor = Governor(spacing=1.0)
    assert [governor.reserve(HOST, 0.0) for _ in range(3)] == [0.0, 1.0, 2.0]
    assert governor.due(HOST, 0.0, 0.0) == 0.0
    assert governor.due(HOST, 1.0, 1.25) == 1.25
    assert governor.due(HOST, 2.0, 2.0) == 2.25
    assert governor.due(HOST, 2.25, 2.25) == 2.25


def test_who_asks_too_early_waits() -> None:
    """A timer fires early by its clock's resolution: another wait of a microsecond at least, so that it ends."""
    governor = Governor(spacing=1.0)
    assert [governor.reserve(HOST, 0.0) for _ in range(2)] == [0.0, 1.0]
    assert governor.due(HOST, 1.0, 0.5) == 1.0
    assert governor.due(HOST, 1.0, nextafter(1.0, 0.0)) == nextafter(1.0, 0.0) + TICK


def test_a_dial_that_waits_again_can_be_given_back() -> None:
    """By the instant that it was told last."""
    governor = Governor(spacing=5.0)
    slots = [governor.reserve(HOST, 0.0) for _ in range(2)]
    governor.hold_off(HOST, 20.0)
    assert [governor.due(HOST, slot, 5.0) for slot in slots] == [20.0, 25.0]
    governor.give_back(HOST, 20.0, 6.0)
    assert governor.reserve(HOST, 6.0) == 20.0


# What it keeps


def test_what_counts_no_more_is_forgotten() -> None:
    """A governor that lives for weeks knows the hosts and the dials of one window."""
    governor = Governor(dials=5, per=10.0, spacing=0.5)
    for number in range(1000):
        host = f"venue-{number % 50}.example:443"
        now = float(number)
        governor.due(host, governor.reserve(host, now), now)
        governor.hold_off(f"busy-{number}.example:443", now + 3.0)
    assert repr(governor) == "<Governor: 13 hosts, 10 dials>"
    governor.reserve(HOST, 2000.0)
    assert repr(governor) == "<Governor: 1 hosts, 1 dials>"


def test_a_slot_is_kept_as_long_as_it_counts() -> None:
    """To the last instant of the longer rule, whichever that is."""
    for governor in (Governor(dials=1, per=10.0, spacing=1.0), Governor(dials=9, per=1.0, spacing=10.0)):
        governor.reserve(HOST, 0.0)
        assert governor.reserve(HOST, nextafter(10.0, 0.0)) == 10.0


def test_a_slot_that_was_forgotten_may_still_come_due() -> None:
    """A loop that stood still for longer than a window."""
    governor = Governor(spacing=1.0)
    slot = governor.reserve(HOST, 0.0)
    governor.reserve(OTHER, 50.0)
    assert repr(governor) == "<Governor: 1 hosts, 1 dials>"
    assert governor.due(HOST, slot, 50.0) == 50.0
    assert governor.reserve(HOST, 50.0) == 51.0


# Arguments


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"dials": 0}, "dials: 0 is out of range; take a whole number, 1 or more, or None for no limit"),
        ({"dials": True}, "dials: True is out of range; take a whole number, 1 or more, or None for no limit"),
        ({"dials": 1.5}, "dials: 1.5 is out of range; take a whole number, 1 or more, or None for no limit"),
        ({"per": 0.0}, "per: 0.0 is out of range; take more than 0 seconds"),
        ({"per": None}, "per: None is no float or int; take seconds"),
        ({"spacing": -0.5}, "spacing: -0.5 is out of range; take seconds, 0 or more"),
        ({"spacing": nan}, "spacing: nan is out of range; take seconds, 0 or more"),
        ({"spacing": False}, "spacing: False is out of range; take seconds, 0 or more"),
    ],
)
def test_rules_that_say_nothing_are_refused(arguments: Any, says: str) -> None:
    """When the governor is made, with the argument's name and the way out."""
    with pytest.raises(ConfigError) as refused:
        Governor(**arguments)

    assert str(refused.value) == says


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("ws://venue.example", "venue.example:80"),
        ("wss://venue.example/ws?token=abc", "venue.example:443"),
        ("wss://me:secret@Venue.EXAMPLE:9443/ws", "venue.example:9443"),
        ("wss://venue.example:0", "venue.example:0"),
        ("ws://127.0.0.1:8080", "127.0.0.1:8080"),
        ("wss://[2001:DB8::1]/ws", "[2001:db8::1]:443"),
    ],
)
def test_a_host_is_name_and_port(url: str, host: str) -> None:
    """In one spelling, and nothing else of the URL."""
    assert host_of(url) == host


def test_what_is_no_url_has_no_host() -> None:
    """And what is wrong with it is said without its secrets."""
    with pytest.raises(ConfigError, match="ws://") as refused:
        host_of("http://me:hunter2@venue.example")

    assert "hunter2" not in str(refused.value)
