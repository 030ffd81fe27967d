"""What a browser knows after the messages it was sent: the rules of frontend/src/store.js, in Python."""

from __future__ import annotations

import json
from typing import Any


class BrowserStore:
    """Takes messages as they travel, and holds what they say."""

    def __init__(self) -> None:
        self.title = ""
        self.candles: list[list[Any]] | None = None
        self.lines: dict[str, dict[str, Any]] = {}
        self.columns: list[Any] = []
        self.rows: list[list[Any]] = []
        self.marks: list[Any] = []
        self._bounds: dict[str, Any] = {}

    def take(self, message: Any) -> None:
        """Take a snapshot or a frame, after a journey through JSON."""
        message = json.loads(json.dumps(message, allow_nan=False))
        if message["type"] == "snapshot":
            self._snapshot(message)
        else:
            self._frame(message)

    def shown(self) -> dict[str, Any]:
        """All that it knows; of lines, what lies in the window."""
        window = self._bounds.get("window")
        lines = {}
        for name, line in self.lines.items():
            points = line["points"]
            since = points[-1][0] - window * 1000 if points and window is not None else float("-inf")
            lines[name] = (line["axis"], [point for point in points if point[0] >= since])
        return {
            "title": self.title,
            "candles": self.candles,
            "lines": lines,
            "columns": self.columns,
            "rows": self.rows,
            "marks": self.marks,
        }

    def _snapshot(self, message: Any) -> None:
        self._bounds = message
        self.title = message["title"]
        self.candles = message.get("candles")
        self.lines = {line["name"]: line for line in message.get("lines", [])}
        self.columns = message.get("columns", [])
        self.rows = message.get("rows", [])
        self.marks = message.get("marks", [])

    def _frame(self, message: Any) -> None:
        if "candles" in message:
            assert self.candles is not None
            by_time = {row[0]: row for row in [*self.candles, *message["candles"]]}
            self.candles = [by_time[at] for at in sorted(by_time)][-self._bounds["max_candles"] :]
        for name, change in message.get("lines", {}).items():
            line = self.lines[name]
            line["axis"] = change["axis"]
            kept = [point for point in line["points"] if point[0] < change["from"]]
            line["points"] = (kept + change["points"])[-self._bounds["max_points"] :]
        self.columns = message.get("columns", self.columns)
        removed = message.get("removed", [])
        self.rows = [row for row in self.rows if row[0] not in removed]
        for row in message.get("rows", []):
            self._row(row, message["top"])
        self.marks = message.get("marks", self.marks)

    def _row(self, row: list[Any], top: bool) -> None:
        keys = [key for key, _ in self.rows]
        if row[0] in keys:
            self.rows[keys.index(row[0])] = row
            return
        self.rows.insert(0 if top else len(self.rows), row)
        if top:
            del self.rows[self._bounds["max_rows"] :]
