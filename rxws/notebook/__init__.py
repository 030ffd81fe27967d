"""Live charts and tables in a notebook: as the last expression of a cell they show themselves."""

from __future__ import annotations

from rxws.notebook.charts import LiveChart, LiveTable
from rxws.notebook.live_candles import live_candles
from rxws.notebook.live_plot import live_plot
from rxws.notebook.live_table import live_table
from rxws.notebook.plot import plot

__all__ = ["LiveChart", "LiveTable", "live_candles", "live_plot", "live_table", "plot"]
