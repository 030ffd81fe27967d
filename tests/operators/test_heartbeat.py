"""Beats come at their time while a connection lives, never two at once, and end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from reactivex.disposable import SerialDisposable

from rxws import Rotation
from rxws.backoff import Backoff
from rxws.errors import BufferOverflow, ConfigError, ConnectionClosed, RxwsError
from rxws.operators import after, heartbeat, retry_when, send_subscriptions
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Connection, Silence
from tests.operators.seen import Seen, at, dialled, turns
from tests.scripted import Full, play

LOST = ConnectionClosed(1006)
AGAIN = retry_when(after(Backoff.fixed(1.0)))


class Told(Silence):
    """A journal that notes what a beat raised, and what was dropped."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def dropped(self, where: str, count: int = 1) -> None:
        self.told.append((where, count))

    def callback_failed(self, name: str, error: Exception) -> None:
        self.told.append((name, error))


class Beats:
    """A beat that notes when it is asked; it answers with what `answer` returns."""

    def __init__(self, virtual: Any, answer: Callable[[], Any] = lambda: None) -> None:
        self._virtual = virtual
        self._answer = answer
        self.times: list[float] = []

    def __call__(self) -> Any:
        self.times.append(self._virtual.clock)
        return self._answer()


# Payloads


def test_a_payload_is_sent_every_so_many_seconds_from_the_open_connection_on() -> None:
    """The first after as many; a dict as JSON, bytes as binary."""
    for payload, sent in (("ping", "ping"), ({"op": "ping"}, '{"op":"ping"}'), (b"\x00", b"\x00")):
        virtual, transport = at(0), ScriptedTransport(Attempt(opens=5.0))
        Seen(virtual, dialled(transport).pipe(heartbeat(10.0, payload)))
        virtual.advance_to(14.9)
        assert transport.dials[0].sent == []
        virtual.advance_to(36.0)
        assert transport.dials[0].sent == [sent] * 3


def test_the_connection_passes_and_ends_as_it_would() -> None:
    """Nothing is added, and no beat follows the end."""
    virtual, transport = at(0), ScriptedTransport(Attempt(lost=(25.0, LOST)))
    seen = Seen(virtual, dialled(transport).pipe(heartbeat(10.0, "ping")))
    virtual.advance_to(100.0)
    assert [when for when, _ in seen.messages] == [0.0, 25.0]
    assert seen.values[1] is LOST
    assert transport.dials[0].sent == ["ping", "ping"]


def test_each_connection_begins_anew() -> None:
    """A loss in the middle of an interval takes its beat with it."""
    virtual = at(0)
    transport = ScriptedTransport(Attempt(lost=(15.0, LOST)), Attempt())
    Seen(virtual, dialled(transport).pipe(heartbeat(10.0, "ping"), AGAIN))
    virtual.advance_to(25.9)
    assert [dialed.sent for dialed in transport.dials] == [["ping"], []]
    virtual.advance_to(26.0)
    assert [dialed.sent for dialed in transport.dials] == [["ping"], ["ping"]]


async def test_the_first_beat_waits_for_the_script_and_the_subscriptions() -> None:
    """Its interval begins when they are done; what is held goes before it too."""
    virtual, logged_in = at(0), asyncio.get_running_loop().create_future()
    transport = ScriptedTransport()

    async def on_open(connection: Connection) -> None:
        connection.send("login")
        await logged_in

    ready = send_subscriptions(on_open, ["subscribe"])
    seen = Seen(virtual, dialled(transport, open_timeout=None).pipe(ready, heartbeat(10.0, "ping")))
    virtual.advance_to(30.0)
    logged_in.set_result(None)
    await turns()
    virtual.advance_to(39.0)
    assert transport.dials[0].sent == ["login", "subscribe"]
    virtual.advance_to(40.0)
    assert transport.dials[0].sent == ["login", "subscribe", "ping"]
    seen.dispose()


def test_a_full_outbox_is_told_and_the_next_beat_comes_in_its_time() -> None:
    """The connection goes on."""
    virtual, told, full = at(0), Told(), Full(1, BufferOverflow(1, 1))
    Seen(virtual, dialled(full, journal=told).pipe(heartbeat(10.0, "ping")))
    virtual.advance_to(35.0)
    assert (full.dials[0].sent, told.told, full.live) == (["ping"], [("heartbeat", 1)] * 2, 1)


def test_a_connection_that_the_server_has_closed_already_takes_no_beat() -> None:
    """Its end is read a moment later; the beat is told as dropped, and is no error of ours."""
    virtual, told, full = at(0), Told(), Full(0, LOST, Attempt(lost=(10.5, LOST)))
    seen = Seen(virtual, dialled(full, journal=told).pipe(heartbeat(10.0, "ping")))
    virtual.advance_to(50.0)
    assert (told.told, seen.values[1]) == ([("heartbeat", 1)], LOST)


# Callables


def test_a_callable_is_asked_each_time_and_what_it_returns_is_sent() -> None:
    """None: nothing."""
    virtual, transport = at(0), ScriptedTransport()
    answers = iter([None, {"id": 1}, "two", b"three"])
    Seen(virtual, dialled(transport).pipe(heartbeat(10.0, lambda: next(answers))))
    virtual.advance_to(45.0)
    assert transport.dials[0].sent == ['{"id":1}', "two", b"three"]


async def test_a_coroutine_is_awaited_and_what_it_returns_is_sent() -> None:
    """The PUT that keeps a listen key alive, say."""
    virtual, transport = at(0), ScriptedTransport()

    async def put() -> str:
        await asyncio.sleep(0)
        return "alive"

    beats = Beats(virtual, put)
    seen = Seen(virtual, dialled(transport).pipe(heartbeat(10.0, beats)))
    for second in (10.0, 20.0, 30.0):
        virtual.advance_to(second)
        await turns()
    assert (beats.times, transport.dials[0].sent) == ([10.0, 20.0, 30.0], ["alive"] * 3)
    seen.dispose()


def test_a_coroutine_that_waits_for_nothing_needs_no_loop() -> None:
    """In virtual time."""
    virtual, transport = at(0), ScriptedTransport()

    async def beat() -> str:
        return "ping"

    Seen(virtual, dialled(transport).pipe(heartbeat(10.0, beat)))
    virtual.advance_to(25.0)
    assert transport.dials[0].sent == ["ping", "ping"]


async def test_one_that_takes_its_time_keeps_the_pace() -> None:
    """The next is due `every` seconds after it began, not after it ended."""
    virtual, pending = at(0), asyncio.Queue[asyncio.Future[str]]()

    def answer() -> asyncio.Future[str]:
        future = asyncio.get_running_loop().create_future()
        pending.put_nowait(future)
        return future

    beats = Beats(virtual, answer)
    transport = ScriptedTransport()
    seen = Seen(virtual, dialled(transport).pipe(heartbeat(10.0, beats)))
    for due in (10.0, 20.0, 30.0):
        virtual.advance_to(due + 4.0)
        pending.get_nowait().set_result("done")
        await turns()
    virtual.advance_to(39.9)
    assert (beats.times, transport.dials[0].sent) == ([10.0, 20.0, 30.0], ["done"] * 3)
    seen.dispose()


async def test_there_are_never_two_at_once() -> None:
    """One that still runs when the next is due is waited for, and the next comes then; none is made up for."""
    virtual, running = at(0), asyncio.Queue[asyncio.Future[None]]()

    def answer() -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        running.put_nowait(future)
        return future

    beats = Beats(virtual, answer)
    seen = Seen(virtual, dialled(ScriptedTransport()).pipe(heartbeat(10.0, beats)))
    virtual.advance_to(45.0)
    assert beats.times == [10.0]
    running.get_nowait().set_result(None)
    await turns()
    virtual.advance_to(54.0)
    assert beats.times == [10.0, 45.0]
    running.get_nowait().set_result(None)
    await turns()
    virtual.advance_to(60.0)
    assert beats.times == [10.0, 45.0, 55.0]
    seen.dispose()


@pytest.mark.parametrize("kind", ["function", "coroutine", "cancelled"])
async def test_what_one_raises_is_told_and_the_next_comes_in_its_time(kind: str) -> None:
    """Also where what it awaited was cancelled elsewhere: the connection goes on."""
    virtual, transport, told, error = at(0), ScriptedTransport(), Told(), ValueError("503")

    def raises() -> Any:
        raise error

    async def fails() -> None:
        await asyncio.sleep(0)
        if kind == "cancelled":
            raise asyncio.CancelledError
        raise error

    beats = Beats(virtual, raises if kind == "function" else fails)
    seen = Seen(virtual, dialled(transport, journal=told).pipe(heartbeat(10.0, beats)))
    for second in (10.0, 20.0):
        virtual.advance_to(second)
        await turns()
    assert beats.times == [10.0, 20.0]
    assert [name for name, _ in told.told] == ["heartbeat"] * 2
    assert kind == "cancelled" or [what for _, what in told.told] == [error, error]
    assert (transport.live, len(seen.values)) == (1, 1)
    seen.dispose()


@pytest.mark.parametrize("wrong", [True, 0, object(), "\ud800"])
def test_what_cannot_be_sent_is_told_like_what_is_raised(wrong: Any) -> None:
    """The answer of an HTTP library, say: whoever returns it meant None."""
    virtual, transport, told = at(0), ScriptedTransport(), Told()
    Seen(virtual, dialled(transport, journal=told).pipe(heartbeat(10.0, lambda: wrong)))
    virtual.advance_to(25.0)
    assert [(name, isinstance(error, TypeError | ValueError)) for name, error in told.told] == [("heartbeat", True)] * 2
    assert (transport.dials[0].sent, transport.live) == ([], 1)


# The end


@pytest.mark.parametrize("how", ["lost", "close", "abort", "fail", "dispose"])
async def test_one_that_runs_is_cancelled_with_its_connection(how: str) -> None:
    """What it would have sent is not sent, whatever it makes of its cancellation; nothing of it is told."""
    virtual, told, cancelled = at(0), Told(), []  # type: ignore[var-annotated]

    async def beat() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(True)
        return "stubborn"

    transport = ScriptedTransport(Attempt(lost=(15.0, LOST) if how == "lost" else None), Attempt())
    seen = Seen(virtual, dialled(transport, journal=told).pipe(heartbeat(10.0, beat), AGAIN))
    virtual.advance_to(12.0)
    await turns()
    assert cancelled == []
    connection = seen.values[0]
    if how == "fail":
        connection.fail(LOST)
    elif how == "dispose":
        seen.dispose()
    elif how != "lost":
        getattr(connection, how)()
    virtual.advance_to(19.0)
    await turns()
    assert cancelled == [True]
    assert (told.told, [dialed.sent for dialed in transport.dials if dialed.sent]) == ([], [])
    seen.dispose()


async def test_it_is_cancelled_before_anybody_hears_of_the_end() -> None:
    """Who hears of it may begin anew: there are never two."""
    virtual, begun, cancelling = at(0), [], []  # type: ignore[var-annotated]

    async def beat() -> None:
        begun.append(asyncio.current_task())
        await asyncio.get_running_loop().create_future()

    beating = dialled(ScriptedTransport(Attempt(lost=(15.0, LOST)))).pipe(heartbeat(10.0, beat))
    Seen(virtual, beating, lambda _: cancelling.extend(task.cancelling() for task in begun))
    virtual.advance_to(12.0)
    await turns()
    virtual.advance_to(20.0)
    assert cancelling == [1]


@pytest.mark.parametrize("raises", [False, True])
def test_a_beat_may_end_the_connection_itself(raises: bool) -> None:
    """It was the last, also where it answers or raises afterwards."""
    virtual, transport, told, subscription = at(0), ScriptedTransport(), Told(), SerialDisposable()

    def beat() -> str:
        subscription.dispose()
        if raises:
            raise ValueError("at last")
        return "too late"

    beats = Beats(virtual, beat)
    beating = dialled(transport, journal=told).pipe(heartbeat(10.0, beats))
    subscription.disposable = Seen(virtual, beating).subscription
    virtual.advance_to(100.0)
    assert (beats.times, transport.dials[0].sent, transport.live) == ([10.0], [], 0)
    assert len(told.told) == raises


def test_two_subscribers_are_independent() -> None:
    """Each connection has beats of its own."""
    virtual, transport = at(0), ScriptedTransport()
    result = dialled(transport).pipe(heartbeat(10.0, "ping"))
    first = Seen(virtual, result)
    virtual.advance_to(5.0)
    Seen(virtual, result)
    virtual.advance_to(12.0)
    first.dispose()
    virtual.advance_to(36.0)
    assert [dialed.sent for dialed in transport.dials] == [["ping"], ["ping"] * 3]


# In a stream


def test_in_the_overlap_of_a_rotation_each_connection_has_its_own() -> None:
    """The new one from its own subscriptions on; the old one until the cut."""
    new = Attempt(messages=[(9.0, "1")])
    played = play(Attempt(), new, heartbeat=heartbeat(4.0, "ping"), rotate=Rotation(10.0, overlap=20.0)).to(27.0)
    assert played.dials == [0.0, 10.0]
    assert [dialed.sent for dialed in played.transport.dials] == [["ping"] * 4, ["ping"] * 4]


def test_one_that_raises_costs_the_stream_nothing() -> None:
    """It is logged, at most once a minute."""

    def beat() -> None:
        raise ValueError("503")

    played = play(Attempt(messages=[(50.0, "1")]), heartbeat=heartbeat(1.0, beat)).to(60.0)
    assert (played.values, played.error, played.dials) == ([(50.0, 1)], None, [0.0])


@pytest.mark.parametrize(
    ("every", "beat", "field"),
    [
        (0.0, "ping", "every"),
        (None, "ping", "every"),
        (float("nan"), "ping", "every"),
        (10.0, None, "beat"),
        (10.0, 5, "beat"),
        (10.0, object(), "beat"),
        (10.0, "\ud800", "beat"),
    ],
)
def test_what_would_never_beat_is_refused_when_it_is_made(every: Any, beat: Any, field: str) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigError) as refused:
        heartbeat(every, beat)
    assert refused.value.field == field


def test_a_stream_takes_the_operator_and_nothing_else() -> None:
    """Seconds alone do not say what to send."""
    with pytest.raises(ConfigError, match=r"take operators.heartbeat\(every, beat\)") as refused:
        play(heartbeat=20.0)
    assert (refused.value.field, isinstance(refused.value, RxwsError)) == ("heartbeat", True)
