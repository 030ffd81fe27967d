"""What is sent goes out once, in order, on one connection; and while there is none, as its policy says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject

from rxws import Backoff, Rotation, SendLimit
from rxws.controls import Controls
from rxws.errors import BufferOverflow, ConnectionClosed, HandshakeRejected
from rxws.events import Closed, Connecting, Event, GaveUp, Opened, Overflow, Rotated, Subscribed
from rxws.testing import Attempt
from rxws.types import Connection
from rxws.unsent import Hold, Unsent
from tests.operators.seen import turns
from tests.scripted import Full, Played, play

FIXED = Backoff.fixed(2.0)
LOST = ConnectionClosed(1006)


class Hand:
    """Sends as a client does, by hand, on a stream that is played.

    Args:
        attempts: the script.
        listen: called with the hand itself and each event.
        options: the stream's.
    """

    def __init__(
        self, *attempts: Attempt, listen: Callable[[Hand, Event], object] = lambda hand, event: None, **options: Any
    ) -> None:
        self._controls = Controls()
        self._listen = listen
        self.heard: list[Event] = []
        self.played: Played = play(
            *attempts, controls=self._controls, **{"retry": FIXED, "events": self._hear, **options}
        )
        self.transport = options.get("transport", self.played.transport)

    def _hear(self, event: Event) -> None:
        self.heard.append(event)
        if self._controls.outgoing is not None:
            self._listen(self, event)

    def to(self, seconds: float) -> Hand:
        self.played.to(seconds)
        return self

    def send(self, *payloads: Any) -> Hand:
        assert self._controls.outgoing is not None
        for payload in payloads:
            self._controls.outgoing.send(payload)
        return self

    @property
    def ready(self) -> int:
        """How many connections could take what is sent."""
        assert self._controls.outgoing is not None
        return len(self._controls.outgoing.connections)

    @property
    def sent(self) -> list[list[str | bytes]]:
        """What went out, by connection."""
        return [dialed.sent for dialed in self.transport.dials]

    @property
    def dropped(self) -> list[tuple[float, int]]:
        """What was told of as dropped: when, and how many; the first at once, the others together a little later."""
        told = [event for event in self.heard if isinstance(event, Overflow)]
        assert {event.where for event in told} <= {"outgoing"}
        assert self.played.stats.dropped >= sum(event.dropped for event in told)
        return [(event.time_ns / 1e9, event.dropped) for event in told]


# Dropped, or an error


def test_what_is_dropped_is_counted_and_told_each_time() -> None:
    """Before the first connection, while its script runs, and between two."""

    async def on_open(connection: Connection) -> None:
        hand.send("during the script")

    hand = Hand(Attempt(opens=1.0, lost=(3.0, ConnectionClosed(1006))), Attempt(), unsent="drop", on_open=on_open)
    hand.send("early").to(2.0).send("first").to(4.0).send("between").to(6.0).send("second")
    assert hand.sent == [["first"], ["second"]]
    assert (hand.dropped, hand.played.stats.dropped) == ([(0.0, 1), (5.0, 2)], 4)  # the last is told of at 10.0


def test_without_a_connection_fail_raises_and_nothing_ends() -> None:
    """By hand it is the caller's error; it is no drop."""
    hand = Hand(Attempt.closes(3.0), Attempt(), unsent="fail")
    with pytest.raises(ConnectionClosed) as raised:
        hand.send("early")
    hand.to(1.0).send("first").to(4.0)
    with pytest.raises(ConnectionClosed):
        hand.send("between")
    hand.to(6.0).send("second")
    assert raised.value.code == 1006
    assert (hand.sent, hand.dropped) == ([["first"], ["second"]], [])


def test_of_an_observable_fail_is_the_streams_error_and_not_retried() -> None:
    """It is told as what ended the stream, and nothing dials any more."""
    outgoing: Subject[Any] = Subject()
    played = play(Attempt.closes(3.0), unsent="fail", outgoing=outgoing, retry=FIXED).to(4.0)
    outgoing.on_next("between")
    played.to(100.0)
    assert isinstance(played.error, ConnectionClosed)
    assert (played.dials, played.transport.live, len(outgoing.observers)) == ([0.0], 0, 0)
    assert isinstance(played.events[-1], GaveUp)


@pytest.mark.parametrize("unsent", ["drop", "fail", Hold()])
def test_a_full_outbox_is_told_whatever_the_policy(unsent: Unsent) -> None:
    """There is a connection: by hand it raises, of an observable it ends a stream that is to fail."""
    hand = Hand(unsent=unsent, transport=Full(1, BufferOverflow(1, 1))).to(1.0).send("a")
    with pytest.raises(BufferOverflow):
        hand.send("b")
    assert (hand.sent, hand.dropped) == ([["a"]], [(1.0, 1)])

    outgoing: Subject[Any] = Subject()
    full = Full(1, BufferOverflow(1, 1))
    played = play(unsent=unsent, transport=full, outgoing=outgoing).to(1.0)
    for payload in "ab":
        outgoing.on_next(payload)
    assert [type(event.where) for event in played.of(Overflow)] == [str]
    assert isinstance(played.error, BufferOverflow) is (unsent == "fail")


@pytest.mark.parametrize("unsent", ["drop", "fail", Hold()])
def test_what_cannot_be_sent_is_an_error_at_once_also_without_a_connection(unsent: Unsent) -> None:
    """It is the caller's slip; held, it would break the stream weeks later."""
    hand = Hand(unsent=unsent)
    for wrong in (object(), None, 1, "\ud800"):
        with pytest.raises((TypeError, ValueError)):
            hand.send(wrong)
        assert hand.dropped == []
    outgoing: Subject[Any] = Subject()
    played = play(unsent=unsent, outgoing=outgoing)
    outgoing.on_next(object())
    assert isinstance(played.to(5.0).error, TypeError)
    assert played.dials == []


# Held


def test_what_is_held_follows_the_script_and_the_subscriptions_in_order_once() -> None:
    """On the next connection; what is sent while it opens goes behind the rest."""

    async def on_open(connection: Connection) -> None:
        connection.send("login")
        hand.send("during the script")

    hand = Hand(Attempt.closes(3.0), Attempt(), unsent=Hold(), on_open=on_open, subscriptions=["subscribe"])
    hand.to(1.0).send("first").to(4.0).send("a", b"b", {"c": 1}).to(100.0).send("last")
    login = ["login", "subscribe", "during the script"]
    assert hand.sent == [[*login, "first"], ["login", "subscribe", "a", b"b", '{"c":1}', "during the script", "last"]]
    assert hand.dropped == []


def test_what_is_held_is_sent_as_it_was() -> None:
    """A dict that its caller goes on using is not."""
    hand, order = Hand(Attempt(opens=1.0), unsent=Hold()), {"price": 1}
    hand.send(order)
    order["price"] = 2
    assert hand.to(2.0).sent == [['{"price":1}']]


def test_what_a_socket_was_given_is_not_sent_again() -> None:
    """Whether the server has read it, nobody knows: twice would be worse."""
    hand = Hand(Attempt.closes(3.0), unsent=Hold()).to(2.9).send("order").to(20.0)
    assert hand.sent[0] == ["order"]
    assert not any(hand.sent[1:])


def test_nothing_crosses_a_script_that_fails() -> None:
    """No subscription, nothing of what is held: that waits for the connection whose script is done, and goes once."""
    tries = iter([True, True, False])

    async def on_open(connection: Connection) -> None:
        connection.send("login")
        if next(tries):
            raise KeyError("no token")

    hand = Hand(unsent=Hold(ttl=None), on_open=on_open, subscriptions=["subscribe"]).send("a", "b").to(100.0)
    assert hand.sent == [["login"], ["login"], ["login", "subscribe", "a", "b"]]
    assert hand.dropped == []


def test_nothing_crosses_a_script_that_is_too_slow() -> None:
    """After its open_timeout the connection is lost, what it sent is not repeated, and what is held stays."""
    asyncio.run(_slow_script())


async def _slow_script() -> None:
    slow = iter([True, False])

    async def on_open(connection: Connection) -> None:
        connection.send("login")
        if next(slow):
            await asyncio.get_running_loop().create_future()

    hand = Hand(unsent=Hold(), on_open=on_open, subscriptions=["subscribe"], open_timeout=5.0).send("held")
    for second in (1.0, 6.0, 8.0, 9.0):
        hand.to(second)
        await turns()
    assert hand.sent == [["login"], ["login", "subscribe", "held"]]
    hand.played.subscription.dispose()


def test_what_is_sent_on_hearing_subscribed_goes_out_behind_what_was_held() -> None:
    """All subscriptions are sent by then, and the connection is the current one."""

    def listen(hand: Hand, event: Event) -> None:
        if isinstance(event, Subscribed | Opened):
            hand.send(type(event).__name__)

    attempts = Attempt.closes(3.0), Attempt()
    hand = Hand(*attempts, unsent=Hold(), subscriptions=["subscribe"], listen=listen).to(4.0).send("held").to(10.0)
    assert hand.sent == [["subscribe", "Opened", "Subscribed"], ["subscribe", "held", "Opened", "Subscribed"]]


def test_one_that_is_held_too_long_is_told_of_then_and_not_sent() -> None:
    """When its time is over, not when somebody looks; those that are younger are sent."""
    hand = Hand(Attempt(opens=20.0), unsent=Hold(ttl=5.0), open_timeout=None)
    for second in (1.0, 2.0, 2.0, 16.0):
        hand.to(second).send(f"at {second:g}")
    assert (hand.dropped, hand.played.stats.dropped) == ([(6.0, 1), (11.0, 2)], 3)
    assert hand.to(100.0).sent == [["at 16"]]
    assert [count for _, count in hand.dropped] == [1, 2]


def test_one_that_is_held_for_ever_is_sent_a_week_later() -> None:
    """`ttl=None`."""
    week = 7 * 86_400.0
    hand = Hand(Attempt(opens=week), unsent=Hold(ttl=None), open_timeout=None).send("patient").to(week + 1)
    assert (hand.sent, hand.dropped) == ([["patient"]], [])


def test_one_whose_time_is_over_is_not_sent_though_the_timer_comes_late() -> None:
    """The connection is there first: it is too old all the same; and who hears of that sends behind the younger one."""

    def listen(hand: Hand, event: Event) -> None:
        if isinstance(event, Overflow):
            hand.send("newest")

    hand = Hand(Attempt(opens=6.0), unsent=Hold(ttl=5.0), listen=listen)
    hand.to(1.0).send("old").to(2.0).send("young").to(20.0)
    assert (hand.sent, hand.dropped) == ([["young", "newest"]], [(6.0, 1)])


def test_one_that_finds_no_room_is_refused_and_told() -> None:
    """The older ones stay; what has become too old makes room."""
    hand = Hand(Attempt(opens=9.0), unsent=Hold(max=2, ttl=5.0), open_timeout=None).send("a", "b")
    for refused in (1, 2):
        with pytest.raises(BufferOverflow) as full:
            hand.send("c")
        assert (full.value.size, full.value.dropped) == (2, refused)
    hand.to(6.0).send("d", "e").to(10.0)
    assert hand.sent == [["d", "e"]]
    assert (hand.dropped, hand.played.stats.dropped) == ([(0.0, 1), (5.0, 3)], 4)


def test_of_an_observable_one_that_finds_no_room_ends_nothing() -> None:
    """It is told; the rest follows."""
    outgoing: Subject[Any] = Subject()
    played = play(Attempt(opens=1.0), unsent=Hold(max=2), outgoing=outgoing)
    for payload in "abc":
        outgoing.on_next(payload)
    played.to(5.0)
    assert played.transport.dials[0].sent == ["a", "b"]
    assert [(event.where, event.dropped) for event in played.of(Overflow)] == [("outgoing", 1)]
    assert played.error is None


def test_what_finds_the_next_outbox_full_is_told_and_the_stream_goes_on() -> None:
    """The outbox counts bytes: what is held may be more than it takes."""
    full = Full(3, BufferOverflow(3, 1), Attempt(opens=1.0))
    hand = Hand(unsent=Hold(), transport=full, subscriptions=["subscribe"]).send(*"abcde").to(10.0)
    assert (hand.sent, hand.dropped) == ([["subscribe", "a", "b"]], [(1.0, 3)])
    assert (hand.played.error, full.live) == (None, 1)


def test_a_connection_that_the_server_has_closed_already_takes_nothing_from_those_that_are_held() -> None:
    """Its close came with its answer: they wait for the next one, in order, and their time runs on."""
    full = Full(
        2, LOST, Attempt(opens=3.0, lost=(3.0, LOST)), Attempt(opens=1.0, lost=(1.0, LOST)), Attempt(opens=20.0)
    )
    hand = Hand(unsent=Hold(ttl=10.0), transport=full, open_timeout=None).send("a").to(1.0).send(*"bcd")
    hand.to(2.0).send("e").to(100.0)
    assert hand.sent == [["a", "b"], ["c", "d"], []]
    assert hand.dropped == [(12.0, 1)]


# The end


@pytest.mark.parametrize("how", ["dispose", "completed", "error"])
def test_what_is_held_when_the_stream_ends_is_told(how: str) -> None:
    """Once, by its number, before the end itself is; and in the stream where events travel there."""
    if how == "completed":
        hand = Hand(
            Attempt.closes(3.0, 4000), unsent=Hold(), final_close_codes={4000}, lifecycle=True, listen=on_closed
        )
    else:
        refused = HandshakeRejected("ws://scripted", 403)
        hand = Hand(
            Attempt.closes(3.0), Attempt.refused(error=refused), unsent=Hold(), lifecycle=True, listen=on_closed
        )
    hand.to(3.0)
    if how == "dispose":
        hand.played.subscription.dispose()
    hand.to(100.0)
    ends = {"dispose": 3.0, "completed": 3.0, "error": 5.0}
    assert hand.dropped == [(ends[how], 1 if how != "error" else 2)]
    assert (hand.played.completed, hand.played.error is not None) == (how == "completed", how == "error")
    in_stream = [type(value) for _, value in hand.played.values]
    assert in_stream.count(Overflow) == (how != "dispose")
    if how == "error":
        assert [type(event) for event in hand.heard[-2:]] == [Overflow, GaveUp]


def on_closed(hand: Hand, event: Event) -> None:
    """Send what finds no connection."""
    if isinstance(event, Closed):
        hand.send("too late")


def test_nothing_is_held_behind_the_end() -> None:
    """What is sent by whoever hears of the end is dropped, and told like the rest; no timer is left."""

    def listen(hand: Hand, event: Event) -> None:
        if isinstance(event, Overflow) and event.dropped == 2:
            hand.send("later still")

    hand = Hand(Attempt(opens=None), unsent=Hold(ttl=1000.0), open_timeout=None, listen=listen).send("a", "b").to(1.0)
    hand.played.subscription.dispose()
    hand.send("after the end")
    assert hand.dropped == [(1.0, 2), (1.0, 1), (1.0, 1)]
    assert hand.to(5000.0).dropped == [(1.0, 2), (1.0, 1), (1.0, 1)]


def test_whoever_hears_of_one_that_is_too_old_may_end_it_all() -> None:
    """Also in the middle of a `send`: what was to be sent is told of, and not held for ever."""

    def listen(hand: Hand, event: Event) -> None:
        if isinstance(event, Overflow):
            hand.played.subscription.dispose()

    for opens in (None, 5.0):
        hand = Hand(Attempt(opens=opens), unsent=Hold(ttl=5.0), open_timeout=None, listen=listen).send("old").to(100.0)
        assert hand.dropped == [(5.0, 1)]
        assert hand.send("new").dropped == [(5.0, 1), (100.0, 1)]
        assert hand.sent == [[]]


# Two connections


def test_in_an_overlap_each_payload_goes_out_once_on_the_old_connection_until_the_cut() -> None:
    """Though the new one is open and subscribed; then on the new one."""
    new = Attempt(opens=1.0, messages=[(3.0, "1")])
    hand, ready = Hand(Attempt(), new, unsent=Hold(), subscriptions=["subscribe"], rotate=Rotation(10.0)), []
    for second in (9.0, 10.5, 12.0, 13.5):
        hand.to(second).send(f"at {second:g}")
        ready.append(hand.ready)
    assert ready == [1, 1, 2, 1]
    assert hand.sent == [["subscribe", "at 9", "at 10.5", "at 12"], ["subscribe", "at 13.5"]]
    assert [type(event) for event in hand.heard if isinstance(event, Rotated | Closed)] == [Rotated]
    assert hand.dropped == []


@pytest.mark.parametrize("unsent", ["drop", "fail", Hold()])
def test_a_payload_that_finds_the_old_connection_dead_goes_out_on_the_new_one_if_it_is_held(unsent: Unsent) -> None:
    """The old one is lost when the new one delivers: whoever hears of that sends, and the cut follows at once."""

    def listen(hand: Hand, event: Event) -> None:
        if isinstance(event, Closed | Rotated):
            try:
                hand.send(type(event).__name__)
            except ConnectionClosed:
                refused.append(event)

    refused: list[Event] = []
    old = Attempt(messages=[(1.0, "1")], lost=(12.0, LOST))
    new = Attempt(messages=[(1.0, "5")])
    rotation = Rotation(10.0, key=lambda value: value, overlap=5.0)
    hand = Hand(old, new, unsent=unsent, rotate=rotation, listen=listen).to(13.0).send("after")
    held = ["Closed"] if isinstance(unsent, Hold) else []
    assert hand.sent == [[], [*held, "Rotated", "after"]]
    assert (len(refused), len(hand.dropped)) == (unsent == "fail", unsent == "drop")


def test_what_is_held_behind_a_slow_script_goes_out_when_its_successor_takes_over() -> None:
    """The current connection never got that far; it is held until then, though the successor is ready before."""
    asyncio.run(_slow_first_script())


async def _slow_first_script() -> None:
    first = iter([True, False])

    async def on_open(connection: Connection) -> None:
        if next(first):
            await asyncio.get_running_loop().create_future()

    hand = Hand(
        Attempt(),
        Attempt(messages=[(3.0, "1")]),
        unsent=Hold(),
        on_open=on_open,
        open_timeout=None,
        rotate=Rotation(10.0),
    )
    for second in (1.0, 11.0, 12.0):
        hand.to(second).send(f"at {second:g}")
        await turns()
    assert hand.sent == [[], []]
    hand.to(14.0)
    assert hand.sent == [[], ["at 1", "at 11", "at 12"]]
    assert hand.dropped == []
    hand.played.subscription.dispose()
    await turns()


# All of it


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 2.5]), st.sampled_from([0.5, 3.0])), min_size=1, max_size=6),
    st.lists(st.floats(0.0, 20.0), max_size=20),
    st.sampled_from([1.0, 4.0, None]),
)
def test_each_is_sent_once_or_told_of_once_and_in_order(
    connections: list[tuple[float, float]], times: list[float], ttl: float | None
) -> None:
    """Whatever comes and goes: nothing twice, nothing out of order, nothing in silence."""
    attempts = [Attempt(opens=opens, lost=(opens + lasts, LOST)) for opens, lasts in connections]
    hand = Hand(*attempts, Attempt(), unsent=Hold(max=5, ttl=ttl), retry=Backoff.fixed(1.0))
    refused = 0
    for number, second in enumerate(sorted(times)):
        hand.to(second)
        try:
            hand.send(f"{number:02}")
        except BufferOverflow:
            refused += 1
    hand.to(60.0).played.subscription.dispose()
    sent = list(chain.from_iterable(hand.sent))
    assert sent == sorted(set(sent))
    assert len(sent) + sum(count for _, count in hand.dropped) == len(times)
    assert ttl is not None or len(sent) + refused == len(times)
    assert sum(isinstance(event, Connecting) for event in hand.heard) == len(hand.sent)


# What a limit holds back


def test_what_a_limit_held_back_when_the_connection_ended_follows_on_the_next() -> None:
    """It had never left, so it is held like what finds no connection; each goes out once, in order."""
    lost = Attempt(lost=(10.0, ConnectionClosed(1006)))
    hand = Hand(lost, Attempt(), unsent=Hold(), send_limit=SendLimit(2), retry=Backoff.fixed(1.0), ping_interval=None)
    hand.to(8.5).send(*"abcdef").to(40.0)
    assert hand.sent == [["a", "b"], ["c", "d", "e", "f"]]
    assert (hand.dropped, hand.played.stats.dropped) == ([], 0)


def test_what_a_limit_held_back_at_the_cut_of_a_rotation_follows_on_the_new_connection() -> None:
    """A planned reconnect loses nothing that was sent either."""
    feed = Attempt(messages=[(float(second), str(second)) for second in range(1, 60)])
    hand = Hand(
        *(feed, feed),
        unsent=Hold(),
        send_limit=SendLimit(2),
        rotate=Rotation(10.0, jitter=0.0),
        ping_interval=None,
    )
    hand.to(9.5).send(*"abcdef").to(19.5)
    assert [*hand.sent[0], *hand.sent[1]] == list("abcdef")
    assert hand.sent[1]
    assert hand.played.stats.dropped == 0


@pytest.mark.parametrize("unsent", ["drop", "fail"])
def test_without_a_hold_what_a_limit_held_back_is_dropped_and_told(unsent: Unsent) -> None:
    """As the rest of the outbox is."""
    lost = Attempt(lost=(10.0, ConnectionClosed(1006)))
    hand = Hand(lost, Attempt(), unsent=unsent, send_limit=SendLimit(2), retry=Backoff.fixed(1.0), ping_interval=None)
    hand.to(8.5).send(*"abcdef").to(40.0)
    assert hand.sent == [["a", "b"], []]
    assert hand.played.stats.dropped == 4


def test_what_a_limit_held_back_finds_no_more_room_than_a_hold_has() -> None:
    """The rest is counted."""
    lost = Attempt(lost=(10.0, ConnectionClosed(1006)))
    policy = Hold(max=2)
    hand = Hand(lost, Attempt(), unsent=policy, send_limit=SendLimit(2), retry=Backoff.fixed(1.0), ping_interval=None)
    hand.to(8.5).send(*"abcdef").to(40.0)
    assert hand.sent == [["a", "b"], ["c", "d"]]
    assert hand.played.stats.dropped == 2
