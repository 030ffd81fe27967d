"""What a notebook's functions return: a chart or a table that lives."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rxws.live import Chart, Feed, Mark, Table
from rxws.live.feeds import check_height
from rxws.notebook import wire
from rxws.notebook.view import NotebookView
from rxws.notebook.words import counted

__all__ = ["LiveChart", "LiveTable"]


class LiveChart(NotebookView):
    """Candles and lines that move; `live_candles` and `live_plot` make one.

    As the last expression of a cell it shows itself, and subscribes. `stop` ends it, and so does the button in its bar;
    what is left in the notebook then is a picture.

    Args:
        feeds: the streams.
        chart: what holds their values.
        fps: how often browsers are told of changes at most, times a second, 1 to 60.
        autostop: after so many seconds in which nobody looks it stops; None: never.
        height: of the chart in a browser, in pixels, 100 to 2000.
    """

    def __init__(self, feeds: Sequence[Feed], chart: Chart, *, fps: float, autostop: float | None, height: int) -> None:
        check_height(height)
        super().__init__(feeds, chart, fps, autostop)
        self._chart = chart
        self._height = height

    def png(self) -> bytes:
        """Return a picture of the chart as it is now: a PNG, 1400 pixels wide. It needs no IPython, and no browser."""
        from rxws.notebook.picture import chart_picture

        return chart_picture(self._chart, self.report(), self.events_in).png()

    def _mark(self, mark: Mark) -> None:
        self._chart.mark(mark)

    def _snapshot(self) -> wire.Message:
        return wire.chart_snapshot(self._chart, height=self._height)

    def _shape(self) -> Hashable:
        return self._chart.title, self._chart.candles is None, tuple(self._chart.lines)

    def _frame(self) -> wire.Message:
        return wire.chart_frame(self._chart)

    def _aside(self) -> wire.Message:
        return {"marks": wire.marks_of(self._chart)}

    def _values(self) -> list[str]:
        candle = None if self._chart.candles is None else self._chart.candles.newest()
        closes = [] if candle is None else [f"{candle.close:.10g}"]
        lasts = {name: line.last() for name, line in self._chart.lines.items()}
        return closes + [f"{name} {last:.10g}" for name, last in lasts.items() if last is not None]


class LiveTable(NotebookView):
    """Rows that change; `live_table` makes one. It shows itself, and ends, as a `LiveChart` does.

    Args:
        feeds: the stream.
        table: what holds its values.
        fps: how often browsers are told of changes at most, times a second, 1 to 60.
        autostop: after so many seconds in which nobody looks it stops; None: never.
    """

    def __init__(self, feeds: Sequence[Feed], table: Table, *, fps: float, autostop: float | None) -> None:
        super().__init__(feeds, table, fps, autostop)
        self._table = table

    def png(self) -> bytes:
        """Return a picture of the table as it is now: a PNG, 1400 pixels wide. It needs no IPython, and no browser."""
        from rxws.notebook.table_picture import table_picture

        return table_picture(self._table, self.report(), self.events_in).png()

    def _snapshot(self) -> wire.Message:
        return wire.table_snapshot(self._table)

    def _shape(self) -> Hashable:
        return self._table.title

    def _frame(self) -> wire.Message:
        return wire.table_frame(self._table)

    def _aside(self) -> wire.Message:
        return {"columns": wire.columns_of(self._table)}

    def _values(self) -> list[str]:
        return [counted(len(self._table.rows()), "row")]
