from __future__ import annotations

import asyncio
from collections.abc import Callable

import reactivex as rx
from reactivex import operators as ops
from reactivex.testing import TestScheduler

from rxws import Backoff, ws_observable
from rxws.errors import ConnectionClosed
from rxws.events import Event
from rxws.overhearing import overheard_by
from rxws.testing import Attempt, ScriptedTransport


def a_stream(*attempts: Attempt, **options: object) -> rx.Observable[object]:
    """A stream over a script."""
    script = ScriptedTransport(*(attempts or (Attempt(messages=[(0.0, "1")]),)))
    return ws_observable("ws://scripted", transport=script, **options)  # type: ignore[call-overload]


def names(events: list[Event]) -> list[str]:
    """What kinds of events they are."""
    return [type(event).__name__ for event in events]


def test_who_overhears_hears_all_that_the_streams_own_listener_hears() -> None:
    """Both hear the same events, in the same order, until the end."""
    virtual, own, overheard = TestScheduler(), list[Event](), list[Event]()
    lost = Attempt(messages=[(1.0, "1")], lost=(2.0, ConnectionClosed(1001)))
    stream = a_stream(lost, Attempt(messages=[(1.0, "2")]), retry=Backoff.fixed(3.0), events=own.append)
    with overheard_by(lambda: overheard.append):
        subscription = stream.subscribe(scheduler=virtual)
    virtual.advance_to(20.0)
    subscription.dispose()
    assert names(overheard) == [
        *("Connecting", "Opened", "Live", "Closed", "Waiting"),
        *("Connecting", "Opened", "Live", "Closed"),
    ]
    assert overheard == own


def test_nobody_overhears_what_is_subscribed_before_or_after() -> None:
    """Only what is subscribed in the block."""
    virtual, overheard = TestScheduler(), list[Event]()
    before, after = a_stream(), a_stream()
    before.subscribe(scheduler=virtual)
    with overheard_by(lambda: overheard.append):
        pass
    after.subscribe(scheduler=virtual)
    virtual.advance_to(20.0)
    assert overheard == []


async def test_each_subscription_asks_for_a_listener_of_its_own() -> None:
    """Two streams in one block are told apart, also where a `merge` subscribes them later; so are blocks in blocks."""
    heard: list[list[Event]] = []
    outer: list[Event] = []

    def overhear() -> Callable[[Event], None]:
        heard.append([])
        return heard[-1].append

    with overheard_by(lambda: outer.append), overheard_by(overhear):
        merged = rx.merge(a_stream(), a_stream())
        both = asyncio.ensure_future(merged.pipe(ops.take(2), ops.to_list()))
    assert await both == [1, 1]
    assert [names(events)[:3] for events in heard] == [["Connecting", "Opened", "Live"]] * 2
    assert len(outer) == sum(map(len, heard))


async def test_what_a_listener_raises_disturbs_neither_the_stream_nor_the_others() -> None:
    """It is reported as what any listener raises, and the values go on."""
    raised: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context["exception"]))
    overheard: list[Event] = []

    def broken(event: Event) -> None:
        raise LookupError(type(event).__name__)

    with overheard_by(lambda: broken), overheard_by(lambda: overheard.append):
        value = asyncio.ensure_future(a_stream().pipe(ops.take(1)))
    assert await value == 1
    assert names(overheard)[:3] == [str(error) for error in raised[:3]] == ["Connecting", "Opened", "Live"]
