"""The life of a subscription as data: events in order, reasons, states, counters."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

from rxws import Backoff, Stats, ws_observable
from rxws import operators as wsops
from rxws.errors import ConnectionClosed, ConnectionFailed, IdleTimeout, PingTimeout, ProtocolError
from rxws.events import (
    Blocked,
    Closed,
    Connecting,
    ConnectionState,
    DisconnectReason,
    Event,
    GaveUp,
    Live,
    Opened,
    Subscribed,
    Waiting,
)
from rxws.lifecycle import Lifecycle
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Journal
from tests.scripted import play

FIXED = Backoff.fixed(2.0)


def test_events_come_in_the_order_in_which_things_happen() -> None:
    """Connecting, Opened, Subscribed, Live, data, Closed, Waiting, and again."""
    attempt = Attempt(opens=1.0, messages=[(2.0, "1"), (3.0, "2")], lost=(4.0, ConnectionClosed(1001)))
    played = play(attempt, subscriptions=["s"], retry=FIXED).to(7.5)
    assert played.told == [
        "Connecting",
        "Opened",
        "Subscribed",
        "Live",
        "Closed",
        "Waiting",
        "Connecting",
        "Opened",
        "Subscribed",
    ]
    connecting, opened, subscribed, live, closed, waiting, again, *_ = played.events
    assert isinstance(connecting, Connecting)
    assert (connecting.generation, connecting.attempt, connecting.origin) == (1, 1, "ws://scripted/ws")
    assert isinstance(opened, Opened)
    assert opened.took == 1.0
    assert isinstance(subscribed, Subscribed)
    assert subscribed.count == 1
    assert isinstance(live, Live)
    assert live.after == 1.0
    assert isinstance(closed, Closed)
    assert (closed.reason, closed.uptime, closed.opened) == (DisconnectReason.SERVER_CLOSED, 3.0, True)
    assert isinstance(waiting, Waiting)
    assert (waiting.seconds, waiting.rule, waiting.attempt, waiting.error) == (2.0, "policy", 2, closed.error)
    assert isinstance(again, Connecting)
    assert (again.generation, again.attempt) == (2, 2)


def test_each_event_tells_where_the_subscription_stands() -> None:
    """By the table of transitions."""
    ticks: Subject[int] = Subject()
    played = play(Attempt.closes(1.0), Attempt(), retry=FIXED, disconnect_when=ticks).to(10.0)
    ticks.on_next(1)
    played.to(20.0).subscription.dispose()
    s = ConnectionState
    first = [s.CONNECTING, s.CONNECTED, s.RECONNECTING, s.RECONNECTING]
    second = [s.CONNECTING, s.CONNECTED, s.DISCONNECTED, s.DISCONNECTED]
    assert [event.state for event in played.events] == [*first, *second, s.CONNECTING, s.CONNECTED, s.CLOSING]


def test_events_travel_between_the_data_where_asked_for() -> None:
    """In the same order, in the stream itself; `data_only` takes them out again."""
    attempt = Attempt(messages=[(1.0, "1"), (2.0, "2")], lost=(3.0, ConnectionClosed(1001)))
    played = play(attempt, lifecycle=True, retry=FIXED).to(3.5)
    names = [type(value).__name__ if isinstance(value, Event) else value for _, value in played.values]
    assert names == ["Connecting", "Opened", "Live", 1, 2, "Closed", "Waiting"]
    virtual, data = TestScheduler(), []  # type: ignore[var-annotated]
    stream = ws_observable("ws://scripted", transport=ScriptedTransport(attempt), lifecycle=True)
    stream.pipe(wsops.data_only()).subscribe(data.append, scheduler=virtual)
    virtual.advance_to(2.5)
    assert data == [1, 2]


def test_the_stream_of_events_ends_with_the_data() -> None:
    """GaveUp is the last event, and the error follows it."""
    played = play(Attempt.refused(), lifecycle=True, retry=Backoff.fixed(1.0, max_attempts=1)).to(5.0)
    assert isinstance(played.values[-1][1], GaveUp)
    assert played.error is played.values[-1][1].error


def test_an_attempt_is_over_before_anybody_hears_of_its_end() -> None:
    """When Closed is told its socket is already given up."""
    virtual, live = TestScheduler(), []  # type: ignore[var-annotated]
    transport = ScriptedTransport(Attempt(pongs=False))

    def look(event: Event) -> None:
        if isinstance(event, Waiting):
            live.append(transport.live)

    ws_observable(
        "ws://scripted", transport=transport, events=look, ping_interval=1.0, ping_timeout=1.0, retry=FIXED
    ).subscribe(scheduler=virtual)
    virtual.advance_to(2.5)
    assert live == [0]


@pytest.mark.parametrize(
    ("attempt", "options", "reason"),
    [
        (Attempt.closes(1.0, 1000), {}, DisconnectReason.SERVER_CLOSED),
        (Attempt.closes(1.0, 1006), {}, DisconnectReason.NETWORK_ERROR),
        (Attempt.refused(), {}, DisconnectReason.NETWORK_ERROR),
        (Attempt(pongs=False), {"ping_interval": 1.0, "ping_timeout": 1.0}, DisconnectReason.PING_TIMEOUT),
        (Attempt(), {"idle_timeout": 1.0}, DisconnectReason.IDLE_TIMEOUT),
        (Attempt(lost=(1.0, ProtocolError("masked"))), {}, DisconnectReason.PROTOCOL_ERROR),
        (Attempt(), {"max_age": 2.0}, DisconnectReason.CONNECTION_LIMIT),
        (
            Attempt(),
            {"disconnect_when": lambda: len(ASKED) > 1 or ASKED.append(1)},
            DisconnectReason.CALLBACK_TRIGGERED,
        ),
    ],
)
def test_every_reason_is_produced_by_something(
    attempt: Attempt, options: dict[str, Any], reason: DisconnectReason
) -> None:
    """And it is proactive where we ended the connection, reactive where it ended on us."""
    ASKED.clear()
    played = play(attempt, check_interval=1.0, **options).to(4.0)
    closed = played.of(Closed)[0]
    assert closed.reason is reason
    assert (closed.error is None) == reason.is_proactive == (not reason.is_reactive)


ASKED: list[int] = []


def test_stats_count_planned_ends_and_losses_apart() -> None:
    """Messages and bytes both ways, reasons, times; a failed dial is no disconnect."""
    ticks: Subject[int] = Subject()
    attempts = (
        Attempt.refused(),
        Attempt(messages=[(1.0, "abc"), (2.0, b"de")], lost=(3.0, ConnectionClosed(1001))),
        Attempt(messages=[(1.0, "f")]),
    )
    played = play(*attempts, retry=FIXED, subscriptions=["hello"], disconnect_when=ticks, decode=None).to(10.0)
    ticks.on_next(1)
    stats = played.stats
    assert (stats.connects, stats.disconnects) == (2, 2)
    assert (stats.proactive_disconnects, stats.reactive_disconnects) == (1, 1)
    assert stats.reasons == {DisconnectReason.SERVER_CLOSED: 1, DisconnectReason.SCHEDULED: 1}
    assert (stats.messages_received, stats.bytes_received) == (3, 6)
    assert (stats.messages_sent, stats.bytes_sent) == (2, 10)
    assert (stats.last_connect_time, stats.last_message_time, stats.last_disconnect_time) == (7.0, 8.0, 10.0)
    assert (stats.uptime, stats.connection_time) == (6.0, 3.0)


def test_one_stats_may_count_several_streams() -> None:
    """Only where the caller passes it to both."""
    virtual, both = TestScheduler(), Stats()
    for _ in range(2):
        transport = ScriptedTransport(Attempt(messages=[(1.0, "1")]))
        ws_observable("ws://scripted", transport=transport, stats=both).subscribe(scheduler=virtual)
    virtual.advance_to(2.0)
    assert (both.connects, both.messages_received) == (2, 2)


def test_messages_of_a_connection_that_has_ended_are_late() -> None:
    """They are dropped and counted: nothing of an old generation reaches the stream."""
    virtual, stats, seen = TestScheduler(), Stats(), []  # type: ignore[var-annotated]
    transport = Reluctant(Attempt())
    stream = ws_observable("ws://scripted", transport=transport, stats=stats, retry=None)
    subscription = stream.subscribe(seen.append, scheduler=virtual)
    virtual.advance_to(1.0)
    subscription.dispose()
    transport.receivers[0].on_message(b"1", True)
    assert (seen, stats.late, stats.messages_received) == ([], 1, 0)


class Reluctant(ScriptedTransport):
    """A transport that goes on talking."""

    def __init__(self, *attempts: Attempt) -> None:
        super().__init__(*attempts)
        self.receivers: list[Any] = []

    def open(self, dial: Any, receiver: Any, scheduler: Any) -> Any:
        self.receivers.append(receiver)
        return super().open(dial, receiver, scheduler)


def test_a_listener_that_raises_does_not_hurt_the_stream() -> None:
    """What an observer of events raises is reported, and the stream goes on."""

    async def main() -> tuple[list[Any], list[Any]]:
        reported: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
        seen: list[Any] = []
        done = asyncio.Event()

        def listen(event: Event) -> None:
            raise LookupError(type(event).__name__)

        def take(value: Any) -> None:
            seen.append(value)
            done.set()

        transport = ScriptedTransport(Attempt(messages=[(0.0, "1")]))
        subscription = ws_observable("ws://scripted", transport=transport, events=listen).subscribe(take)
        async with asyncio.timeout(10):
            await done.wait()
        subscription.dispose()
        return seen, reported

    seen, reported = asyncio.run(main())
    assert seen == [1]
    assert [str(error) for error in reported] == ["Connecting", "Opened", "Live", "Closed"]


def test_a_listener_that_is_always_slow_is_told_of_once_at_a_time() -> None:
    """About the word of its own slowness too: that is told no further."""
    virtual, told = TestScheduler(), []  # type: ignore[var-annotated]

    def listen(event: Event) -> None:
        told.append(event)
        virtual.sleep(1.5)

    transport = ScriptedTransport(Attempt())
    ws_observable("ws://scripted", transport=transport, events=listen, ping_interval=None).subscribe(scheduler=virtual)
    virtual.advance_to(30.0)
    assert [type(event) for event in told] == [Connecting, Blocked, Opened, Blocked]
    blocked = told[1]
    assert blocked.seconds == 1.5
    assert blocked.callback.endswith("once_at_a_time.<locals>.listen")


def test_a_consumer_that_raises_on_an_event_is_disposed_like_any_other() -> None:
    """Events in the stream are the stream's: what their consumer raises disposes the subscription."""
    virtual, transport = TestScheduler(), ScriptedTransport(Attempt())

    def consume(value: object) -> None:
        raise ValueError(type(value).__name__)

    ws_observable("ws://scripted", transport=transport, lifecycle=True).subscribe(consume, scheduler=virtual)
    with pytest.raises(ValueError, match="Connecting"):
        virtual.advance_to(1.0)
    virtual.advance_to(100.0)
    assert transport.live == 0
    assert len(transport.dials) <= 1


def test_the_state_follows_the_table() -> None:
    """From the first dial to the end, every state is passed."""
    virtual = TestScheduler()
    life = Lifecycle(virtual, stable_after=60.0, origin="ws://scripted")
    states = [life.state]

    def note() -> None:
        states.append(life.state)

    def begin() -> Journal:
        journal = life.attempt(lambda error: None)
        journal.connecting("ws://scripted")
        return journal

    refused = begin()
    note()
    refused.closed(ConnectionFailed("ws://scripted"), 0.0, False)
    note()
    planned = begin()
    planned.opened(Stub())
    note()
    life.planned(DisconnectReason.SCHEDULED)
    planned.closed(None, 1.0, True)
    planned.gone()
    note()
    ours = begin()
    ours.opened(Stub())
    ours.closed(None, 1.0, True)
    note()
    ours.gone()
    note()
    assert states == [
        ConnectionState.DISCONNECTED,
        ConnectionState.CONNECTING,
        ConnectionState.RECONNECTING,
        ConnectionState.CONNECTED,
        ConnectionState.DISCONNECTED,
        ConnectionState.CLOSING,
        ConnectionState.CLOSED,
    ]


class Stub:
    """What `opened` asks of a connection."""

    url = "ws://scripted"
    dial_time = 0.5
    subprotocol = None
    opened_time = 0.0

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_secrets_stay_out_of_events() -> None:
    """User info, query values and tokens in the path are masked in origins and errors."""
    virtual, events = TestScheduler(), []  # type: ignore[var-annotated]
    key = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
    url = f"ws://user:password@scripted/ws/{key}?token=tell-nobody"
    transport = ScriptedTransport(Attempt.refused(1.0, ConnectionFailed(url)), Attempt())
    ws_observable(url, transport=transport, events=events.append, headers={"X-Api-Key": "tell-nobody"}).subscribe(
        scheduler=virtual
    )
    virtual.advance_to(50.0)
    shown = repr(events) + "".join(str(event.error) for event in events if isinstance(event, Closed))
    assert "***@scripted/ws/***?token=***" in shown
    for secret in ("password", key, "tell-nobody"):
        assert secret not in shown


def test_errors_by_reason() -> None:
    """The errors that the keepalive and the idle clock make carry their own reason."""
    for error, reason in [(PingTimeout(1.0), "ping timeout"), (IdleTimeout(1.0), "idle timeout")]:
        played = play(Attempt(lost=(1.0, error)), retry=None).to(2.0)
        assert played.of(Closed)[0].reason.value == reason


def test_two_subscriptions_share_nothing() -> None:
    """Generations, counts and reasons are each subscription's own."""
    virtual, events = TestScheduler(), []  # type: ignore[var-annotated]
    transport = ScriptedTransport(Attempt.closes(1.0))
    stream = ws_observable("ws://scripted", transport=transport, retry=FIXED, events=events.append)
    stream.subscribe(scheduler=virtual)
    virtual.advance_to(20.0)
    before = len(events)
    stream.pipe(ops.take(1)).subscribe(scheduler=virtual)
    virtual.advance_to(20.5)
    first = next(event for event in events[before:] if isinstance(event, Connecting))
    assert (first.generation, first.attempt) == (1, 1)


def test_whoever_waits_for_room_may_leave() -> None:
    """And whoever came after it is not forgotten by that."""
    life, called = Lifecycle(TestScheduler(), stable_after=60.0), []  # type: ignore[var-annotated]
    sockets = [life.attempt(lambda error: None) for _ in range(3)]
    for socket in sockets[:2]:
        life.has_opened(socket)
    first = life.room(lambda: called.append("first"))
    life.room(lambda: called.append("second"))
    first.dispose()
    life.has_gone(sockets[0])
    assert called == ["second"]
    life.has_opened(sockets[2])
    life.room(lambda: called.append("third")).dispose()
    life.has_gone(sockets[1])
    assert called == ["second"]
