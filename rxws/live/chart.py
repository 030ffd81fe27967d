"""What a chart holds: candles, lines, and the stretches in which a stream had no live connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

from rxws.errors import WrongShape
from rxws.live.bars import CandleOf, bar_of, instant_ns
from rxws.live.candles import Candles
from rxws.live.line import Line
from rxws.live.streams import Mark

__all__ = ["Axis", "Chart", "Take"]

Axis: TypeAlias = Literal["price", "own"]
Take: TypeAlias = Callable[[Any, int], None]  # Any: whatever a stream emits; what is wrong with it is told
"""Takes a value, and when it came in nanoseconds since the epoch."""

KEEP_ONE = "keep one of them, with operators.match for example"
TOO_HIGH = 1e100
"""A number beyond has no place in a picture."""
MARKS = 200
"""The newest, so many are kept."""
WAY_OUT = "a line takes numbers, pairs (time, number), and None for a gap; ops.map makes them"


class Chart:
    """Candles and lines over one time axis.

    Args:
        lines: their names.
        max_candles: how many candles are kept; None: a chart of lines only.
        candle: makes a candle of a value; None: it is one.
        max_points: how many points a line keeps.
        window: seconds behind its newest point that a line keeps; None: all, ever coarser.
        title: None: the candles' symbol and interval.
    """

    def __init__(
        self,
        lines: Iterable[str] = (),
        *,
        max_candles: int | None = None,
        candle: CandleOf[Any] | None = None,  # Any: whatever the stream emits
        max_points: int = 4_000,
        window: float | None = None,
        title: str | None = None,
    ) -> None:
        self.title = title or ""
        self.candles = None if max_candles is None else Candles(max_candles)
        self.lines = {name: Line(max_points, window) for name in lines}
        self.axes: dict[str, Axis] = {}
        """Where each line is drawn that has a number: on the candles' axis, or on one of its own."""
        self.marks: deque[Mark] = deque(maxlen=MARKS)
        self.window = window
        self.max_points = max_points
        self._titled = title is not None
        self._candle = candle
        self._market: tuple[str, str, str] | None = None

    @property
    def dropped(self) -> int:
        """How much came too late to be kept."""
        late = sum(line.late for line in self.lines.values())
        return late + (0 if self.candles is None else self.candles.late)

    def take_candle(self, value: object, time_ns: int) -> None:
        """Take a value of the stream of candles.

        Raises:
            WrongShape: a field is missing, is no number, or is of another market than before.
        """
        assert self.candles is not None
        bar = bar_of(value, self._candle)
        market = bar.symbol, bar.interval, bar.venue
        if self._market is None:
            self._market = market
            if not self._titled:
                self.title = " ".join(market[:2]).strip()
        elif market != self._market:
            for field, here, before in zip(("symbol", "interval", "venue"), market, self._market, strict=True):
                if here != before:
                    raise WrongShape(f"the {field} {here!r}", value, f"is not the {before!r} of this chart", KEEP_ONE)
        self.candles.take(bar)

    def taker(self, name: str) -> Take:
        """Return what takes the values of the line `name`."""
        line = self.lines[name]

        def take(value: object, time_ns: int) -> None:
            at_ns, height = _point(name, value, time_ns)
            if height is not None and name not in self.axes and (axis := self._axis(height)) is not None:
                self.axes[name] = axis
            line.take(at_ns, height)

        return take

    def mark(self, mark: Mark) -> None:
        """Put in a stretch without a live connection, or its end."""
        for index, known in enumerate(self.marks):
            if (known.stream, known.from_ns) == (mark.stream, mark.from_ns):
                self.marks[index] = mark
                return
        self.marks.append(mark)
        if mark.stream in self.lines:  # no line across it
            self.lines[mark.stream].cut(mark.from_ns)

    def _axis(self, height: float) -> Axis | None:
        """Return where a line belongs whose first number this is; None: there is no candle yet, so nobody knows."""
        if self.candles is None:
            return "own"
        span = self.candles.span()
        return span and ("price" if span[0] / 2 <= height <= span[1] * 2 else "own")


def _point(name: str, value: object, time_ns: int) -> tuple[int, float | None]:
    height = value
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise WrongShape(f"the value of {name!r}", value, f"has {len(value)} of 2 fields", WAY_OUT)
        time_ns, height = instant_ns(value[0], "time", value), value[1]
    if height is None:
        return time_ns, None
    try:
        number = float(height) if not isinstance(height, bool) else None  # type: ignore[arg-type]  # it says itself
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None:
        raise WrongShape(f"the value of {name!r}", value, f"is no number ({type(height).__name__})", WAY_OUT)
    return time_ns, number if abs(number) < TOO_HIGH else None  # nor is a NaN less
