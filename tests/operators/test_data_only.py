"""Lifecycle events are taken out, and nothing else."""

from __future__ import annotations

from typing import Any

import reactivex as rx

from rxws.events import Connecting, DisconnectReason, Event, Live, Opened, Subscribed
from rxws.operators import data_only

STAMP = {"generation": 1, "origin": "ws://x", "time_ns": 0}


def test_events_are_left_out_and_data_passes_in_order() -> None:
    """Every kind of event; any other value is data, however it looks."""
    events = [
        Connecting(**STAMP, attempt=1),  # type: ignore[arg-type]
        Opened(**STAMP, took=0.1),  # type: ignore[arg-type]
        Subscribed(**STAMP, count=1),  # type: ignore[arg-type]
        Live(**STAMP, after=0.1),  # type: ignore[arg-type]
        Event(**STAMP),  # type: ignore[arg-type]
    ]
    data = [{"e": "Opened"}, "Opened", b"x", None, 0, DisconnectReason.SCHEDULED, Opened]
    heard: list[Any] = []
    mixed = [value for pair in zip(events, data, strict=False) for value in pair] + data[len(events) :]
    rx.from_iterable(mixed).pipe(data_only()).subscribe(heard.append, on_completed=lambda: heard.append("|"))
    assert heard == [*data, "|"]


def test_errors_pass() -> None:
    """It is a filter and no more."""
    heard: list[Any] = []
    error = ValueError()
    rx.throw(error).pipe(data_only()).subscribe(on_error=heard.append)
    assert heard == [error]
