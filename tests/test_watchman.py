"""The looks at a loop, with a wall clock and a monotonic one that the test moves."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from typing import Any

import pytest
from reactivex import abc
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.testing import TestScheduler

from rxws.watchman import EVERY, LATE, LONG, SLEPT, Watchman


class Machine(TestScheduler):
    """A loop whose wall clock runs ahead of its timers by `ahead` seconds, and which can stand still."""

    ahead = 0.0

    def wall(self) -> float:
        """The wall clock."""
        return self.clock + self.ahead

    def block(self, seconds: float) -> None:
        """Stand still: time passes, and no timer fires."""
        self.sleep(seconds)


class Member:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float, str | None]] = []
        self.on_told: Any = lambda: None

    def suspended(self, seconds: float) -> None:
        self.told.append(("suspended", round(seconds, 3), None))
        self.on_told()

    def blocked(self, seconds: float, callback: str | None) -> None:
        self.told.append(("blocked", round(seconds, 3), callback))
        self.on_told()


class Watching:
    """A watchman on such a machine, and its members."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, members: int = 1) -> None:
        self.machine = Machine()
        monkeypatch.setattr("rxws.watchman.wall_time_ns", lambda on: round(on.wall() * 1e9))
        self.watchman = Watchman(self.machine)
        self.members = [Member() for _ in range(members)]
        self.places: list[abc.DisposableBase] = [self.watchman.join(member) for member in self.members]

    @property
    def told(self) -> list[Any]:
        return [member.told for member in self.members]

    def goes_on(self, seconds: float = 5.0) -> None:
        """Let time pass as it should."""
        self.machine.advance_by(seconds)


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    """A watchman with one member, whose loop has run for a while."""
    made = Watching(monkeypatch)
    made.goes_on(10.2)
    return made


def test_while_all_is_well_nothing_is_told(watching: Watching) -> None:
    """Two looks a second, for a day."""
    watching.goes_on(3600.0)
    assert watching.told == [[]]


@pytest.mark.parametrize("slept", [SLEPT, 60.0, 8 * 3600.0])
def test_a_machine_that_slept_is_noticed(watching: Watching, slept: float) -> None:
    """The wall clock has run ahead of the monotonic one; it is told once, with the seconds."""
    watching.machine.ahead += slept
    watching.goes_on()
    assert watching.told == [[("suspended", slept, None)]]


@pytest.mark.parametrize("step", [SLEPT - 0.01, 0.5, -0.5, -SLEPT, -3600.0])
def test_a_clock_that_is_set_right_is_no_sleep(watching: Watching, step: float) -> None:
    """NTP's steps, and whatever goes backwards."""
    watching.machine.ahead += step
    watching.goes_on()
    assert watching.told == [[]]


def test_a_clock_that_drifts_is_no_sleep(watching: Watching) -> None:
    """It is compared from look to look: what adds up over hours is nothing."""
    for _ in range(100):
        watching.machine.ahead += 1.0
        watching.goes_on(1.0)
    assert watching.told == [[]]


def test_a_sleep_after_a_step_backwards_is_noticed_too(watching: Watching) -> None:
    """Every look begins anew."""
    watching.machine.ahead -= 3600.0
    watching.goes_on(1.0)
    watching.machine.ahead += 60.0
    watching.goes_on(1.0)
    assert watching.told == [[("suspended", 60.0, None)]]


@pytest.mark.parametrize("seconds", [LATE + EVERY, 1.4, 20.0])
def test_a_loop_that_stood_still_is_told_once(watching: Watching, seconds: float) -> None:
    """Nobody knows why; the time until the look was due is not counted."""
    watching.machine.block(seconds)
    watching.goes_on()
    [[(kind, told, callback)]] = watching.told
    assert (kind, callback) == ("blocked", None)
    assert seconds - EVERY <= told <= seconds


def test_what_is_shorter_is_not_told(watching: Watching) -> None:
    """A loop is late by some milliseconds all the time."""
    for _ in range(10):
        watching.machine.block(LATE)
        watching.goes_on(1.0)
    assert watching.told == [[]]


def test_standing_still_for_long_counts_as_sleep(watching: Watching) -> None:
    """A stopped process, and monotonic clocks that go on while the machine sleeps."""
    watching.machine.block(LONG + EVERY)
    watching.goes_on()
    [told] = watching.told
    assert [kind for kind, _, _ in told] == ["blocked", "suspended"]


def test_who_is_known_is_told_by_name_to_the_others(watching: Watching) -> None:
    """Who named it knows; the others hear of it at the next look; and nobody hears that something unknown did it."""
    other = Member()
    watching.watchman.join(other)
    (member,) = watching.members
    watching.machine.block(1.4)
    watching.watchman.named(member, 1.4, "strategy.decide")
    watching.goes_on()
    assert member.told == []
    assert other.told == [("blocked", 1.4, "strategy.decide")]


def test_what_a_name_does_not_explain_is_told_beside_it(watching: Watching) -> None:
    """Two blocks between two looks, and one of them known."""
    watching.machine.block(1.2)
    watching.watchman.named(watching.members[0], 1.2, "strategy.decide")
    watching.machine.block(3.0)
    watching.goes_on()
    [[(kind, seconds, callback)]] = watching.told
    assert (kind, callback) == ("blocked", None)
    assert 3.0 - EVERY <= seconds <= 3.0


def test_a_long_block_whose_reason_is_known_is_no_sleep(watching: Watching) -> None:
    """The machine was awake, and at work."""
    watching.machine.block(LONG + 10.0)
    watching.watchman.named(watching.members[0], LONG + 10.0, "strategy.train")
    watching.goes_on()
    assert watching.told == [[]]


def test_a_name_explains_what_was_before_it_and_nothing_later(watching: Watching) -> None:
    """What is named is forgotten at the next look."""
    watching.machine.block(1.5)
    watching.watchman.named(watching.members[0], 1.5, "strategy.decide")
    watching.goes_on()
    watching.machine.block(1.5)
    watching.goes_on()
    assert [callback for _, _, callback in watching.told[0]] == [None]


def test_how_long_is_known_since_an_instant(watching: Watching) -> None:
    """For who called others that named themselves."""
    began = watching.machine.clock
    watching.machine.block(1.0)
    watching.watchman.named(watching.members[0], 1.0, "first")
    between = watching.machine.clock + 0.5
    watching.machine.block(2.0)
    watching.watchman.named(watching.members[0], 2.0, "second")
    assert watching.watchman.named_since(began) == 3.0
    assert watching.watchman.named_since(between) == 2.0


def test_a_member_that_leaves_while_others_are_told_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one ends the second, and comes and goes itself."""
    watching = Watching(monkeypatch, members=3)
    first, second, third = watching.members
    watching.goes_on()
    first.on_told = lambda: (watching.places[1].dispose(), watching.places[0].dispose())
    watching.machine.ahead += 60.0
    watching.goes_on()
    assert [len(each.told) for each in (first, second, third)] == [1, 0, 1]
    watching.machine.ahead += 60.0
    watching.goes_on()
    assert [len(each.told) for each in (first, second, third)] == [1, 0, 2]


def test_a_member_that_joins_while_others_are_told_hears_of_the_next(watching: Watching) -> None:
    """And not of what was before it."""
    other = Member()
    watching.members[0].on_told = lambda: watching.watchman.join(other)
    watching.machine.ahead += 60.0
    watching.goes_on()
    assert other.told == []


def test_no_timer_is_left_when_the_last_has_left(watching: Watching) -> None:
    """Nor does a time without members count as anything, when the next one joins."""
    watching.places[0].dispose()
    assert pending(watching.machine) == 0
    watching.machine.ahead += 3600.0
    watching.machine.block(3600.0)
    other = Member()
    place = watching.watchman.join(other)
    watching.goes_on()
    assert (other.told, pending(watching.machine)) == ([], 1)
    place.dispose()
    assert pending(watching.machine) == 0


def test_two_loops_are_watched_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its own clocks."""
    one, other = Watching(monkeypatch), Watching(monkeypatch)
    for each in (one, other):
        each.goes_on()
    one.machine.block(2.0)
    for each in (one, other):
        each.goes_on()
    assert ([len(each.told[0]) for each in (one, other)]) == [1, 0]


def test_it_is_logged_once_a_minute_for_a_loop(watching: Watching, caplog: pytest.LogCaptureFixture) -> None:
    """However many streams it has, and whether or not it is known who it was."""
    caplog.set_level(logging.WARNING, "rxws")
    watching.machine.block(2.0)
    watching.goes_on(1.0)
    watching.watchman.named(watching.members[0], 1.0, "strategy.decide")
    watching.goes_on(58.0)
    watching.machine.block(1.4)
    watching.watchman.named(watching.members[0], 1.4, "strategy.decide")
    unknown, known = [record.getMessage() for record in caplog.records]
    assert unknown.endswith("because of something else on the loop")
    assert known == "the event loop stood still for 1.4 s, because of strategy.decide"


async def test_all_on_a_loop_have_one_watchman() -> None:
    """Whichever scheduler of it they have; it goes with them."""
    loop = asyncio.get_running_loop()
    watchman = Watchman.of(AsyncIOScheduler(loop))
    assert Watchman.of(AsyncIOScheduler(loop)) is watchman
    member = Member()
    watchman.join(member).dispose()
    gone = weakref.ref(watchman)
    del watchman
    gc.collect()
    assert gone() is None


def test_a_watchman_does_not_keep_a_loop_that_has_ended() -> None:
    """A script that calls `run` a thousand times has one loop, not a thousand."""

    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        loop = asyncio.get_running_loop()
        Watchman.of(AsyncIOScheduler(loop)).join(Member())  # and never leaves
        return weakref.ref(loop)

    loop = asyncio.run(main())
    gc.collect()
    assert loop() is None


def pending(machine: TestScheduler) -> int:
    """Return how many timers wait."""
    return sum(not item.is_cancelled() for item, _ in machine._queue.items)
