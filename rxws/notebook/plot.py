"""A chart of what passes by, in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SingleAssignmentDisposable

from rxws import arguments
from rxws.errors import ConfigError
from rxws.live import CandleOf, Chart, Feed
from rxws.live.feeds import check_drawing, check_height, check_points, check_title
from rxws.notebook.charts import LiveChart
from rxws.notebook.extra import check_extra
from rxws.scheduler import RAISED, report

__all__ = ["plot"]

T = TypeVar("T")


def plot(
    *,
    candle: CandleOf[T] | None = None,
    value: Callable[[T], object] | None = None,
    name: str = "value",
    title: str | None = None,
    window: float | None = None,
    max_candles: int = 500,
    max_points: int = 4_000,
    fps: float = 20.0,
    autostop: float | None = 10.0,
    height: int = 360,
) -> Callable[[Observable[T]], Observable[T]]:
    """Show a chart of the values while they pass: each subscription has one of its own, in the output of its cell.

    ::

        source    ──1──2──3──|
        result    ──1──2──3──|      and a chart of the three

    The values go on unchanged, whatever becomes of the chart: a value that it cannot show, its stop button, and
    `autostop` end the chart alone. What your own `on_next` raises stands in its bar, and is raised all the same. The
    chart ends with the subscription, and the subscription when the cell that made it runs again, which makes another.

    Args:
        candle: makes a `market.Candle` of a value, or a tuple (opened, open, high, low, close) with or without a
            volume behind. None: see `value`.
        value: makes a number of a value, or a pair (time, number). None, and `candle` too: the first value decides; a
            number or a pair begins a line, a kline or a `market.Candle` a chart of candles.
        name: what the line is called.
        title: None: the symbol and the interval, where candles tell them.
        window: seconds behind the newest point that a line keeps; None: all, ever coarser.
        max_candles: how many candles are kept, 1 or more.
        max_points: how many points the line keeps, 10 or more; of more, it keeps those that a picture shows.
        fps: how often a browser is told of changes at most, times a second, 1 to 60; where nothing comes, never.
        autostop: after so many seconds in which nobody looks at it, the chart stops; None: never.
        height: in a browser, in pixels, 100 to 2000.

    Raises:
        ConfigError: an argument is wrong, or a package is missing; in `subscribe`: no event loop is running.

    >>> import asyncio
    >>> import reactivex as rx
    >>> from reactivex import operators as ops
    >>> async def main():
    ...     return await rx.of(1, 2, 3).pipe(plot(name="count"), ops.sum())
    >>> asyncio.run(main())
    6
    """
    for argument, function in {"candle": candle, "value": value}.items():
        if function is not None:
            arguments.function(argument, function, "a value")
    if not isinstance(name, str) or not name:
        raise ConfigError("name", f"{name!r} is no name; take a string that is not empty")
    check_title(title)
    arguments.seconds("window", window)
    arguments.whole("max_candles", max_candles)
    check_points(max_points)
    check_drawing(fps, autostop)
    check_height(height)
    check_extra()

    def shown(stream: Observable[T]) -> LiveChart:
        chart = Chart([name], max_candles=max_candles, candle=candle, max_points=max_points, window=window, title=title)
        passing = Passing(chart, name, candle, value)
        feed = Feed("", stream, passing.take)
        return LiveChart([feed], chart, fps=fps, autostop=autostop, height=height)

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            return _subscribe(source, observer, scheduler, shown)

        return Observable(subscribe)

    return operator


def _subscribe(
    source: Observable[T],
    observer: abc.ObserverBase[T],
    scheduler: abc.SchedulerBase | None,
    shown: Callable[[Observable[T]], LiveChart],
) -> abc.DisposableBase:
    running = SingleAssignmentDisposable()

    def tap(drawn: abc.ObserverBase[T], _: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        both = Both(drawn, observer, fail=lambda error: chart.fail(error))
        running.disposable = source.subscribe(both.on_next, both.on_error, both.on_completed, scheduler=scheduler)
        return Disposable()  # the chart's end is not the stream's

    # The chart subscribes to the source, so that it overhears the source's connections.
    chart = shown(Observable(tap))
    chart.until_replaced(running)
    try:
        chart.start()
    except BaseException:
        chart.stop()
        raise
    try:
        chart.show()
    except RAISED as error:
        chart.fail(error)
        report(error)
    return CompositeDisposable(running, chart)


class Both:
    """Takes what the source emits, and hands it to the chart and to the subscriber."""

    def __init__(
        self,
        drawn: abc.ObserverBase[Any],
        observer: abc.ObserverBase[Any],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._drawn = drawn
        self._observer = observer
        self._fail = fail

    def on_next(self, value: Any) -> None:
        """Draw it, and pass it on."""
        self._drawn.on_next(value)
        try:
            self._observer.on_next(value)
        except RAISED as error:
            self._fail(error)
            raise

    def on_error(self, error: Exception) -> None:
        """Write it into the bar, and pass it on."""
        self._drawn.on_error(error)
        self._observer.on_error(error)

    def on_completed(self) -> None:
        """Write it into the bar, and pass it on."""
        self._drawn.on_completed()
        self._observer.on_completed()


class Passing:
    """What is drawn of the values: a line, or candles, or both; where nobody said which, the first of them decides."""

    def __init__(
        self, chart: Chart, name: str, candle: CandleOf[Any] | None, value: Callable[[Any], object] | None
    ) -> None:
        self._chart = chart
        self._name = name
        self._value = value
        self._take_point = chart.taker(name)
        self._decided = candle is not None or value is not None
        if self._decided:
            self._keep(line=value is not None, candles=candle is not None)

    def take(self, value: object, time_ns: int) -> None:
        """Take a value.

        Raises:
            WrongShape: it cannot be drawn.
        """
        if not self._decided:
            self._decided = True
            line = value is None or isinstance(value, tuple | list | str) or hasattr(value, "__float__")
            self._keep(line=line, candles=not line)
        if self._chart.candles is not None:
            self._chart.take_candle(value, time_ns)
        if self._name in self._chart.lines:
            self._take_point(value if self._value is None else self._value(value), time_ns)

    def _keep(self, *, line: bool, candles: bool) -> None:
        if not candles:
            self._chart.candles = None
        if not line:
            del self._chart.lines[self._name]
