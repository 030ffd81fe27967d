"""What is missing is fetched, and put where it belongs: in order, each once, and nothing that came is lost by it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import reactivex as rx
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as ops

from rxws.errors import BufferOverflow, ConfigError, ConnectionClosed
from rxws.events import Gap
from rxws.gaps import State, Step, Verdict
from rxws.operators import detect_gaps, fill_gaps
from tests.operators.hand import STAMP, Hand, closed
from tests.operators.seen import COMPLETED, Seen, turns


class One(NamedTuple):
    """A value: its topic, and its number; from the stream, or fetched."""

    topic: str
    number: int
    fetched: bool = False


def one(text: str) -> One:
    """Read "a1"."""
    return One(text[0], int(text[1:]))


def gap(topic: str, last: int, next: int) -> Gap:
    """Return what says that some are missing."""
    return Gap(**STAMP, topic=topic, last=last, next=next)


def shown(value: Any) -> Any:
    """Write "a1", "a1*" where it was fetched, "a1..4" for a gap."""
    if isinstance(value, Gap):
        return f"{value.topic}{value.last}..{value.next}"
    return f"{value.topic}{value.number}{'*' * value.fetched}" if isinstance(value, One) else value


class Desk:
    """Where missing values are fetched: what was asked when, and what it answers `after` some seconds."""

    def __init__(self, after: float = 2.0) -> None:
        self.after = after
        self.asked: list[tuple[float, str]] = []
        self.failed: list[tuple[float, str, Exception]] = []
        self.answers: Callable[[Gap], Any] = lambda gap: [
            One(gap.topic, number, True) for number in range(gap.last + 1, gap.next)
        ]
        self.hand: Hand

    def fetch(self, gap: Gap) -> Any:
        """Answer after a while."""
        self.asked.append((self.hand.virtual.clock, shown(gap)))
        answer = self.answers(gap)
        if isinstance(answer, Exception):
            late: Any = rx.timer(self.after).pipe(ops.flat_map(lambda _: rx.throw(answer)))
        else:
            late = rx.timer(self.after).pipe(ops.flat_map(lambda _: rx.from_iterable(answer)))
        return late

    def fails(self, gap: Gap, error: Exception) -> None:
        """Hear of what is not filled."""
        self.failed.append((self.hand.virtual.clock, shown(gap), error))


def filling(desk: Desk, **options: Any) -> Hand:
    """Return a source whose gaps are filled at the desk."""
    options = {"failed": desk.fails, **options}
    operator = fill_gaps(desk.fetch, lambda value: value.number, lambda value: value.topic, **options)
    desk.hand = Hand(operator)
    return desk.hand


def came(fed: Hand) -> list[Any]:
    """When, and what."""
    return [(at, shown(value)) for at, value in fed.messages]


def test_what_is_missing_comes_in_its_place() -> None:
    """Behind the gap and before what came meanwhile, in order."""
    fed = filling(Desk()).at(5.0, one("a1"), gap("a", 1, 4), one("a4")).at(6.0, one("a5")).at(8.0, one("a6"))
    assert came(fed) == [
        (5.0, "a1"),
        (5.0, "a1..4"),
        (7.0, "a2*"),
        (7.0, "a3*"),
        (7.0, "a4"),
        (7.0, "a5"),
        (8.0, "a6"),
    ]
    assert fed.timers == 0


def test_other_topics_and_events_go_on() -> None:
    """They may pass what is held."""
    fed = filling(Desk()).at(5.0, gap("a", 1, 3), one("a3"), one("b7"), closed()).at(8.0)
    assert [shown(value) for value in fed.values] == ["a1..3", "b7", closed(), "a2*", "a3"]


def test_each_missing_value_comes_once_in_order_and_no_other() -> None:
    """Whatever order they are fetched in, and whatever comes with them: what was there before, and what is held."""
    desk = Desk()
    desk.answers = lambda gap: [One("a", number, True) for number in (9, 4, 5, 3, 2, 3, 1, 2, 0)]
    fed = filling(desk).at(5.0, one("a1"), gap("a", 1, 5), one("a5")).at(8.0)
    assert [shown(value) for value in fed.values] == ["a1", "a1..5", "a2*", "a3*", "a4*", "a5"]


def test_an_answer_that_lacks_some_is_what_there_is() -> None:
    """It is not asked again."""
    desk = Desk()
    desk.answers = lambda gap: []
    fed = filling(desk).at(5.0, gap("a", 1, 5), one("a5")).at(50.0)
    assert ([shown(value) for value in fed.values], len(desk.asked), desk.failed) == (["a1..5", "a5"], 1, [])


def test_where_numbers_began_anew_nothing_is_fetched() -> None:
    """Nothing lies between them; nor where they are neighbours."""
    desk = Desk()
    fed = filling(desk).at(5.0, gap("a", 9, 3), one("a3"), gap("a", 3, 4), one("a4"))
    assert ([shown(value) for value in fed.values], desk.asked) == (["a9..3", "a3", "a3..4", "a4"], [])


def test_what_belongs_to_no_topic_is_not_held() -> None:
    """Its topic is None."""
    fed = filling(Desk()).at(5.0, gap("a", 1, 3), One(None, 5), one("a3"))  # type: ignore[arg-type]
    assert fed.values[1:] == [One(None, 5)]  # type: ignore[arg-type]


def test_behind_detect_gaps_topics_have_the_same_text() -> None:
    """Tuples too."""

    def by_one(state: State | None, value: One) -> Step:
        missing = state is not None and value.number > state.last + 1
        return Step(Verdict.GAP if missing else Verdict.OK, State(value.number), value.number)

    def topic(value: One) -> tuple[str, int]:
        return value.topic, 1

    desk = Desk(0.5)
    desk.answers = lambda gap: [One(gap.topic[0], number, True) for number in range(gap.last, gap.next)]
    desk.hand = Hand(
        lambda _: (
            lambda source: source.pipe(
                detect_gaps(by_one, topic), fill_gaps(desk.fetch, lambda value: value.number, topic)
            )
        )
    )
    fed = desk.hand.at(5.0, one("a1"), one("a4"), one("a5"), one("b1")).at(9.0)
    assert [shown(value) for value in fed.values] == ["a1", "a:11..4", "b1", "a2*", "a3*", "a4", "a5"]


# How fetch answers


@pytest.mark.parametrize("kind", ["list", "generator", "coroutine", "observable"])
def test_fetch_may_answer_in_any_way(kind: str) -> None:
    """At once, too: then the values stand right behind the gap."""
    values = [One("a", 2, True), One("a", 3, True)]

    async def coroutine(gap: Gap) -> list[One]:
        return values

    ways: dict[str, Any] = {
        "list": lambda gap: values,
        "generator": lambda gap: (each for each in values),
        "coroutine": coroutine,
        "observable": lambda gap: rx.from_iterable(values),
    }
    fed = Hand(fill_gaps(ways[kind], lambda value: value.number, lambda value: value.topic))
    fed.at(5.0, gap("a", 1, 4), one("a4")).at(5.1)
    assert [shown(value) for value in fed.values] == ["a1..4", "a2*", "a3*", "a4"]


async def test_a_coroutine_is_awaited_on_the_loop_and_cancelled_with_the_subscriber() -> None:
    """And what comes meanwhile is held."""
    asked: list[str] = []
    release = asyncio.Event()
    source: rx.subject.Subject[Any] = rx.subject.Subject()

    async def fetch(gap: Gap) -> list[One]:
        try:
            await release.wait()
        except asyncio.CancelledError:
            asked.append("cancelled")
            raise
        return [One("a", 2, True)]

    seen: list[Any] = []
    operator = fill_gaps(fetch, lambda value: value.number, lambda value: value.topic, every=0.001)
    subscription = source.pipe(operator).subscribe(lambda value: seen.append(shown(value)))
    source.on_next(gap("a", 1, 3))
    source.on_next(one("a3"))
    await turns()
    assert seen == ["a1..3"]
    release.set()
    await turns()
    assert seen == ["a1..3", "a2*", "a3"]
    release.clear()
    await asyncio.sleep(0.002)
    source.on_next(gap("a", 3, 5))
    await turns()
    subscription.dispose()
    await turns()
    assert (asked, source.observers) == (["cancelled"], [])


# Failures


def test_a_fetch_that_fails_is_tried_again_and_then_given_up() -> None:
    """What came goes on without what is missing; the gap has said so. The attempts are spaced."""
    desk, error = Desk(0.25), OSError("no route")
    desk.answers = lambda gap: error
    fed = filling(desk).at(5.0, one("a1"), gap("a", 1, 4), one("a4")).at(7.0, one("a5")).at(50.0)
    assert desk.asked == [(5.0, "a1..4"), (6.0, "a1..4"), (7.0, "a1..4")]
    assert desk.failed == [(7.25, "a1..4", error)]
    assert came(fed)[2:] == [(7.25, "a4"), (7.25, "a5")]
    assert fed.timers == 0


def test_an_attempt_that_succeeds_after_all_fills_the_gap() -> None:
    """Nobody hears of those that failed."""
    desk = Desk(0.25)
    good = desk.answers
    desk.answers = lambda gap: good(gap) if len(desk.asked) == 3 else OSError()
    fed = filling(desk).at(5.0, gap("a", 1, 3), one("a3")).at(50.0)
    assert ([shown(value) for value in fed.values], desk.failed) == (["a1..3", "a2*", "a3"], [])


@pytest.mark.parametrize("answer", [None, 5, "raises", "raises within"])
def test_what_fetch_raises_at_once_or_answers_wrongly_is_a_failure_too(answer: Any) -> None:
    """Nothing is raised into the source."""

    def fetch(gap: Gap) -> Any:
        if answer == "raises":
            raise LookupError
        return (1 / 0 for _ in range(3)) if answer == "raises within" else answer

    failed: list[Exception] = []
    operator = fill_gaps(
        fetch,
        lambda value: value.number,
        lambda value: value.topic,
        attempts=1,
        failed=lambda gap, error: failed.append(error),
    )
    fed = Hand(operator).at(5.0, gap("a", 1, 3), one("a3"))
    assert [shown(value) for value in fed.values] == ["a1..3", "a3"]
    assert [type(error) for error in failed] in ([TypeError], [LookupError], [ZeroDivisionError])


def test_a_fetch_that_takes_too_long_has_failed() -> None:
    """It is cancelled, and a late answer is not heard."""
    desk = Desk(60.0)
    fed = filling(desk, timeout=3.0, attempts=2).at(5.0, gap("a", 1, 3), one("a3")).at(200.0)
    assert [at for at, _ in desk.asked] == [5.0, 8.0]
    [(at, _, error)] = desk.failed
    assert (at, type(error), str(error)) == (11.0, TimeoutError, "no answer within 3 s")
    assert [shown(value) for value in fed.values] == ["a1..3", "a3"]
    assert came(filling(Desk(60.0), timeout=None).at(5.0, gap("a", 1, 3)).at(200.0))[-1] == (65.0, "a2*")


def test_without_anybody_who_is_told_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    """Once a minute, and without secrets."""
    desk = Desk()
    desk.answers = lambda gap: OSError("wss://venue/ws?token=abcdef \x1b[2J")
    filling(desk, failed=None, attempts=1).at(5.0, gap("a", 1, 3), gap("b", 1, 3)).at(50.0)
    [record] = caplog.records
    assert record.getMessage().startswith("'a': the gap from 1 to 3 is not filled: OSError(")
    assert "abcdef" not in record.getMessage()
    assert "\x1b" not in record.getMessage()


# Storms


def test_a_topic_has_one_fetch_at_a_time() -> None:
    """A gap that comes meanwhile waits among what is held, and is filled in its turn."""
    desk = Desk()
    fed = filling(desk).at(5.0, gap("a", 1, 3), one("a3"), gap("a", 3, 5), one("a5"), gap("a", 9, 2), one("a2"))
    fed.at(50.0)
    assert desk.asked == [(5.0, "a1..3"), (7.0, "a3..5")]
    assert [shown(value) for value in fed.values] == ["a1..3", "a2*", "a3", "a3..5", "a4*", "a5", "a9..2", "a2"]


def test_the_attempts_of_each_gap_are_its_own() -> None:
    """A gap that waited has as many as the first."""
    desk = Desk(0.25)
    desk.answers = lambda gap: OSError()
    filling(desk, attempts=2).at(5.0, gap("a", 1, 3), gap("a", 3, 5)).at(50.0)
    assert [text for _, text in desk.asked] == ["a1..3", "a1..3", "a3..5", "a3..5"]


def test_two_fetches_are_spaced_whatever_their_topics() -> None:
    """A storm of gaps is no storm of fetches; they begin in the order of the gaps."""
    desk = Desk()
    fed = filling(desk, every=1.5).at(5.0, *(gap(topic, 1, 3) for topic in "abcd")).at(50.0)
    assert desk.asked == [(5.0, "a1..3"), (6.5, "b1..3"), (8.0, "c1..3"), (9.5, "d1..3")]
    fed.at(50.0, gap("a", 3, 5))
    assert desk.asked[-1] == (50.0, "a3..5")


def test_what_is_held_has_a_bound_and_nothing_that_came_is_dropped() -> None:
    """Beyond it the gap is given up, and the topic goes on."""
    desk = Desk(60.0)
    fed = filling(desk, maxsize=3, timeout=None).at(5.0, gap("a", 1, 4), *map(one, ("a4", "a5", "a6")))
    assert len(fed.values) == 1
    fed.at(6.0, one("a7"))
    assert [shown(value) for value in fed.values] == ["a1..4", "a4", "a5", "a6", "a7"]
    [(at, text, error)] = desk.failed
    assert (at, text, isinstance(error, BufferOverflow), str(error)) == (
        6.0,
        "a1..4",
        True,
        "a buffer of 3 is full; 0 dropped so far",
    )
    assert shown(fed.at(100.0, one("a8")).values[-1]) == "a8"
    assert fed.timers == 0


def test_the_bound_is_that_of_all_topics_together() -> None:
    """The topic of the one too many gives up, also one that still waits for its turn to be fetched."""
    desk = Desk(3.0)
    fed = filling(desk, maxsize=2).at(5.0, gap("a", 1, 3), gap("b", 1, 3), one("a3"), one("b3"), one("b4"))
    assert [shown(value) for value in fed.values] == ["a1..3", "b1..3", "b3", "b4"]
    fed.at(50.0)
    assert desk.asked == [(5.0, "a1..3")]
    assert [shown(value) for value in fed.values[4:]] == ["a2*", "a3"]


def test_held_values_that_went_on_take_no_room_any_more() -> None:
    """Gap after gap."""
    desk = Desk(0.5)
    fed = filling(desk, maxsize=2)
    for start in range(1, 40, 3):
        fed.at(5.0 + start, gap("a", start, start + 2), one(f"a{start + 2}"), one(f"a{start + 3}"))
    fed.at(100.0)
    assert desk.failed == []


# The end


def test_completion_waits_for_what_is_being_filled() -> None:
    """All of it."""
    fed = filling(Desk()).at(5.0, gap("a", 1, 3), one("a3"), gap("a", 3, 5), gap("b", 1, 3)).ends()
    assert fed.values[-1] != COMPLETED
    fed.at(50.0)
    assert [shown(value) for value in fed.values][-2:] == ["a4*", COMPLETED]
    assert fed.is_left
    assert filling(Desk()).at(5.0, one("a3")).ends().values[-1] == COMPLETED


def test_an_error_comes_at_once_behind_what_is_held() -> None:
    """Without what is missing: the fetches end."""
    error = ConnectionClosed(1006)
    fed = filling(Desk()).at(5.0, gap("a", 1, 3), one("a3"), gap("b", 1, 3), one("b3"), gap("a", 3, 5), one("a5"))
    fed.ends(error)
    assert [shown(value) for value in fed.values[2:]] == ["a3", "a3..5", "a5", "b3", error]
    assert (fed.is_left, len(fed.at(50.0).values)) == (True, 7)


def test_who_leaves_gets_nothing_more_and_leaves_no_timer() -> None:
    """At the gap, among what was fetched, among what is held, or of itself."""
    for count in range(1, 6):
        desk = Desk()
        fill = fill_gaps(desk.fetch, lambda value: value.number, lambda value: value.topic)
        desk.hand = Hand(lambda _, fill=fill, count=count: lambda source: source.pipe(fill, ops.take(count)))
        fed = desk.hand.at(5.0, gap("a", 1, 4), one("a4"), gap("a", 4, 6), one("a6")).at(7.0)
        assert (len(fed.values), fed.values[-1], fed.is_left) == (count + 1, COMPLETED, True)
        assert len(desk.asked) == (count > 1)
    fed = filling(Desk()).at(5.0, gap("a", 1, 4), gap("b", 1, 4))
    fed.seen.dispose()
    assert (fed.is_left, len(fed.at(50.0).values)) == (True, 2)


def test_what_the_subscriber_raises_at_what_was_fetched_ends_it() -> None:
    """It is reported."""
    fed = filling(Desk()).at(5.0, gap("a", 1, 4), one("a4"))
    fed.on_seen = lambda value: value.nothing
    with pytest.raises(AttributeError):
        fed.at(50.0)
    assert (len(fed.values), fed.is_left) == (2, True)


def test_what_the_subscriber_raises_behind_a_fetch_that_failed_ends_it_too() -> None:
    """It is raised by a timer as well."""
    desk = Desk()
    desk.answers = lambda gap: OSError()
    fed = filling(desk, attempts=1).at(5.0, gap("a", 1, 4), one("a4"), one("a5"))
    fed.on_seen = lambda value: value.nothing
    with pytest.raises(AttributeError):
        fed.at(50.0)
    assert (len(fed.values), fed.is_left) == (2, True)


def test_a_fetch_whose_gap_was_given_up_meanwhile_is_not_heard() -> None:
    """What it answers would come behind what was held."""
    desk = Desk()

    def fetch(gap: Gap) -> list[One]:
        desk.hand.at(5.0, one("a3"), one("a4"))
        return [One("a", 2, True)]

    desk.hand = Hand(
        fill_gaps(fetch, lambda value: value.number, lambda value: value.topic, maxsize=1, failed=desk.fails)
    )
    fed = desk.hand.at(5.0, gap("a", 1, 3), one("a5"))
    assert [shown(value) for value in fed.values] == ["a1..3", "a3", "a4", "a5"]
    assert len(desk.failed) == 1


@pytest.mark.parametrize("answer", [[One("a", 2, True)], OSError()], ids=["answers", "raises"])
def test_a_fetch_that_makes_its_subscriber_leave_is_not_heard(answer: Any) -> None:
    """Neither its answer nor its failure."""
    desk = Desk()

    def fetch(gap: Gap) -> Any:
        desk.hand.seen.dispose()
        if isinstance(answer, Exception):
            raise answer
        return answer

    desk.hand = Hand(fill_gaps(fetch, lambda value: value.number, failed=desk.fails, attempts=1))
    fed = desk.hand.at(5.0, gap("a", 1, 3)).at(50.0)
    assert (len(fed.values), desk.failed, fed.is_left) == (1, [], True)


@pytest.mark.parametrize("which", ["key", "topic", "failed"])
def test_what_key_topic_or_failed_raise_is_the_results_error(which: str) -> None:
    """The source and the fetches are left."""
    desk = Desk()
    if which == "failed":
        desk.answers = lambda gap: OSError()
    functions: dict[str, Any] = {"key": lambda value: value.number, "topic": lambda value: value.topic, "failed": None}
    functions[which] = lambda *values: values[0].nothing
    desk.hand = Hand(fill_gaps(desk.fetch, attempts=1, **functions))
    fed = desk.hand.at(5.0, gap("a", 1, 3), one("a3")).at(50.0)
    assert isinstance(fed.values[-1], AttributeError)
    assert (len(fed.values), fed.is_left) == (2, True)


def test_two_subscribers_are_independent() -> None:
    """Each fetches for itself."""
    desk = Desk()
    fed = filling(desk).at(5.0, gap("a", 1, 3))
    second = Seen(fed.virtual, fed.stream)
    fed.at(5.0, one("a3"))
    assert (len(fed.values), [shown(value) for value in second.values]) == (1, ["a3"])
    assert len(fed.at(50.0).values) == 3


def test_what_comes_because_of_a_value_stays_in_order() -> None:
    """Held, while what is missing or held is being emitted."""
    fed = filling(Desk(), maxsize=1).at(5.0, gap("a", 1, 3), one("a3"))
    fed.on_seen = lambda value: (
        [fed.source.on_next(one(each)) for each in ("a4", "a5")] if shown(value) == "a2*" else None
    )
    fed.at(8.0)
    assert [shown(value) for value in fed.values] == ["a1..3", "a2*", "a3", "a4", "a5"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3), st.integers(0, 8)), max_size=40))
def test_with_a_desk_that_answers_nothing_is_missing_twice_or_displaced(
    steps: list[tuple[str, int, int]],
) -> None:
    """Of each topic, whatever the times."""
    desk = Desk(1.25)
    fed, last, now = filling(desk, every=0.5), {"a": 0, "b": 0}, 5.0
    for topic, step, wait in steps:
        now += wait / 4
        number = last[topic] + step
        fed.at(now, *([gap(topic, last[topic], number)] if step > 1 else []), One(topic, number))
        last[topic] = number
    fed.at(now + 500.0)
    for topic in "ab":
        numbers = [value.number for value in fed.values if isinstance(value, One) and value.topic == topic]
        assert numbers == list(range(1, last[topic] + 1))
    began = [at for at, _ in desk.asked]
    assert all(after - before >= 0.5 - 1e-5 for before, after in itertools.pairwise(began))
    assert fed.timers == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"fetch": 5}, "fetch"),
        ({"key": 5}, "key"),
        ({"topic": 5}, "topic"),
        ({"every": 0}, "every"),
        ({"attempts": 0}, "attempts"),
        ({"timeout": 0}, "timeout"),
        ({"maxsize": 0}, "maxsize"),
        ({"failed": 5}, "failed"),
    ],
)
def test_a_wrong_argument_is_named(arguments: Any, field: str) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError) as caught:
        fill_gaps(**{"fetch": list, "key": int, **arguments})
    assert caught.value.field == field
