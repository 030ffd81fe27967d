"""`plot` shows what passes, and changes nothing of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import reactivex as rx
from reactivex.disposable import Disposable
from reactivex.subject import Subject
from reactivex.testing import ReactiveTest, TestScheduler

from rxws import ws_observable
from rxws.errors import ConfigError, ConnectionClosed
from rxws.market import Candle
from rxws.notebook import LiveChart, plot
from rxws.testing import Attempt, ScriptedTransport

on_next, on_completed, on_error, subscribe = (
    ReactiveTest.on_next,
    ReactiveTest.on_completed,
    ReactiveTest.on_error,
    ReactiveTest.subscribe,
)
KLINE = {"e": "kline", "k": {"t": 0, "o": "1", "h": "3", "l": "0.5", "c": "2", "v": "9"}}


@pytest.fixture(autouse=True)
def charts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[LiveChart]]:
    """The charts that a test has shown: nobody else is given them."""
    made: list[LiveChart] = []
    show = LiveChart.show
    monkeypatch.setattr(LiveChart, "show", lambda chart: (made.append(chart), show(chart))[1])
    yield made
    for chart in made:
        chart.stop()


async def test_values_go_on_unchanged(charts: list[LiveChart]) -> None:
    """Each at its time, and the end; source and chart are held as long as the subscription."""
    virtual = TestScheduler()
    source = virtual.create_hot_observable(on_next(300, 1), on_next(400, 2), on_completed(500))
    result = virtual.start(lambda: source.pipe(plot()))
    assert result.messages == [on_next(300, 1), on_next(400, 2), on_completed(500)]
    assert source.subscriptions == [subscribe(200, 500)]
    (chart,) = charts
    assert (chart.status, chart.events_in) == ("completed", 2)


async def test_an_error_goes_on_and_stands_in_the_bar(charts: list[LiveChart]) -> None:
    """The same error."""
    virtual = TestScheduler()
    error = ValueError("no more")
    source = virtual.create_hot_observable(on_next(300, 1), on_error(400, error))
    result = virtual.start(lambda: source.pipe(plot()))
    assert result.messages == [on_next(300, 1), on_error(400, error)]
    assert (charts[0].status, charts[0].error) == ("error", error)


async def test_disposing_ends_the_chart(charts: list[LiveChart]) -> None:
    """And the source."""
    virtual = TestScheduler()
    source = virtual.create_hot_observable(on_next(300, 1), on_next(600, 2))
    result = virtual.start(lambda: source.pipe(plot()), disposed=500)
    assert result.messages == [on_next(300, 1)]
    assert source.subscriptions == [subscribe(200, 500)]
    assert charts[0].status == "stopped"


async def test_the_charts_end_is_not_the_streams(charts: list[LiveChart]) -> None:
    """Its button stops the chart; values go on."""
    virtual = TestScheduler()
    source = virtual.create_hot_observable(on_next(300, 1), on_next(400, 2), on_next(450, 3))
    virtual.schedule_absolute(350, lambda *_: charts[0].stop())
    result = virtual.start(lambda: source.pipe(plot()))
    assert [each.value.value for each in result.messages] == [1, 2, 3]
    assert (charts[0].status, charts[0].events_in) == ("stopped", 1)


async def test_what_cannot_be_drawn_disturbs_nothing(charts: list[LiveChart]) -> None:
    """Values pass; what was wrong stands in the bar."""
    seen: list[Any] = []
    rx.of(1, "no number", 3).pipe(plot(name="price")).subscribe(seen.append)
    assert seen == [1, "no number", 3]
    assert charts[0].status == "error"
    assert "the value of 'price' is no number" in charts[0].report().text


async def test_what_a_callback_raises_stands_in_the_bar(charts: list[LiveChart]) -> None:
    """Of `value=` and of `candle=`."""

    def fails(value: int) -> Any:
        raise KeyError("of mine")

    for operator in (plot(value=fails), plot(candle=fails)):
        seen: list[int] = []
        rx.of(1, 2).pipe(operator).subscribe(seen.append)
        assert seen == [1, 2]
        assert charts[-1].report().text == "KeyError: 'of mine'"


async def test_what_the_subscriber_raises_is_shown_and_raised(charts: list[LiveChart]) -> None:
    """It stands in the bar, goes on to the loop's handler, and the connection is closed."""
    virtual, heard = TestScheduler(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    transport = ScriptedTransport(Attempt(messages=[(1.0, "1"), (2.0, "2")]))

    def raises(value: Any) -> None:
        raise ZeroDivisionError("of the subscriber")

    ws_observable("ws://scripted", transport=transport).pipe(plot()).subscribe(raises, scheduler=virtual)
    virtual.advance_to(5.0)
    assert [type(error) for error in heard] == [ZeroDivisionError]
    assert (charts[0].report().text, charts[0].events_in) == ("ZeroDivisionError: of the subscriber", 1)
    assert [dialed.ended for dialed in transport.dials] == [True]


async def test_two_subscribers_have_two_charts(charts: list[LiveChart]) -> None:
    """Neither's end is the other's."""
    values: Subject[int] = Subject()
    plotted = values.pipe(plot())
    first, second = plotted.subscribe(), plotted.subscribe()
    values.on_next(1)
    first.dispose()
    values.on_next(2)
    assert [(chart.status, chart.events_in) for chart in charts] == [("stopped", 1), ("live", 2)]
    second.dispose()


CANDLE = Candle(
    venue="binance",
    symbol="BTCUSDT",
    interval="1m",
    open_ns=0,
    close_ns=60_000_000_000,
    open=Decimal(1),
    high=Decimal(3),
    low=Decimal("0.5"),
    close=Decimal(2),
    volume=Decimal(9),
    closed=False,
    time_ns=0,
    arrival_ns=0,
)


@pytest.mark.parametrize(
    ("arguments", "value", "words"),
    [
        ({}, 5, "value 5"),
        ({}, Decimal("5.5"), "value 5.5"),
        ({}, "5.25", "value 5.25"),
        ({}, (1_764_145_200_000, 7), "value 7"),
        ({}, KLINE, "2"),
        ({}, CANDLE, "BTCUSDT 1m · 2"),
        ({"value": len}, "four", "value 4"),
        ({"candle": lambda each: (datetime(2026, 1, 1, tzinfo=UTC), *each)}, [1, 3, 0.5, 2], "2"),
        ({"candle": lambda each: (0, 1, 3, 1, each), "value": lambda each: each * 10}, 2, "2 · value 20"),
    ],
)
async def test_what_is_drawn(charts: list[LiveChart], arguments: Any, value: Any, words: str) -> None:
    """What was asked for; where nothing was, the first value decides between a line and candles."""
    rx.of(value).pipe(plot(**arguments)).subscribe()
    assert repr(charts[0]) == f"<LiveChart {words} · 1 event · completed>"


async def test_it_overhears_the_connections(charts: list[LiveChart]) -> None:
    """Of the stream that passes: the bar says that it reconnects."""
    virtual = TestScheduler()
    transport = ScriptedTransport(
        Attempt(messages=[(1.0, "1")], lost=(2.0, ConnectionClosed(1006, ""))), Attempt.refused()
    )
    stream = ws_observable("ws://scripted", transport=transport)
    subscription = stream.pipe(plot()).subscribe(scheduler=virtual)
    virtual.advance_to(1.5)
    assert charts[0].report().state == "live"
    virtual.advance_to(2.0)
    assert charts[0].report().state == "waiting"
    subscription.dispose()


async def test_a_source_that_cannot_be_subscribed_leaves_no_chart() -> None:
    """What it raises is raised, and nothing lives on."""

    def fails(*_: Any) -> Disposable:
        raise RuntimeError("no")

    made: list[LiveChart] = []
    with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError, match="no"):
        start = LiveChart.start
        patch.setattr(LiveChart, "start", lambda chart: (made.append(chart), start(chart))[1])
        rx.create(fails).pipe(plot()).subscribe()
    assert [chart.report().text for chart in made] == ["RuntimeError: no"]


async def test_values_of_another_thread_pass_on_it(charts: list[LiveChart]) -> None:
    """The chart takes them on its loop."""
    values: Subject[int] = Subject()
    threads: list[int] = []
    values.pipe(plot()).subscribe(lambda _: threads.append(threading.get_ident()))
    thread = threading.Thread(target=lambda: values.on_next(1))
    thread.start()
    thread.join()
    async with asyncio.timeout(10):
        while charts[0].events_in == 0:
            await asyncio.sleep(0)
    assert threads == [thread.ident]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"candle": 1}, "candle"),
        ({"value": "v"}, "value"),
        ({"name": ""}, "name"),
        ({"title": 1}, "title"),
        ({"window": 0}, "window"),
        ({"max_candles": 0}, "max_candles"),
        ({"max_points": 1}, "max_points"),
        ({"fps": 100}, "fps"),
        ({"autostop": -1}, "autostop"),
        ({"height": 1}, "height"),
    ],
)
def test_a_wrong_argument_is_named(arguments: Any, field: str) -> None:
    """Before there is a stream."""
    with pytest.raises(ConfigError) as raised:
        plot(**arguments)
    assert raised.value.field == field
