"""Live charts and tables in a terminal, drawn with block characters (``pip install 'rxws[cli]'``)."""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("rich") is None:
    raise ModuleNotFoundError(
        "rxws.terminal draws with rich, which is not installed: pip install 'rxws[cli]'", name="rich"
    )

from rxws.terminal.live_candles import live_candles
from rxws.terminal.live_plot import live_plot
from rxws.terminal.live_table import live_table
from rxws.terminal.views import LiveChart, LiveTable

__all__ = ["LiveChart", "LiveTable", "live_candles", "live_plot", "live_table"]
