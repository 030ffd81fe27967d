"""Time and the loop: which clock, whose thread, what is awaited, and what has been read."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from datetime import UTC, datetime
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.scheduler import HistoricalScheduler, NewThreadScheduler, TimeoutScheduler
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.testing import TestScheduler

from rxws.errors import ConfigError, ConnectionClosed, RetriesExhausted
from rxws.scheduler import (
    BACKLOG_READS,
    CLOSING,
    CallersScheduler,
    clock,
    given,
    on_loop,
    outlasts,
    report,
    resolve,
    scheduler,
    settled,
    wall_time_ns,
    when_drained,
)


@pytest.fixture
async def reported() -> AsyncIterator[list[dict[str, Any]]]:
    """What the running loop's exception handler is told."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    yield told
    gc.collect()


async def turns(count: int = 5) -> None:
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


# scheduler() and given()


def test_a_scheduler_may_be_made_before_there_is_a_loop() -> None:
    """It finds the running loop when it is first used, and emits on its thread."""
    on = scheduler()
    threads: list[int] = []

    async def main() -> object:
        ticks = rx.timer(0.0, scheduler=on).pipe(ops.buffer_with_time(0.001, scheduler=on), ops.take(1))
        return await ticks.pipe(ops.do_action(lambda _: threads.append(threading.get_ident())))

    assert asyncio.run(main()) == [0]
    assert threads == [threading.get_ident()]


def test_a_scheduler_that_is_used_without_a_loop_names_the_way_out() -> None:
    """`run` for a script, a coroutine for async code; and later it works all the same."""
    on = scheduler()
    uses: list[Callable[[], object]] = [
        lambda: on.schedule(lambda *_: None),
        lambda: on.schedule_relative(1.0, lambda *_: None),
        lambda: clock(on),
        lambda: rx.timer(1.0, scheduler=on).subscribe(),
    ]
    for use in uses:
        with pytest.raises(ConfigError, match=r"rxws\.run\(observable\)") as caught:
            use()
        assert caught.value.field == "scheduler"
        assert caught.value.__suppress_context__

    async def main() -> object:
        return await rx.timer(0.0, scheduler=on)

    assert asyncio.run(main()) == 0


def test_a_scheduler_stays_with_the_loop_that_it_found_until_that_is_closed() -> None:
    """Its timers and its clock are of one loop; an observable that holds it can be run again."""
    on = scheduler()

    async def found() -> tuple[Callable[[], float], Callable[[], float], Callable[[], float]]:
        return clock(on), clock(on), asyncio.get_running_loop().time

    first, still, of_the_first = asyncio.run(found())
    second, _, of_the_second = asyncio.run(found())

    assert first == still == of_the_first
    assert second == of_the_second != of_the_first


async def test_a_scheduler_that_is_given_is_taken() -> None:
    """Without one it is the running loop's."""
    virtual = TestScheduler()
    ours = given(None)

    assert given(virtual) is virtual
    assert isinstance(ours, AsyncIOScheduler)
    assert clock(ours) == asyncio.get_running_loop().time


def test_where_none_is_given_and_no_loop_runs_the_error_names_run() -> None:
    """As for `scheduler()`."""
    with pytest.raises(ConfigError, match=r"^scheduler: no event loop is running here; in a script use rxws\.run"):
        given(None)


# Clocks


async def test_on_a_loop_the_clock_is_the_loops_monotonic_one() -> None:
    """By whichever scheduler of it, and by None."""
    loop = asyncio.get_running_loop()

    assert clock(AsyncIOScheduler(loop)) == clock(scheduler()) == clock(None) == loop.time


def test_in_virtual_time_the_clock_is_the_virtual_one() -> None:
    """It moves with the scheduler, and stands still between."""
    virtual = TestScheduler()
    now = clock(virtual)
    seen = [now()]
    virtual.schedule_absolute(1.25, lambda *_: seen.append(now()))
    virtual.advance_to(3.5)
    seen.append(now())

    assert seen == [0.0, 1.25, 3.5]


def test_with_neither_loop_nor_scheduler_there_is_a_clock_all_the_same() -> None:
    """That of reactivex's current thread, which goes forward."""
    now = clock(None)

    assert 0.0 < now() <= now()


def test_wall_time_is_in_nanoseconds_since_the_epoch() -> None:
    """To the microsecond, where a float of seconds would be rounded."""
    virtual = TestScheduler()
    virtual.advance_to(2.5)
    instant = datetime(2026, 11, 20, 12, 30, 15, 123_457, tzinfo=UTC)

    assert wall_time_ns(virtual) == 2_500_000_000
    assert wall_time_ns(HistoricalScheduler(instant)) == 1_795_177_815_123_457_000
    assert wall_time_ns(HistoricalScheduler(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))) == -1_000_000_000


async def test_on_a_loop_wall_time_is_the_systems() -> None:
    """Not the loop's own, which begins anywhere."""
    before = time.time_ns() // 1_000 * 1_000
    now = wall_time_ns(scheduler())

    assert before <= now <= time.time_ns()


# report


async def test_on_a_loop_an_error_is_reported_to_its_handler(reported: list[dict[str, Any]]) -> None:
    """And raised nowhere."""
    error = ValueError("a consumer's bug")
    report(error)

    (told,) = reported
    assert told["exception"] is error
    assert "consumes the messages" in told["message"]


def test_without_a_loop_an_error_is_raised_as_it_is() -> None:
    """The very object, with its cause, and without one that is ours."""
    error, cause = RetriesExhausted(1, 1), ConnectionClosed(1006)
    error.__cause__ = cause
    for each in (error, ValueError("no cause")):
        with pytest.raises(type(each)) as caught:
            report(each)

        assert caught.value is each
        assert each.__context__ is None
    assert error.__cause__ is cause


# resolve


class Answers:
    """What became of something that was resolved."""

    def __init__(self, value: Any) -> None:
        self.values: list[object] = []
        self.errors: list[Exception] = []
        self.disposable = resolve(value, self.values.append, self.errors.append)


class Later:
    """Awaitable, and neither a coroutine nor a future."""

    def __await__(self) -> Generator[None, None, str]:
        yield
        return "later"


async def answered(value: object) -> object:
    """Answer after a turn of the loop."""
    await asyncio.sleep(0)
    return value


async def raising(error: BaseException) -> object:
    """Raise after a turn of the loop."""
    await asyncio.sleep(0)
    raise error


@pytest.mark.parametrize("value", ["ws://venue.example", None, 0, {"a": 1}], ids=repr)
async def test_a_plain_value_is_handed_on_at_once(value: object) -> None:
    """Before `resolve` returns; there is nothing to dispose."""
    got = Answers(value)

    assert got.values == [value]
    got.disposable.dispose()


async def test_what_the_receiver_of_a_plain_value_raises_goes_up() -> None:
    """It is not the failure of the value."""
    failures: list[Exception] = []

    def receiver(value: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        resolve(1, receiver, failures.append)
    assert failures == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: answered("later"),
        lambda: asyncio.ensure_future(answered("later")),
        lambda: done_future("later"),
        Later,
    ],
    ids=["coroutine", "task", "future", "awaitable"],
)
async def test_what_can_be_awaited_is_awaited(make: Callable[[], Awaitable[object]]) -> None:
    """Its answer comes later, and never from inside `resolve`."""
    got = Answers(make())
    assert got.values == []
    await turns()

    assert (got.values, got.errors) == (["later"], [])


def done_future(value: object) -> asyncio.Future[object]:
    """Return a future of the running loop that is done."""
    future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future


async def test_what_it_raises_is_the_failure() -> None:
    """The very error, once."""
    error = OSError("no token")
    got = Answers(raising(error))
    await turns()

    assert (got.values, got.errors) == ([], [error])


class Exit(BaseException):
    """Like `SystemExit`, which asyncio raises out of the loop itself."""


async def test_an_exit_is_no_failure() -> None:
    """Nothing is retried because of it."""
    got = Answers(raising(Exit()))
    await turns()

    assert (got.values, got.errors) == ([], [])


async def test_what_was_cancelled_elsewhere_is_a_failure(reported: list[dict[str, Any]]) -> None:
    """Nobody would hear of it otherwise."""
    inner = asyncio.get_running_loop().create_future()
    got = Answers(inner)
    await turns()
    inner.cancel()
    await turns()

    assert (got.values, [type(error) for error in got.errors], reported) == ([], [RuntimeError], [])


async def test_a_loop_that_ends_answers_nothing(reported: list[dict[str, Any]]) -> None:
    """It cancels all of its tasks."""
    before = asyncio.all_tasks()
    got = Answers(asyncio.get_running_loop().create_future())
    await turns()
    for task in asyncio.all_tasks() - before:
        task.cancel()
    await turns()

    assert (got.values, got.errors, reported) == ([], [], [])


@pytest.mark.parametrize("foreign", [TimeoutScheduler.singleton(), NewThreadScheduler()])
async def test_threads_are_not_taken_where_a_loop_runs(foreign: Any) -> None:
    """`delay` and its like pass them down to their source, and a connection lives on its loop."""
    assert isinstance(given(foreign), AsyncIOScheduler)


def test_threads_are_taken_where_no_loop_runs() -> None:
    """There they are the caller's choice."""
    foreign = NewThreadScheduler()
    assert given(foreign) is foreign


async def test_disposing_from_another_thread_happens_on_the_loop() -> None:
    """And on the loop's own at once."""
    loop = asyncio.get_running_loop()
    threads: list[threading.Thread] = []
    made = [on_loop(given(None), Disposable(lambda: threads.append(threading.current_thread()))) for _ in range(2)]
    await asyncio.to_thread(made[0].dispose)
    await turns()
    made[1].dispose()
    assert threads == [threading.current_thread()] * 2

    virtual = on_loop(TestScheduler(), Disposable(lambda: threads.append(threading.current_thread())))
    await asyncio.to_thread(virtual.dispose)
    assert len(threads) == 3 and loop.is_running()


async def test_who_waits_for_the_end_hears_what_a_consumer_raised(reported: list[dict[str, Any]]) -> None:
    """`run` and `aiter` pass a scheduler of theirs down; the loop's handler hears nothing then."""
    heard: list[BaseException] = []
    bug = KeyError("bug")
    report(bug, CallersScheduler(asyncio.get_running_loop(), heard.append))
    assert (heard, reported) == ([bug], [])


@pytest.mark.parametrize("started", [0, 1, 2], ids=["before its first step", "waiting", "longer waiting"])
async def test_disposing_cancels_what_is_awaited(started: int, reported: list[dict[str, Any]]) -> None:
    """Its own clean-up runs, nobody hears of it, and nothing was left unawaited."""
    steps: list[str] = []

    async def script() -> None:
        steps.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            steps.append("cleaned up")

    got = Answers(script())
    await turns(started)
    got.disposable.dispose()
    got.disposable.dispose()
    await turns()
    gc.collect()  # a coroutine that was never awaited would warn here

    assert steps == (["began", "cleaned up"] if started else [])
    assert (got.values, got.errors, reported) == ([], [], [])
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@pytest.mark.parametrize("error", [None, OSError("no token")], ids=["an answer", "an error"])
async def test_nothing_is_told_after_disposing_though_it_was_ready(
    error: Exception | None, reported: list[dict[str, Any]]
) -> None:
    """Between the end of a task and its being told, the subscription may end."""
    got = Answers(answered("later") if error is None else raising(error))
    await turns(2)  # it has ended, and is told in the next turn
    assert (got.values, got.errors) == ([], [])
    got.disposable.dispose()
    await turns()

    assert (got.values, got.errors) == ([], [])
    del got
    gc.collect()
    assert [told["exception"] for told in reported] == ([] if error is None else [error])


async def test_what_its_clean_up_raises_is_no_answer_but_not_lost(reported: list[dict[str, Any]]) -> None:
    """asyncio tells the loop's handler of it."""
    error = ValueError("while cleaning up")

    async def script() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise error

    got = Answers(script())
    await turns(2)
    got.disposable.dispose()
    await turns()
    assert (got.values, got.errors) == ([], [])
    del got
    gc.collect()

    assert [told["exception"] for told in reported] == [error]


def test_without_a_loop_a_coroutine_that_does_not_wait_answers_at_once() -> None:
    """So that async callables can be tested in virtual time."""

    async def answer() -> str:
        return "at once"

    async def refuse() -> str:
        raise OSError("no token")

    assert Answers(answer()).values == ["at once"]
    assert [str(error) for error in Answers(refuse()).errors] == ["no token"]


def test_without_a_loop_a_coroutine_that_waits_fails_and_is_closed() -> None:
    """The error says what it needs."""
    steps: list[str] = []

    async def script() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            steps.append("closed")

    def failed(error: Exception) -> None:
        steps.append(str(error))

    def answered(value: None) -> None:
        steps.append("answered")

    resolve(script(), answered, failed).dispose()

    assert steps == ["closed", "scheduler: a coroutine that waits needs a running event loop, and none is running"]


def test_without_a_loop_what_the_receiver_raises_goes_up() -> None:
    """It is not the failure of the coroutine."""
    failures: list[Exception] = []

    async def answer() -> int:
        return 1

    def receiver(value: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        resolve(answer(), receiver, failures.append)
    assert failures == []


# when_drained


class Turns:
    """Virtual turns, in each of which something is read or not."""

    def __init__(self, brings: Callable[[int], int]) -> None:
        self.virtual = TestScheduler()
        self.reads = self.turns = 0
        self.brings = brings
        self.drained: list[int] = []

    def begin(self) -> rx.abc.DisposableBase:
        """Wait for the end, and read in between as a loop does: once for every two schedulings."""
        waiting = when_drained(self.virtual, lambda: self.reads, lambda: self.drained.append(self.turns))
        self.virtual.schedule(self._turn)
        return waiting

    def _turn(self, *_: object) -> None:
        self.turns += 1
        self.reads += self.brings(self.turns)
        if not self.drained and self.turns < 500:
            self.virtual.schedule(lambda *_: self.virtual.schedule(self._turn))


@pytest.mark.parametrize(("busy", "turn"), [(0, 1), (1, 2), (10, 11), (63, 64)])
def test_it_is_drained_after_a_turn_without_a_read(busy: int, turn: int) -> None:
    """As long as each turn brings more, more had arrived."""
    loop = Turns(lambda turn: 1 if turn <= busy else 0)
    loop.begin()
    loop.virtual.advance_to(1.0)

    assert loop.drained == [turn]


@pytest.mark.parametrize(("each", "turn"), [(1, BACKLOG_READS), (2, BACKLOG_READS / 2), (1_000, 1)])
def test_it_is_drained_after_as_many_reads_as_a_backlog_has(each: int, turn: int) -> None:
    """A server that never stops sending does not put the end off for ever."""
    loop = Turns(lambda turn: each)
    loop.begin()
    loop.virtual.advance_to(1.0)

    assert loop.drained == [turn]


def test_reads_before_it_began_do_not_count() -> None:
    """A connection that has read for days still gets its backlog."""
    loop = Turns(lambda turn: 1 if turn <= 3 else 0)
    loop.reads = 10**6
    loop.begin()
    loop.virtual.advance_to(1.0)

    assert loop.drained == [4]


def test_it_is_never_drained_from_inside() -> None:
    """What follows is called by the scheduler, not before this has returned."""
    loop = Turns(lambda turn: 0)
    loop.begin()

    assert loop.drained == []


@pytest.mark.parametrize(("brings", "hops"), [(0, 0), (0, 1), *((1, hops) for hops in range(8))])
def test_disposed_it_is_never_drained(brings: int, hops: int) -> None:
    """In whichever of its steps it is: before, between and after its two schedulings."""
    loop = Turns(lambda turn: brings)
    waiting = loop.begin()

    def hop(left: int) -> None:
        if left:
            loop.virtual.schedule(lambda *_: hop(left - 1))
        else:
            waiting.dispose()

    hop(hops)
    loop.virtual.advance_to(1.0)

    assert loop.drained == []
    assert loop.turns == 500


@pytest.mark.parametrize("chunks", [1, 5, BACKLOG_READS + 10])
async def test_what_has_arrived_at_a_real_socket_is_read_first(chunks: int) -> None:
    """A late timer finds the socket unread; it waits for the loop to read it, a backlog's reads at most."""
    loop = asyncio.get_running_loop()
    here, there = socket.socketpair()
    drained = asyncio.Event()
    reads: list[bytes] = []
    seen: list[int] = []

    def late() -> None:
        there.send(bytes(chunks))  # it arrives while the loop is busy
        when_drained(scheduler(), lambda: len(reads), then)

    def then() -> None:
        seen.append(len(reads))
        drained.set()

    with here, there:
        here.setblocking(False)
        loop.add_reader(here, lambda: reads.append(here.recv(1)))
        loop.call_later(0.0, late)
        await asyncio.wait_for(drained.wait(), 30.0)
        loop.remove_reader(here)

    assert min(chunks, BACKLOG_READS) <= seen[0] <= min(chunks, BACKLOG_READS + 1)  # a look follows two reads
    assert len(seen) == 1


# What outlasts its subscription


async def test_a_loop_settles_when_all_that_outlasts_is_over() -> None:
    """Sockets that are being closed hold a loop that is about to end."""
    loop = asyncio.get_running_loop()
    closing = [loop.create_future() for _ in range(3)]
    for each in closing:
        outlasts(each)
    waiting = asyncio.ensure_future(settled())
    for each in closing:
        await turns()
        assert not waiting.done()
        each.set_result(None)
    await turns()

    assert waiting.done()
    await settled()


async def test_a_loop_with_nothing_to_close_is_settled() -> None:
    """At once, though others may have been over for long."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    outlasts(future)
    future.set_result(None)
    await turns()
    settling = settled()

    with pytest.raises(StopIteration):
        settling.send(None)


def test_what_another_loop_closes_is_not_waited_for() -> None:
    """Each loop has its own."""
    other = asyncio.new_event_loop()
    future: asyncio.Future[None] = other.create_future()
    outlasts(future)

    asyncio.run(settled())

    assert not future.done()
    future.cancel()
    other.run_until_complete(asyncio.sleep(0))
    other.close()


async def test_what_does_not_end_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop ends after `CLOSING` seconds at the latest."""
    assert 0.0 < CLOSING <= 10.0
    monkeypatch.setitem(settled.__globals__, "CLOSING", 0.0)
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    outlasts(future)

    await settled()

    assert not future.done()
    future.cancel()
