"""What the functions for a terminal return: a chart or a table that lives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console

from rxws.live import Chart, Feed, Mark, Table
from rxws.redaction import escaped
from rxws.scheduler import wall_time_ns
from rxws.terminal.bar import told
from rxws.terminal.picture import chart_rows
from rxws.terminal.rows import Row
from rxws.terminal.table_picture import table_rows
from rxws.terminal.view import TerminalView

__all__ = ["LiveChart", "LiveTable"]


class LiveChart(TerminalView):
    """Candles and lines that move; `live_candles` and `live_plot` make one.

    In a script ``view.run()`` shows it until Ctrl-C, in async code ``await view.wait(30)`` or ``with view:``.

    Args:
        feeds: the streams.
        chart: what holds their values.
        fps: how often it is drawn at most, times a second, 1 to 60.
        console: where; None: the standard output.
        height: rows, 1 or more; None: as many as the terminal has, but for one.
    """

    def __init__(
        self, feeds: Sequence[Feed], chart: Chart, *, fps: float, console: Console | None, height: int | None
    ) -> None:
        super().__init__(feeds, chart, fps=fps, console=console, height=height)
        self._chart = chart
        self._now_ns = 0

    @property
    def title(self) -> str:
        """What it shows."""
        return self._chart.title

    def _mark(self, mark: Mark) -> None:
        self._chart.mark(mark)

    def _body(self, width: int, height: int, coloured: bool) -> list[Row]:
        if self.status == "live":
            self._now_ns = wall_time_ns(self._scheduler)
        return chart_rows(self._chart, width, height, now_ns=self._now_ns, coloured=coloured)

    def _lines(self) -> list[str]:
        chart = self._chart
        candle = None if chart.candles is None else chart.candles.newest()
        values = (
            [] if candle is None else [f"{name} {price:.10g}" for name, price in zip(NAMES, candle[1:6], strict=True)]
        )
        lasts = {name: line.last() for name, line in chart.lines.items()}
        values += [f"{escaped(name)} {last:.10g}" for name, last in lasts.items() if last is not None]
        report = self.report()
        if not values and report.state == "live":  # nothing has been heard of it yet
            return []
        return [_line(escaped(chart.title), *values, told(report))]


class LiveTable(TerminalView):
    """Rows that change; `live_table` makes one. It is shown, and ends, as a `LiveChart` is.

    Args:
        feeds: the stream.
        table: what holds its values.
        fps: how often it is drawn at most, times a second, 1 to 60.
        console: where; None: the standard output.
        height: rows at most, 1 or more; None: as many as the terminal has, but for one.
    """

    def __init__(
        self, feeds: Sequence[Feed], table: Table, *, fps: float, console: Console | None, height: int | None
    ) -> None:
        super().__init__(feeds, table, fps=fps, console=console, height=height)
        self._table = table
        self._said = ""

    @property
    def title(self) -> str:
        """What it shows."""
        return self._table.title

    def _body(self, width: int, height: int, coloured: bool) -> list[Row]:
        return table_rows(self._table, width, height)

    def _lines(self) -> list[str]:
        rows, _ = self._table.changed()
        names = [escaped(name) for name in self._table.columns]
        lines = [
            _line(*(f"{name} {escaped(text)}" for name, text in zip(names, texts, strict=True) if text))
            for _, texts in rows
        ]
        before, self._said = self._said, told(self.report())
        return lines + ([_line(escaped(self.title), self._said)] if self._said != before else [])


NAMES = ("open", "high", "low", "close", "volume")


def _line(*parts: str) -> str:
    """What is told where there is no terminal: when, and what."""
    return "  ".join([f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}", *(part for part in parts if part)])
