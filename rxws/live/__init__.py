"""What the live views of notebook and terminal share: what they hold, when they draw, and what they say of a stream."""

from __future__ import annotations

from rxws.live.bars import Bar, CandleOf
from rxws.live.chart import Axis, Chart
from rxws.live.line import Point
from rxws.live.streams import Mark, Report
from rxws.live.table import KeyOf, Row, Table
from rxws.live.view import Feed, LiveView, Status

__all__ = [
    "Axis",
    "Bar",
    "CandleOf",
    "Chart",
    "Feed",
    "KeyOf",
    "LiveView",
    "Mark",
    "Point",
    "Report",
    "Row",
    "Status",
    "Table",
]
