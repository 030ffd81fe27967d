"""From connections to whole messages, and an end as soon as the source ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject
from reactivex import operators as ops

from rxws.backoff import Backoff
from rxws.errors import ConnectionClosed, ProtocolError
from rxws.operators import after, messages, retry_when
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Connection
from tests.operators.seen import COMPLETED, Seen, at, dialled


def opened(transport: ScriptedTransport, virtual: Any) -> Connection:
    """Return an open connection that somebody else keeps."""
    connections: list[Connection] = []
    dialled(transport).subscribe(connections.append, scheduler=virtual)
    virtual.advance_by(0.25)
    return connections[0]


def test_text_is_str_and_binary_is_bytes() -> None:
    """Each when it arrives."""
    virtual = at(0)
    transport = ScriptedTransport(Attempt(messages=[(1.0, "ä€"), (2.0, b"\xff"), (2.0, "")]))
    seen = Seen(virtual, dialled(transport).pipe(messages()))
    virtual.advance_to(10)
    assert seen.messages == [(1.0, "ä€"), (2.0, b"\xff"), (2.0, "")]


def test_text_that_is_not_utf8_ends_the_connection() -> None:
    """With ProtocolError, and close code 1007 (RFC 6455, section 8.1)."""
    virtual, transport, connections = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]
    seen = Seen(virtual, dialled(transport).pipe(ops.do_action(connections.append), messages()))
    virtual.advance_to(1)
    connections[0].on_message(b"\xc3(", True)
    connections[0].on_message(b"late", True)
    [error] = seen.values
    assert isinstance(error, ProtocolError)
    assert error.code == transport.dials[0].close_code == 1007
    assert isinstance(error.__cause__, UnicodeDecodeError)


def test_a_loss_is_the_results_error_once() -> None:
    """`messages` of the connection errors first, and `connect` behind it."""
    error = ConnectionClosed(1001)
    virtual = at(0)
    transport = ScriptedTransport(Attempt(messages=[(1.0, "a")], lost=(2.0, error)))
    seen = Seen(virtual, dialled(transport).pipe(messages()))
    virtual.advance_to(10)
    assert seen.messages == [(1.0, "a"), (2.0, error)]


def test_it_completes_as_soon_as_its_source_does() -> None:
    """Though the connection goes on: what `flat_map` would wait for."""
    virtual, transport = at(0), ScriptedTransport(Attempt(messages=[(1.0, "a"), (3.0, "b")]))
    connection = opened(transport, virtual)
    source = rx.of(connection).pipe(ops.concat(rx.never()), ops.take_until(rx.timer(2.0)))
    seen = Seen(virtual, source.pipe(messages()))
    virtual.advance_to(10)
    assert seen.messages == [(1.0, "a"), (2.25, COMPLETED)]
    assert transport.live == 1


def test_our_own_close_completes() -> None:
    """Once."""
    virtual, transport, connections = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]
    seen = Seen(virtual, dialled(transport).pipe(ops.do_action(connections.append), messages()))
    virtual.advance_to(1)
    connections[0].close()
    assert seen.messages == [(1.0, COMPLETED)]


def test_a_connection_that_we_close_ends_nothing_while_the_source_goes_on() -> None:
    """Another may come."""
    virtual, source = at(0), Subject[Connection]()
    first, second = (opened(ScriptedTransport(Attempt(messages=[(1.0, "a")])), virtual) for _ in range(2))
    seen = Seen(virtual, source.pipe(messages()))
    source.on_next(first)
    first.close()
    source.on_next(second)
    virtual.advance_to(5)
    assert seen.values == ["a"]


def test_dispose_leaves_a_connection_that_somebody_else_keeps() -> None:
    """It is not read any more, and goes on."""
    virtual, transport, connections = (
        at(0),
        ScriptedTransport(Attempt(messages=[(1.0, "a"), (2.0, "b")])),
        Subject[Any](),
    )
    connection: Any = opened(transport, virtual)
    left: list[str] = []
    kept = SimpleNamespace(messages=connection.messages.pipe(ops.finally_action(lambda: left.append("left"))))
    seen = Seen(virtual, connections.pipe(messages()))
    connections.on_next(kept)
    virtual.advance_to(1.5)
    seen.dispose()
    assert (seen.values, left, transport.live) == (["a"], ["left"], 1)


def test_each_connection_follows_the_one_before() -> None:
    """The old one's messages are not heard any more, though it may still bring some."""
    virtual, source = at(0), Subject[Connection]()
    scripts = [Attempt(messages=[(1.0, "old"), (5.0, "too late")]), Attempt(messages=[(3.0, "new"), (6.0, "newer")])]
    first, second = (opened(ScriptedTransport(script), virtual) for script in scripts)
    seen = Seen(virtual, source.pipe(messages()))
    source.on_next(first)
    virtual.advance_to(2)
    source.on_next(second)
    virtual.advance_to(10)
    assert seen.values == ["old", "new", "newer"]


def test_the_messages_of_one_connection_after_another_are_one_stream() -> None:
    """With retry_when behind it."""
    virtual = at(0)
    transport = ScriptedTransport(Attempt(messages=[(1.0, "a")], lost=(2.0, ConnectionClosed(1001))))
    again = retry_when(after(Backoff.fixed(1.0)))
    seen = Seen(virtual, dialled(transport).pipe(messages(), again))
    virtual.advance_to(7.5)
    assert seen.messages == [(1.0, "a"), (4.0, "a"), (7.0, "a")]


@pytest.mark.parametrize(("when", "values"), [(0.1, []), (1.5, ["a"])])
def test_dispose_ends_the_connection(when: float, values: list[str]) -> None:
    """Nothing more is heard of it."""
    virtual = at(0)
    transport = ScriptedTransport(Attempt(messages=[(1.0, "a"), (2.0, "b")]))
    seen = Seen(virtual, dialled(transport).pipe(messages()))
    virtual.advance_to(when)
    seen.dispose()
    virtual.advance_to(10)
    assert (seen.values, transport.live) == (values, 0)


def test_dispose_inside_on_next_ends_the_connection() -> None:
    """Messages of the same read are not heard either."""
    virtual = at(0)
    transport = ScriptedTransport(Attempt(messages=[(1.0, "a"), (1.0, "b")]))
    result: Observable[Any] = dialled(transport).pipe(messages(), ops.take(1))
    seen = Seen(virtual, result)
    virtual.advance_to(10)
    assert seen.values == ["a", COMPLETED]
    assert transport.live == 0


def test_what_the_subscriber_raises_ends_the_connection_and_is_not_swallowed() -> None:
    """Without a loop it goes up to whoever drives the clock."""

    def raises(_: object) -> None:
        raise KeyError("a bug")

    virtual = at(0)
    transport = ScriptedTransport(Attempt(messages=[(1.0, "a"), (2.0, "b")]))
    dialled(transport).pipe(messages()).subscribe(raises, scheduler=virtual)
    with pytest.raises(KeyError, match="a bug"):
        virtual.advance_to(10)
    assert transport.live == 0
