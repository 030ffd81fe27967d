"""What was dropped is told at once, then seldom, and to the end."""

from __future__ import annotations

from itertools import pairwise

from reactivex import Subject
from reactivex.testing import TestScheduler

from rxws import Backoff, SendLimit, Stats, ws_observable
from rxws.events import Closed, Event, Overflow
from rxws.operators._overflows import EVERY, Overflows
from rxws.testing import Attempt, ScriptedTransport
from tests.scripted import play


class Told:
    """Overflows, and what they told."""

    def __init__(self) -> None:
        self.virtual = TestScheduler()
        self.told: list[tuple[float, str, int]] = []
        self.overflows = Overflows(self.virtual, self._tell)

    def at(self, seconds: float, where: str = "inbox", count: int = 1) -> Told:
        """Drop something."""
        self.virtual.advance_to(seconds)
        self.overflows.dropped(where, count)
        return self

    def to(self, seconds: float) -> list[tuple[float, str, int]]:
        """Let time pass; return what was told."""
        self.virtual.advance_to(seconds)
        return self.told

    @property
    def timers(self) -> int:
        """How many timers wait."""
        return sum(not item.is_cancelled() for item, _ in self.virtual._queue.items)

    def _tell(self, where: str, count: int) -> None:
        self.told.append((self.virtual.clock, where, count))


def test_the_first_is_told_at_once_and_the_rest_together() -> None:
    """As soon as it may be, with how many there were; then nothing more, and no timer."""
    told = Told().at(1.0).at(1.5, count=3).at(2.0)
    assert told.told == [(1.0, "inbox", 1)]
    assert told.timers == 1
    assert told.to(100.0) == [(1.0, "inbox", 1), (1.0 + EVERY, "inbox", 4)]
    assert told.timers == 0


def test_where_nothing_accumulates_there_is_no_timer() -> None:
    """One drop is one telling."""
    assert Told().at(1.0).timers == 0
    assert Told().at(1.0).at(10.0).timers == 0


def test_a_flood_is_told_once_an_interval() -> None:
    """And every drop is counted once."""
    told = Told()
    for tenth in range(1, 301):
        told.at(tenth / 10)
    instants = [at for at, _, _ in told.to(100.0)]
    assert all(after - before >= EVERY for before, after in pairwise(instants))
    assert len(instants) == 7
    assert sum(count for _, _, count in told.told) == 300


def test_each_place_has_its_own_interval() -> None:
    """One that is due does not bring the others, and does not wait for them."""
    told = Told().at(0.5, "outbox").at(1.0).at(4.0).at(4.5, "outbox").at(4.9, "hold").at(5.0, "hold")
    assert told.to(30.0) == [
        (0.5, "outbox", 1),
        (1.0, "inbox", 1),
        (4.9, "hold", 1),
        (5.5, "outbox", 1),
        (6.0, "inbox", 1),
        (9.9, "hold", 1),
    ]


def test_what_remains_is_told_at_the_end_and_what_follows_at_once() -> None:
    """Nobody comes later who would."""
    told = Told().at(1.0).at(2.0, count=2)
    told.overflows.end()
    assert told.told == [(1.0, "inbox", 1), (2.0, "inbox", 2)]
    told.at(2.0, count=4).at(3.0, "outbox")
    told.overflows.end()
    assert told.to(30.0)[2:] == [(2.0, "inbox", 4), (3.0, "outbox", 1)]
    assert told.timers == 0


def test_who_is_told_may_drop_more() -> None:
    """A listener that answers by a send, say."""
    told = Told()
    told.overflows = Overflows(told.virtual, lambda where, count: (told._tell(where, count), again.append(1), drop()))
    again: list[int] = []

    def drop() -> None:
        if len(again) < 3:
            told.overflows.dropped("outgoing", 1)
            told.overflows.dropped("outbox", 1)

    told.at(1.0)
    assert sum(count for _, _, count in told.to(100.0)) == 5


# In a stream


def test_forty_five_drops_are_two_events() -> None:
    """And 45 in the stats."""
    outgoing: Subject[str] = Subject()
    played = play(Attempt(opens=None), outgoing=outgoing, open_timeout=None).to(1.0)
    for number in range(45):
        outgoing.on_next(str(number))
    played.to(60.0)
    assert [event.dropped for event in played.of(Overflow)] == [1, 44]
    assert played.stats.dropped == 45


def test_what_is_dropped_by_the_end_itself_is_told_before_it() -> None:
    """Also where the same place has just been told of: nothing is lost in silence."""

    options = {"send_limit": SendLimit(2), "subscriptions": list("abcdef"), "retry": Backoff.fixed(1.0)}
    played = play(Attempt.closes(0.5, 1001), Attempt(), **options).to(3.0)
    assert [event.dropped for event in played.of(Overflow)] == [5]
    played.subscription.dispose()
    assert [event.dropped for event in played.of(Overflow)] == [5, 4]
    assert played.stats.dropped == 9
    assert isinstance(played.events[-1], Closed)


def test_what_remains_is_told_before_the_stream_completes() -> None:
    """Also to who has the events in the stream."""
    virtual, outgoing, seen = TestScheduler(), Subject[str](), list[object]()
    stream = ws_observable(
        "ws://scripted",
        transport=ScriptedTransport(Attempt.closes(3.0, 1000)),
        final_close_codes=[1000],
        outgoing=outgoing,
        lifecycle=True,
        stats=(stats := Stats()),
    )
    stream.subscribe(seen.append, on_completed=lambda: seen.append("completed"), scheduler=virtual)
    for number in range(3):
        outgoing.on_next(str(number))
    virtual.advance_to(60.0)
    told = [event.dropped for event in seen if isinstance(event, Overflow)]
    assert (told, stats.dropped, seen[-1]) == ([1, 2], 3, "completed")


def test_an_overflow_before_the_first_connection_has_the_generation_of_none() -> None:
    """And one in a back-off that of the connection before it."""
    outgoing: Subject[str] = Subject()
    played = play(Attempt.closes(1.0), outgoing=outgoing, retry=Backoff.fixed(100.0))
    outgoing.on_next("early")
    played.to(50.0)
    outgoing.on_next("late")
    events: list[Event] = played.of(Overflow)
    assert [event.generation for event in events] == [0, 1]
