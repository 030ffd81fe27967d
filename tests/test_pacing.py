"""What a connection sends, seen from the other side: never more than its limit, whatever it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reactivex import Subject
from reactivex.testing import TestScheduler

from benchmarks.reliability.limited import CountingTransport, most_in_any
from rxws import Backoff, Rotation, SendLimit, connect, ws_observable
from rxws import operators as wsops
from rxws import pacing as module
from rxws.errors import BufferOverflow, ConnectionClosed
from rxws.events import Event, Opened, Overflow, Rotated, Subscribed
from rxws.pacing import Pacer
from rxws.testing import Attempt
from rxws.types import Connection

FIVE = SendLimit(5)


class Limited:
    """A stream with a limit, in virtual time."""

    def __init__(self, *attempts: Attempt, limit: SendLimit | None = FIVE, **options: Any) -> None:
        self.virtual = TestScheduler()
        self.transport = CountingTransport(*attempts)
        self.events: list[tuple[float, Event]] = []
        stream = ws_observable(
            "ws://scripted",
            transport=self.transport,
            send_limit=limit,
            events=lambda event: self.events.append((self.virtual.clock, event)),
            **{"random": lambda: 0.999_999_999, "retry": Backoff.fixed(1.0), **options},
        )
        self.subscription = stream.subscribe(scheduler=self.virtual)

    def to(self, seconds: float) -> Limited:
        """Let time pass."""
        self.virtual.advance_to(seconds)
        return self

    def frames(self, number: int, *kinds: str) -> list[float]:
        """When frames of a connection left."""
        frames = self.transport.connections[number].frames
        return [at for at, kind in frames if not kinds or kind in kinds]

    def sent(self, number: int) -> list[str | bytes]:
        """The messages of a connection."""
        return self.transport.script.dials[number].sent

    def at(self, kind: type[Event]) -> list[float]:
        """When events of a kind were told."""
        return [at for at, event in self.events if isinstance(event, kind)]

    @property
    def most(self) -> int:
        """The most frames that any second of any connection saw."""
        return max(most_in_any(1.0, self.frames(number)) for number in range(len(self.transport.connections)))

    @property
    def timers(self) -> int:
        """How many timers wait."""
        return sum(not item.is_cancelled() for item, _ in self.virtual._queue.items)


TOPICS = [f"topic {number}" for number in range(500)]


def test_five_hundred_topics_are_restored_over_twenty_reconnects_and_no_window_holds_more_than_five() -> None:
    """Each once a connection, in order, while both sides ping; Subscribed is told when the last has left."""
    pings = [second + 0.3 for second in range(0, 200, 3)]
    life = Attempt(pings=pings, lost=(200.0, ConnectionClosed(1001)))
    limited = Limited(*[life] * 21, subscriptions=TOPICS, ping_interval=5.0).to(20 * 201.0 + 190.0)
    assert len(limited.transport.connections) == 21
    for number in range(21):
        assert limited.sent(number) == TOPICS
        assert len(limited.frames(number, "ping")) > 20
        assert len(limited.frames(number, "pong")) > 60
    assert limited.most == 5
    assert limited.at(Subscribed) == [limited.frames(number, "message")[-1] for number in range(21)]
    assert all(
        subscribed - opened > 500 / 4 - 1
        for subscribed, opened in zip(limited.at(Subscribed), limited.at(Opened), strict=True)
    )


def test_without_a_limit_nothing_waits() -> None:
    """All at once."""
    limited = Limited(Attempt(), limit=None, subscriptions=TOPICS).to(0.5)
    assert (len(limited.sent(0)), limited.at(Subscribed)) == (500, [0.0])


STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 0.05, 0.2, 0.25, 0.9, 1.0, 1.5]), st.sampled_from(["send", "send", "pong"])),
    max_size=60,
)


@settings(max_examples=50)
@given(STEPS, st.integers(1, 6), st.sampled_from([0.3, 1.0, 1.1]), st.sampled_from([None, 0.4, 2.0]))
def test_whatever_is_sent_the_limit_holds(
    steps: list[tuple[float, str]], count: int, per: float, interval: float | None
) -> None:
    """Brute force over all that left; server pings once in `per`, as one place is kept; all arrives, in order."""
    outgoing: Subject[str] = Subject()
    now, sent, pings = 0.0, [], []  # type: ignore[var-annotated]
    for wait, kind in steps:
        now += wait
        if kind == "send":
            sent.append((now, str(len(sent))))
        elif not pings or now - pings[-1] >= per:
            pings.append(now)
    limited = Limited(
        Attempt(pings=pings), limit=SendLimit(count, per), outgoing=outgoing, ping_interval=interval, ping_timeout=None
    )
    for at, payload in sent:
        limited.to(at + 0.001)
        outgoing.on_next(payload)
    limited.to(now + 2.0 * per * len(sent) + 5.0)
    frames = limited.frames(0)
    allowed = count if count > 1 or not pings else 2  # where there is one place only, none is kept for pongs
    assert most_in_any(per, frames) <= allowed
    assert limited.sent(0) == [payload for _, payload in sent]


def test_what_the_script_sends_is_paced_too_and_comes_first() -> None:
    """on_open, then the subscriptions, then what was held."""

    async def login(connection: Connection) -> None:
        for number in range(6):
            connection.send(f"login {number}")

    limited = Limited(Attempt(), on_open=login, subscriptions=["a", "b"]).to(10.0)
    assert limited.sent(0) == [*(f"login {number}" for number in range(6)), "a", "b"]
    assert limited.frames(0)[:8] == [0.0] * 4 + [1.0] * 4
    assert limited.at(Subscribed) == [1.0]


def test_a_ping_goes_before_what_waits() -> None:
    """Its answer is waited for; and it takes a place."""
    limited = Limited(Attempt(), subscriptions=TOPICS[:40], ping_interval=2.5, ping_timeout=2.0).to(30.0)
    kinds = [kind for at, kind in limited.transport.connections[0].frames if at == 3.0]
    assert kinds == ["ping", "message", "message", "message"]
    assert (limited.most, len(limited.sent(0))) == (4, 40)


@pytest.mark.parametrize("interval", [5.0, None])
def test_a_limit_of_a_frame_a_minute_costs_no_connection(interval: float | None) -> None:
    """A ping that waits for an hour is not one that is not answered."""
    limited = Limited(
        Attempt(), limit=SendLimit(1, 60.0), subscriptions=["a"], ping_interval=interval, ping_timeout=5.0
    ).to(3_000.0)
    assert len(limited.transport.connections) == 1
    assert most_in_any(60.0, limited.frames(0)) == 1


def test_between_two_pings_a_message_has_its_turn() -> None:
    """Where pings are as frequent as the limit allows, messages are sent all the same."""
    outbox = Outbox(SendLimit(2))
    outbox.send("a")
    for second in range(6):
        outbox.to(second + 0.5)
        outbox.pacer.ping(lambda: outbox._write("ping"))
        outbox.send(str(second))
    assert [name for _, name in outbox.to(6.0)] == ["a", "ping", "0", "ping", "1", "ping", "2"]


def test_pongs_are_counted() -> None:
    """A server that pings more often than there is a place for pushes our messages back."""
    pings = [0.1, 0.2, 0.3, 0.4]
    limited = Limited(Attempt(pings=pings), subscriptions=TOPICS[:12], ping_interval=None).to(10.0)
    pushed = [1.0, 1.1, 1.2, 1.3]
    assert limited.frames(0, "message") == pytest.approx([0.0] * 4 + pushed + [at + 1.0 for at in pushed], abs=1e-5)


def test_a_heartbeat_is_counted_and_waits_its_turn() -> None:
    """Behind what waits already, for it is a message."""
    limited = Limited(
        Attempt(), subscriptions=TOPICS[:40], heartbeat=wsops.heartbeat(2.5, "ping"), ping_interval=None
    ).to(13.0)
    assert limited.sent(0)[40:] == ["ping"] * 5
    assert limited.most == 4


def test_what_waited_when_the_connection_ended_is_told() -> None:
    """Messages are counted, a ping that waited with them is none."""
    limited = Limited(Attempt.closes(2.5, 1001), subscriptions=TOPICS[:20], ping_interval=2.2).to(3.0)
    overflow = [event for _, event in limited.events if isinstance(event, Overflow)]
    assert [(event.where, event.dropped) for event in overflow] == [("outbox", 8)]
    assert limited.at(Subscribed) == []


def test_each_connection_of_a_rotation_has_its_own_window() -> None:
    """The venue counts each by itself; the new one's subscriptions do not wait for the old one's."""
    messages = [(float(second), f'{{"n":{second}}}') for second in range(1, 60)]
    limited = Limited(
        Attempt(messages=messages),
        subscriptions=TOPICS[:8],
        rotate=Rotation(20.0),
        heartbeat=wsops.heartbeat(0.3, "ping"),
    ).to(30.0)
    assert len(limited.at(Rotated)) == 1
    assert limited.sent(1)[:8] == TOPICS[:8]
    assert [at - limited.at(Opened)[1] for at in limited.frames(1)[:8]] == [0.0] * 4 + [1.0] * 4
    assert limited.most == 4


# The pacer alone


class Outbox:
    """What a pacer writes into, and when; full while `full`."""

    def __init__(self, limit: SendLimit = FIVE) -> None:
        self.virtual = TestScheduler()
        self.written: list[tuple[float, str]] = []
        self.late = 0
        self.full = False
        self.pacer = Pacer(limit.window(), self._was_late, self.virtual)

    def send(self, *names: str, size: int = 1) -> None:
        """Send messages."""
        for name in names:
            self.pacer.send(lambda name=name: self._write(name), size)  # type: ignore[misc]

    def to(self, seconds: float) -> list[tuple[float, str]]:
        """Let time pass."""
        self.virtual.advance_to(seconds)
        return self.written

    @property
    def timers(self) -> int:
        """How many timers wait."""
        return sum(not item.is_cancelled() for item, _ in self.virtual._queue.items)

    def _write(self, name: str) -> None:
        if self.full:
            raise BufferOverflow(1, 1)
        self.written.append((self.virtual.clock, name))

    def _was_late(self) -> None:
        self.late += 1


def test_while_nothing_waits_there_is_no_timer() -> None:
    """Before, between, and after."""
    outbox = Outbox()
    outbox.send(*"abcd")
    assert outbox.timers == 0
    outbox.send(*"ef")
    assert outbox.timers == 1
    outbox.to(1.0)
    assert (outbox.timers, len(outbox.written)) == (0, 6)


def test_what_cannot_be_sent_now_is_told_to_who_sends_it() -> None:
    """As without a limit; it has taken no place."""
    outbox = Outbox(SendLimit(2))
    outbox.full = True
    with pytest.raises(BufferOverflow):
        outbox.send("a")
    outbox.full = False
    outbox.send("b")
    assert (outbox.written, outbox.late) == ([(0.0, "b")], 0)


def test_what_cannot_be_sent_later_is_told_and_the_next_goes_on() -> None:
    """And nobody says that all was sent, but that some was lost."""
    outbox, sent = Outbox(), list[float | str]()
    outbox.send(*"abcdef")
    outbox.pacer.when_sent(lambda: sent.append(outbox.virtual.clock), lambda: sent.append("lost"))
    outbox.full = True
    outbox.to(1.0)
    outbox.full = False
    outbox.send("g")
    outbox.pacer.when_sent(lambda: sent.append(outbox.virtual.clock), lambda: sent.append("lost"))
    assert ([name for _, name in outbox.to(10.0)], outbox.late, sent) == (list("abcdg"), 2, ["lost", "lost"])


def test_it_is_said_when_all_is_sent() -> None:
    """At once where nothing waits; each who asked, for what waited then; a ping is not waited for."""
    outbox, sent = Outbox(SendLimit(2)), list[tuple[str, float]]()

    def say(word: str) -> None:
        outbox.pacer.when_sent(lambda: sent.append((word, outbox.virtual.clock)), bool)

    say("nothing")
    outbox.send("a")
    say("a")
    outbox.send("b")
    say("b")
    say("b again")
    outbox.send("c")
    say("c")
    outbox.to(0.5)
    outbox.pacer.ping(lambda: outbox._write("ping"))
    assert outbox.to(10.0) == [(0.0, "a"), (1.0, "ping"), (2.0, "b"), (3.0, "c")]
    assert sent == [("nothing", 0.0), ("a", 0.0), ("b", 2.0), ("b again", 2.0), ("c", 3.0)]


def test_a_ping_takes_the_place_of_one_that_waits() -> None:
    """Only the last one's pong counts."""
    outbox = Outbox(SendLimit(2))
    outbox.send("a")
    outbox.pacer.ping(lambda: outbox._write("first"))
    outbox.pacer.ping(lambda: outbox._write("second"))
    outbox.send("b")
    assert outbox.to(10.0) == [(0.0, "a"), (1.0, "second"), (2.0, "b")]


def test_who_hears_that_all_is_sent_may_send_more() -> None:
    """It follows in order."""
    outbox = Outbox()
    outbox.send(*"abcde")
    outbox.pacer.when_sent(lambda: outbox.send("f"), bool)
    outbox.send("g")
    assert [name for _, name in outbox.to(10.0)] == list("abcdegf")


@pytest.mark.parametrize(("bound", "size", "told"), [("WAITING", 1, 3), ("WAITING_BYTES", 10, 30)])
def test_there_is_a_bound_to_what_waits(monkeypatch: pytest.MonkeyPatch, bound: str, size: int, told: int) -> None:
    """Of messages, and of bytes; who sends is told, and those that wait are sent."""
    monkeypatch.setattr(module, bound, told)
    outbox = Outbox()
    outbox.send(*"abcdefg", size=size)
    for dropped in (1, 2):
        with pytest.raises(BufferOverflow) as caught:
            outbox.send("h", size=size)
        assert (caught.value.size, caught.value.dropped) == (told, dropped)
    assert [name for _, name in outbox.to(1.0)] == list("abcdefg")
    outbox.send("i", size=size)
    assert [name for _, name in outbox.to(10.0)] == list("abcdefgi")


def test_ended_it_sends_nothing_more() -> None:
    """Neither a message nor a ping; it says how many messages waited, and leaves no timer."""
    outbox = Outbox()
    outbox.send(*"abcdefg")
    outbox.pacer.ping(lambda: outbox._write("ping"))
    assert (outbox.pacer.end(), outbox.timers, outbox.pacer.end()) == (3, 0, 0)
    assert len(outbox.to(10.0)) == 4


def test_a_bare_connection_has_a_limit_too() -> None:
    """`connect` alone: what is sent is paced, and what is sent after the end is refused."""
    virtual, transport, raised = TestScheduler(), CountingTransport(Attempt.closes(5.0, 1001)), list[Exception]()
    opened: list[Connection] = []
    connect("ws://scripted", transport=transport, send_limit=SendLimit(3), ping_interval=None).subscribe(
        opened.append, raised.append, scheduler=virtual
    )
    virtual.advance_to(0.5)
    for number in range(5):
        opened[0].send(str(number))
    assert opened[0].messages_sent == 2
    virtual.advance_to(10.0)
    assert ([at for at, _ in transport.connections[0].frames], len(raised)) == ([0.5, 0.5, 1.5, 1.5, 2.5], 1)
    with pytest.raises(ConnectionClosed):
        opened[0].send("late")
