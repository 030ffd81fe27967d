"""On every connection: the script, then the subscriptions, once and in order; then what goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject
from reactivex import operators as ops
from reactivex.disposable import SerialDisposable
from reactivex.testing import ReactiveTest
from reactivex.testing.subscription import Subscription as Span

from rxws.backoff import Backoff
from rxws.errors import (
    BufferOverflow,
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    ConnectTimeout,
)
from rxws.operators import after, messages, retry_when, send_subscriptions
from rxws.operators._payloads import formatted
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Connection, Silence
from tests.operators.seen import COMPLETED, Seen, at, dialled, turns
from tests.scripted import Full

on_next, on_error, on_completed = ReactiveTest.on_next, ReactiveTest.on_error, ReactiveTest.on_completed
LOST = ConnectionClosed(1006)
AGAIN = retry_when(after(Backoff.fixed(1.0)))


class Told(Silence):
    """A journal that notes what was subscribed and dropped."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def subscribed(self, count: int) -> None:
        self.told.append(("subscribed", count))

    def dropped(self, where: str, count: int = 1) -> None:
        self.told.append((where, count))


# The subscriptions


def test_payloads_of_every_kind_are_sent_in_order_before_the_connection_passes() -> None:
    """A dict or a list as JSON text, str as text, bytes as binary."""
    virtual, transport, sent = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]
    payloads: list[Any] = [{"op": "subscribe", "args": ["ä"]}, ["a", 1], "text", b"bytes"]
    operator = send_subscriptions(subscriptions=payloads)
    Seen(virtual, dialled(transport).pipe(operator), lambda _: sent.extend(transport.dials[0].sent))
    virtual.advance_to(1)
    assert sent == ['{"op":"subscribe","args":["ä"]}', '["a",1]', "text", b"bytes"]


def test_they_are_sent_once_on_each_connection() -> None:
    """Also where they came from a generator; the journal is told how many, each time."""
    virtual, told = at(0), Told()
    transport = ScriptedTransport(Attempt(lost=(3.0, LOST)), Attempt(lost=(3.0, LOST)), Attempt())
    operator = send_subscriptions(subscriptions=(each for each in ("a", "b")))
    Seen(virtual, dialled(transport, journal=told).pipe(operator, AGAIN))
    virtual.advance_to(100)
    assert [dialed.sent for dialed in transport.dials] == [["a", "b"]] * 3
    assert told.told == [("subscribed", 2)] * 3


def test_without_any_the_connection_passes_and_nothing_is_told() -> None:
    """Nothing was subscribed."""
    virtual, transport, told = at(0), ScriptedTransport(), Told()
    seen = Seen(virtual, dialled(transport, journal=told).pipe(send_subscriptions()))
    virtual.advance_to(1)
    assert (len(seen.messages), transport.dials[0].sent, told.told) == (1, [], [])


def test_nothing_is_told_as_subscribed_behind_the_end() -> None:
    """Whoever gets the connection may leave at once."""
    virtual, transport, told, subscription = at(0), ScriptedTransport(), Told(), SerialDisposable()
    operator = send_subscriptions(subscriptions=["a"])
    leaving = Seen(virtual, dialled(transport, journal=told).pipe(operator), lambda _: subscription.dispose())
    subscription.disposable = leaving.subscription
    virtual.advance_to(1)
    assert (transport.dials[0].sent, transport.live, told.told) == (["a"], 0, [])


def test_an_outbox_that_is_full_is_a_loss_of_the_connection() -> None:
    """Half-subscribed it does not pass; the cause stands behind the error."""
    virtual, transport, told = at(0), Full(1, BufferOverflow(1, 1)), Told()
    seen = Seen(virtual, dialled(transport, journal=told).pipe(send_subscriptions(subscriptions=["a", "b"])))
    virtual.advance_to(1)
    [error] = seen.values
    assert isinstance(error, ConnectionFailed)
    assert isinstance(error.__cause__, BufferOverflow)
    assert error.last_error is error.__cause__
    assert error.url == "ws://scripted"
    assert (transport.live, told.told) == (0, [])


def test_a_server_that_has_closed_already_is_read_to_its_end() -> None:
    """What it wrote before its close is handed on, and the loss is its close; nothing counts as subscribed."""
    virtual, told, error = at(0), Told(), ConnectionClosed(1008)
    script = Attempt(messages=[(1.0, "go away")], lost=(1.0, error))
    transport = Full(1, ConnectionClosed(1006), script)
    operator = send_subscriptions(subscriptions=["a", "b"])
    seen = Seen(virtual, dialled(transport, journal=told).pipe(operator, messages()))
    virtual.advance_to(10)
    assert seen.messages == [(1.0, "go away"), (1.0, error)]
    assert told.told == []


@pytest.mark.parametrize(
    "wrong", [object(), {1, object()}, 1j, {"a": [object()]}], ids=["object", "set", "complex", "inside"]
)
def test_a_payload_that_cannot_be_sent_is_refused_by_its_place(wrong: Any) -> None:
    """When the operator is made."""
    with pytest.raises(ConfigError) as refused:
        send_subscriptions(subscriptions=[{"op": "subscribe"}, wrong])
    assert refused.value.field == "subscriptions[1]"
    assert refused.value.__cause__ is not None


@pytest.mark.parametrize(("wrong", "kind"), [({"op": "subscribe"}, "dict"), ("text", "str"), (b"x", "bytes")])
def test_a_single_payload_is_refused(wrong: Any, kind: str) -> None:
    """It would be taken for a list of its keys or letters; the error says what to write."""
    with pytest.raises(ConfigError, match=rf"a single {kind}; take a list of payloads: \[{kind}") as refused:
        send_subscriptions(subscriptions=wrong)
    assert refused.value.field == "subscriptions"


# Payloads that are asked for anew


def test_a_callable_is_asked_anew_for_each_connection() -> None:
    """Once each, when the script is done: what is wanted may have changed meanwhile."""
    virtual, told, wanted = at(0), Told(), ["a"]
    transport = ScriptedTransport(Attempt(lost=(3.0, LOST)), Attempt(lost=(3.0, LOST)), Attempt())
    asked: list[list[str]] = []

    def subscriptions() -> list[str]:
        asked.append(transport.dials[-1].sent[:])  # type: ignore[arg-type]
        return wanted

    def on_open(connection: Connection) -> Any:
        connection.send("login")

    operator = send_subscriptions(on_open, subscriptions)
    Seen(virtual, dialled(transport, journal=told).pipe(operator, AGAIN))
    virtual.advance_to(1)
    wanted.append("b")
    virtual.advance_to(5)
    wanted.clear()
    virtual.advance_to(100)
    assert [dialed.sent for dialed in transport.dials] == [["login", "a"], ["login", "a", "b"], ["login"]]
    assert asked == [["login"]] * 3
    assert told.told == [("subscribed", 1), ("subscribed", 2)]


def raising() -> Any:
    """Raise at once."""
    raise KeyError("topics")


def half() -> Any:
    """Raise behind the first payload."""
    yield "a"
    raise KeyError("topics")


@pytest.mark.parametrize(
    ("subscriptions", "cause"),
    [
        (raising, KeyError),
        (half, KeyError),
        (lambda: None, ConfigError),
        (lambda: 5, ConfigError),
        (lambda: "trades", ConfigError),
        (lambda: {"op": "subscribe"}, ConfigError),
        (lambda: ["a", object()], ConfigError),
        (lambda: ["a", None], ConfigError),
    ],
    ids=["raises", "raises later", "None", "number", "str", "dict", "object", "None inside"],
)
@pytest.mark.parametrize("format", [None, lambda action, channel: {"op": action, "channel": channel}])
def test_what_a_callable_raises_or_wrongly_returns_is_a_failed_connection(
    subscriptions: Any, cause: type[Exception], format: Any
) -> None:
    """Nothing of it is sent, and it is asked again for the next one."""
    virtual, transport, answers = at(0), ScriptedTransport(), iter([subscriptions, subscriptions, lambda: ["b"]])
    operator = send_subscriptions(subscriptions=formatted(lambda: next(answers)(), format))
    seen = Seen(virtual, dialled(transport).pipe(operator))
    virtual.advance_to(1)
    [error] = seen.values
    assert isinstance(error, ConnectionFailed)
    assert isinstance(error.__cause__, cause)
    seen = Seen(virtual, dialled(transport).pipe(operator, AGAIN))
    virtual.advance_to(100)
    assert [dialed.sent for dialed in transport.dials[:-1]] == [[], []]
    assert (len(seen.messages), transport.live) == (1, 1)
    assert transport.dials[-1].sent == ["b" if format is None else '{"op":"subscribe","channel":"b"}']


def test_a_coroutine_function_is_refused() -> None:
    """When it is made: what it returns would never be awaited."""

    async def subscriptions() -> list[str]:
        return ["a"]

    wrong: Any = subscriptions
    for format in (None, lambda action, channel: channel):
        with pytest.raises(ConfigError, match="take a plain one, and await what it needs in on_open") as refused:
            send_subscriptions(subscriptions=formatted(wrong, format))
        assert refused.value.field == "subscriptions"


def test_a_callable_that_ends_the_connection_sends_nothing() -> None:
    """And the connection does not pass."""
    virtual, transport, subscription = at(0), ScriptedTransport(), SerialDisposable()

    def subscriptions() -> list[str]:
        subscription.dispose()
        return ["a"]

    seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(subscriptions=subscriptions)))
    subscription.disposable = seen.subscription
    virtual.advance_to(100)
    assert (seen.values, transport.dials[0].sent, transport.live) == ([], [], 0)


# Channels by name


def test_a_format_makes_payloads_of_channels_and_leaves_the_rest() -> None:
    """Each string is a channel; it is asked once, for "subscribe"."""
    formats: list[tuple[str, str]] = []

    def format(action: str, channel: str) -> dict[str, str]:
        formats.append((action, channel))
        return {"op": action, "channel": channel}

    virtual, transport = at(0), ScriptedTransport(Attempt(lost=(3.0, LOST)), Attempt())
    operator = send_subscriptions(subscriptions=formatted(["a", {"op": "login"}, "b", b"c"], format))
    Seen(virtual, dialled(transport).pipe(operator, AGAIN))
    virtual.advance_to(100)
    sent = ['{"op":"subscribe","channel":"a"}', '{"op":"login"}', '{"op":"subscribe","channel":"b"}', b"c"]
    assert [dialed.sent for dialed in transport.dials] == [sent, sent]
    assert formats == [("subscribe", "a"), ("subscribe", "b")]


@pytest.mark.parametrize(
    ("subscriptions", "format", "field"),
    [
        (["a"], "subscribe", "format"),
        (["a"], {"op": "subscribe"}, "format"),
        (["a"], lambda action, channel: None, "subscriptions[0]"),
        ([{"op": "a"}, "b"], lambda action, channel: object(), "subscriptions[1]"),
        ("trades", lambda action, channel: channel, "subscriptions"),
        ({"op": "a"}, lambda action, channel: channel, "subscriptions"),
        (5, lambda action, channel: channel, "subscriptions"),
        (5, None, "subscriptions"),
    ],
)
def test_a_wrong_format_or_what_it_wrongly_returns_is_refused(subscriptions: Any, format: Any, field: str) -> None:
    """When it is made, by its name or place."""
    with pytest.raises(ConfigError) as refused:
        send_subscriptions(subscriptions=formatted(subscriptions, format))
    assert refused.value.field == field


def test_what_a_format_raises_is_raised_when_it_is_made() -> None:
    """It is the caller's own bug, with its own traceback."""

    def format(action: str, channel: str) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        send_subscriptions(subscriptions=formatted(["a"], format))


# The script


async def test_the_script_runs_before_the_subscriptions() -> None:
    """What it sends goes out first, and the connection passes when all is sent."""
    virtual, transport, told = at(0), ScriptedTransport(), Told()
    answered = asyncio.get_running_loop().create_future()

    async def on_open(connection: Connection) -> None:
        connection.send("login")
        await answered
        connection.send("confirm")

    operator = send_subscriptions(on_open, ["subscribe"])
    seen = Seen(virtual, dialled(transport, journal=told).pipe(operator))
    virtual.advance_to(1)
    await turns()
    assert (transport.dials[0].sent, seen.messages, told.told) == (["login"], [], [])
    virtual.advance_to(2)
    answered.set_result(None)
    await turns()
    assert transport.dials[0].sent == ["login", "confirm", "subscribe"]
    assert [when for when, _ in seen.messages] == [2]
    assert told.told == [("subscribed", 1)]
    virtual.advance_to(1000)
    assert transport.live == 1
    seen.dispose()


async def test_the_script_runs_on_each_connection() -> None:
    """Which it is given."""
    virtual = at(0)
    transport = ScriptedTransport(Attempt(lost=(3.0, LOST)), Attempt())
    given: list[Connection] = []

    async def on_open(connection: Connection) -> None:
        given.append(connection)
        connection.send("login")

    seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(on_open, ["a"]), AGAIN))
    for time in (1, 5):
        virtual.advance_to(time)
        await turns()
    assert [dialed.sent for dialed in transport.dials] == [["login", "a"], ["login", "a"]]
    assert seen.values == given
    seen.dispose()


def test_a_script_that_waits_for_nothing_needs_no_loop() -> None:
    """A plain function does too."""

    async def on_open(connection: Connection) -> None:
        connection.send("login")

    for script in (on_open, lambda connection: connection.send("login")):
        virtual, transport = at(0), ScriptedTransport()
        seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(script, ["a"])))  # type: ignore[arg-type]
        virtual.advance_to(1000)
        assert transport.dials[0].sent == ["login", "a"]
        assert (len(seen.messages), transport.live) == (1, 1)


async def test_what_arrives_during_the_script_is_handed_on_afterwards_in_order() -> None:
    """Before what comes then; nothing is lost, nothing comes twice."""
    virtual, done = at(0), asyncio.get_running_loop().create_future()
    transport = ScriptedTransport(Attempt(messages=[(1.0, "welcome"), (2.0, b"two"), (4.0, "three")]))

    async def on_open(connection: Connection) -> None:
        await done

    seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(on_open), messages()))
    virtual.advance_to(3)
    assert seen.messages == []
    done.set_result(None)
    await turns()
    virtual.advance_to(10)
    assert seen.messages == [(3, "welcome"), (3, b"two"), (4, "three")]
    seen.dispose()


async def test_the_script_may_read_what_arrives_meanwhile() -> None:
    """From `connection.messages`; the subscriber gets all of it too."""
    virtual, loop = at(0), asyncio.get_running_loop()
    transport = ScriptedTransport(Attempt(messages=[(0.0, "early"), (1.0, "welcome"), (2.0, "token"), (4.0, "tick")]))
    read: list[Any] = []

    async def on_open(connection: Connection) -> None:
        token = loop.create_future()

        def on_message(message: Any) -> None:
            read.append(message)
            if message == "token":
                token.set_result(message)

        with connection.messages.subscribe(on_message, token.set_exception):
            connection.send(await token)

    seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(on_open, ["a"]), messages()))
    for time in (0.5, 1.5, 2.5):
        virtual.advance_to(time)
        await turns()
    virtual.advance_to(10)
    assert read[-2:] == ["welcome", "token"]
    assert transport.dials[0].sent == ["token", "a"]
    assert seen.values == ["early", "welcome", "token", "tick"]
    seen.dispose()


def test_a_script_that_is_none_is_refused() -> None:
    """A coroutine, say, that somebody called already."""
    wrong: Any = "login"
    with pytest.raises(ConfigError, match="take an async function of a Connection, or None") as refused:
        send_subscriptions(wrong)
    assert refused.value.field == "on_open"


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "after a while"])
async def test_what_the_script_raises_is_a_failed_connection(waits: bool) -> None:
    """With what it raised as the cause; the socket is closed, nothing was sent, and it is retried."""
    virtual, transport = at(0), ScriptedTransport()

    async def on_open(connection: Connection) -> None:
        if waits:
            await asyncio.sleep(0)
        raise KeyError("no token")

    result = dialled(transport).pipe(send_subscriptions(on_open, ["a"]))
    seen = Seen(virtual, result)
    virtual.advance_to(1)
    await turns()
    [error] = seen.values
    assert isinstance(error, ConnectionFailed)
    assert isinstance(error.__cause__, KeyError)
    assert error.last_error is error.__cause__
    assert (transport.live, transport.dials[0].sent) == (0, [])
    seen = Seen(virtual, result.pipe(AGAIN))
    for time in (2, 3, 4):
        virtual.advance_to(time)
        await turns()
    assert seen.messages == []
    assert len(transport.dials) == 4
    seen.dispose()


def test_what_a_plain_function_raises_is_a_failed_connection_too() -> None:
    """Without a loop."""

    def on_open(connection: Connection) -> Any:
        raise KeyError("no token")

    virtual, transport = at(0), ScriptedTransport()
    seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(on_open)))
    virtual.advance_to(1000)
    [(when, error)] = seen.messages
    assert (when, type(error), type(error.__cause__)) == (0, ConnectionFailed, KeyError)
    assert error.script == "on_open", "the error says whose code it was"
    assert transport.live == 0


async def test_a_loss_that_the_script_raises_is_that_loss() -> None:
    """A script may say how the connection ended, for the error table to judge."""
    virtual, transport, banned = at(0), ScriptedTransport(), ConnectionClosed(1008)

    async def on_open(connection: Connection) -> None:
        raise banned

    seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(on_open)))
    virtual.advance_to(1)
    await turns()
    assert seen.values == [banned]


async def test_the_script_has_the_connections_open_timeout() -> None:
    """Then it is cancelled, and the connection lost by ConnectTimeout("on_open")."""
    virtual, transport, cancelled = at(0), ScriptedTransport(Attempt(opens=2.0)), []  # type: ignore[var-annotated]

    async def on_open(connection: Connection) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(virtual.clock)
            raise

    seen = Seen(virtual, dialled(transport, open_timeout=10.0).pipe(send_subscriptions(on_open, ["a"])))
    virtual.advance_to(3)
    await turns()
    virtual.advance_to(11.9)
    assert seen.messages == []
    virtual.advance_to(100)
    await turns()
    [(when, error)] = seen.messages
    assert (when, type(error)) == (12.0, ConnectTimeout)
    assert (error.operation, error.timeout) == ("on_open", 10.0)
    assert (cancelled, transport.live, transport.dials[0].sent) == ([100.0], 0, [])


async def test_without_an_open_timeout_the_script_may_take_for_ever() -> None:
    """And is cancelled by dispose."""
    virtual, transport, cancelled = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]

    async def on_open(connection: Connection) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.append(True)

    seen = Seen(virtual, dialled(transport, open_timeout=None).pipe(send_subscriptions(on_open)))
    virtual.advance_to(1)
    await turns()
    virtual.advance_to(1_000_000)
    await turns()
    assert (seen.messages, cancelled, transport.live) == ([], [], 1)
    seen.dispose()
    await turns()
    assert (seen.messages, cancelled, transport.live) == ([], [True], 0)


async def test_a_connection_that_is_lost_during_the_script_cancels_it() -> None:
    """The loss is the result's error; what the script would have done is not done."""
    virtual, transport = at(0), ScriptedTransport(Attempt(lost=(3.0, LOST)))
    answered = asyncio.get_running_loop().create_future()

    async def on_open(connection: Connection) -> None:
        await answered

    seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(on_open, ["a"])))
    virtual.advance_to(1)
    await turns()
    virtual.advance_to(5)
    await turns()
    assert answered.cancelled()
    assert seen.messages == [(3.0, LOST)]
    assert transport.dials[0].sent == []


@pytest.mark.parametrize("how", ["close", "abort", "dispose"])
@pytest.mark.parametrize("plain", [True, False], ids=["function", "coroutine"])
async def test_a_script_may_end_the_connection(how: str, plain: bool) -> None:
    """Nothing is sent then, and the connection does not pass."""
    virtual, transport, subscription = at(0), ScriptedTransport(), SerialDisposable()

    def end(connection: Connection) -> None:
        if how == "dispose":
            subscription.dispose()
        else:
            getattr(connection, how)()

    async def on_open(connection: Connection) -> None:
        end(connection)

    script: Any = end if plain else on_open
    seen = Seen(virtual, dialled(transport).pipe(send_subscriptions(script, ["a"])))
    subscription.disposable = seen.subscription
    virtual.advance_to(1)
    await turns()
    virtual.advance_to(1000)
    assert seen.values == ([] if how == "dispose" else [COMPLETED])
    assert (transport.live, transport.dials[0].sent) == (0, [])


# What goes out


def test_outgoing_is_sent_behind_the_subscriptions_on_the_current_connection() -> None:
    """Each payload on one connection, the one that is there; what comes while there is none is dropped and told."""
    virtual, told = at(0), Told()
    transport = ScriptedTransport(Attempt(opens=2.0, lost=(6.0, LOST)), Attempt(opens=2.0))
    times = (1, 3, 4, 6.5, 8, 10)
    outgoing = virtual.create_hot_observable(*(on_next(time, f"at {time}") for time in times))  # type: ignore[arg-type]
    sending = send_subscriptions(subscriptions=["a"], outgoing=outgoing, journal=told)
    Seen(virtual, rx.merge(dialled(transport, journal=told).pipe(AGAIN)).pipe(sending))
    virtual.advance_to(100)
    assert [dialed.sent for dialed in transport.dials] == [["a", "at 3", "at 4"], ["a", "at 10"]]
    dropped = [each for each in told.told if each[0] == "outgoing"]
    assert dropped == [("outgoing", 1)] * 3


def test_payloads_of_every_kind_go_out() -> None:
    """As the subscriptions do."""
    virtual, transport, outgoing = at(0), ScriptedTransport(), Subject[Any]()
    Seen(virtual, dialled(transport).pipe(send_subscriptions(outgoing=outgoing)))
    virtual.advance_to(1)
    for payload in ({"op": 1}, [1], "text", b"bytes"):
        outgoing.on_next(payload)
    assert transport.dials[0].sent == ['{"op":1}', "[1]", "text", b"bytes"]


def test_before_the_first_connection_the_operators_own_journal_is_told() -> None:
    """There is no connection yet that has one; without a journal nobody is told."""
    virtual, told, theirs, outgoing = at(0), Told(), Told(), Subject[Any]()
    transport = ScriptedTransport(Attempt(opens=2.0, lost=(4.0, LOST)))
    source = dialled(transport, journal=theirs).pipe(ops.materialize(), ops.merge(rx.never()), ops.dematerialize())
    for journal in (told, None):
        Seen(virtual, source.pipe(send_subscriptions(outgoing=outgoing, journal=journal)))
    virtual.advance_to(1)
    outgoing.on_next("early")
    assert (told.told, theirs.told) == ([("outgoing", 1)], [])


def test_after_it_the_journal_of_the_last_connection_is_told() -> None:
    """It knows where it belongs."""
    virtual, told, outgoing = at(0), Told(), Subject[Any]()
    transport = ScriptedTransport(Attempt(lost=(4.0, LOST)))
    source = dialled(transport, journal=told).pipe(retry_when(lambda losses: rx.never()))
    Seen(virtual, source.pipe(send_subscriptions(outgoing=outgoing)))
    virtual.advance_to(5)
    outgoing.on_next("late")
    assert told.told == [("outgoing", 1)]


def test_what_finds_the_outbox_full_is_dropped_and_told() -> None:
    """The connection goes on."""
    virtual, transport, told, outgoing = at(0), Full(1, BufferOverflow(1, 1)), Told(), Subject[Any]()
    Seen(virtual, dialled(transport, journal=told).pipe(send_subscriptions(outgoing=outgoing)))
    virtual.advance_to(1)
    for payload in "abc":
        outgoing.on_next(payload)
    assert transport.dials[0].sent == ["a"]
    assert told.told == [("outgoing", 1)] * 2
    assert transport.live == 1


def test_nothing_goes_out_while_the_script_runs() -> None:
    """The connection is not logged in yet: what comes is dropped and told."""
    virtual, transport, told, outgoing = at(0), ScriptedTransport(), Told(), Subject[Any]()

    def on_open(connection: Connection) -> Any:
        outgoing.on_next("too early")
        connection.send("login")

    operator = send_subscriptions(on_open, ["a"], outgoing, journal=told)
    Seen(virtual, dialled(transport).pipe(operator))
    virtual.advance_to(1)
    outgoing.on_next("b")
    assert transport.dials[0].sent == ["login", "a", "b"]
    assert told.told == [("outgoing", 1)]


def test_a_payload_that_cannot_be_sent_is_the_results_error() -> None:
    """It is a bug of who sends it, and no loss."""
    virtual, transport, outgoing, live = at(0), ScriptedTransport(), Subject[Any](), []  # type: ignore[var-annotated]
    sending = dialled(transport).pipe(send_subscriptions(outgoing=outgoing))
    seen = Seen(virtual, sending.pipe(AGAIN), lambda _: live.append(transport.live))
    virtual.advance_to(1)
    outgoing.on_next(object())
    virtual.advance_to(100)
    assert isinstance(seen.values[-1], TypeError)
    assert (len(transport.dials), live) == (1, [1, 0])


def test_outgoings_error_is_the_results_and_its_completion_is_not() -> None:
    """The connection is over when the error is told; who has nothing more to send may go on listening."""
    error = ValueError("broken")
    for end, values, live in ((on_error(5, error), [error], 0), (on_completed(5), [], 1)):
        virtual, transport, lives = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]
        outgoing = virtual.create_hot_observable(end)
        sending = dialled(transport).pipe(send_subscriptions(outgoing=outgoing))
        seen = Seen(virtual, sending, lambda _, t=transport, lives=lives: lives.append(t.live))  # type: ignore[misc]
        virtual.advance_to(100)
        assert seen.values[1:] == values
        assert (lives[-1], transport.live) == (live, live)


def test_outgoing_is_subscribed_with_the_source_and_left_with_it() -> None:
    """Once a subscription; before the source, so that nothing of it is missed."""
    virtual, order = at(200), []  # type: ignore[var-annotated]
    outgoing = virtual.create_hot_observable()

    def noted(name: str, then: Any) -> Any:
        return rx.defer(lambda _: (order.append(name), then)[1])

    source = noted("source", dialled(ScriptedTransport()))
    seen = Seen(virtual, source.pipe(send_subscriptions(outgoing=noted("outgoing", outgoing))))
    virtual.advance_to(250)
    seen.dispose()
    assert order == ["outgoing", "source"]
    assert outgoing.subscriptions == [Span(200, 250)]


def test_two_subscribers_are_independent() -> None:
    """Each has a connection, and its own subscriptions on it."""
    virtual, transport, outgoing = at(0), ScriptedTransport(), Subject[Any]()
    result = dialled(transport).pipe(send_subscriptions(subscriptions=["a"], outgoing=outgoing))
    first = Seen(virtual, result)
    Seen(virtual, result)
    virtual.advance_to(1)
    first.dispose()
    outgoing.on_next("b")
    assert sorted(dialed.sent for dialed in transport.dials) == [["a"], ["a", "b"]]
    assert transport.live == 1


def test_what_the_subscriber_raises_ends_the_connection_and_is_not_swallowed() -> None:
    """It is no failed script, and nothing is retried."""

    def raises(connection: Connection) -> None:
        raise KeyError("a bug")

    scripts: list[Callable[[Connection], Any] | None] = [None, lambda connection: None]
    for on_open in scripts:
        virtual, transport = at(0), ScriptedTransport()
        result = dialled(transport).pipe(send_subscriptions(on_open, ["a"]), AGAIN)
        result.subscribe(raises, scheduler=virtual)
        with pytest.raises(KeyError, match="a bug"):
            virtual.advance_to(1)
        assert (len(transport.dials), transport.live) == (1, 0)


@pytest.mark.parametrize("with_script", [True, False])
async def test_on_a_loop_it_is_reported_also_where_a_script_ran_before(with_script: bool) -> None:
    """To the loop's exception handler, once; the connection is ended, and nothing is retried."""
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: reported.append(about["exception"]))

    async def on_open(connection: Connection) -> None:
        await asyncio.sleep(0)

    def raises(connection: Connection) -> None:
        raise KeyError("a bug")

    virtual, transport = at(0), ScriptedTransport()
    result = dialled(transport).pipe(send_subscriptions(on_open if with_script else None, ["a"]), AGAIN)
    result.subscribe(raises, reported.append, lambda: reported.append(COMPLETED), scheduler=virtual)
    virtual.advance_to(1)
    await turns()
    virtual.advance_to(100)
    assert [type(error) for error in reported] == [KeyError]
    assert (len(transport.dials), transport.live) == (1, 0)


def test_a_journal_that_sees_to_it_is_trusted_to() -> None:
    """What a stream's own journal takes is not reported a second time."""

    class Seeing(Told):
        def crashed(self, error: Exception) -> bool:
            self.told.append(("crashed", str(error)))
            return True

    def raises(connection: Connection) -> None:
        raise ValueError("a bug")

    virtual, transport, told = at(0), ScriptedTransport(), Seeing()
    on_open: Any = bool
    dialled(transport, journal=told).pipe(send_subscriptions(on_open)).subscribe(raises, scheduler=virtual)
    virtual.advance_to(1)
    assert told.told == [("crashed", "a bug")]
    assert transport.live == 0
