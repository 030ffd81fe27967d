"""The time axis of a picture: where its labels stand, and what they say, in UTC. Pure; instants in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

__all__ = ["MINUTE", "SECOND", "Tick", "day_of", "time_of", "time_ticks"]

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
MONTH = 28 * DAY
"""The shortest."""
STEPS = [
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(SECOND * n for n in (1, 2, 5, 10, 15, 30)),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 4, 6, 12)),
    DAY,
]
DAYS = (2, 5, 10)
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200)
NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BETWEEN = 14.0
"""Pixels that two labels are apart at least."""
LEAST = 30.0
"""Pixels that no label is narrower than."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Tick(NamedTuple):
    """An instant of the axis, and its label: one line, or two."""

    at: float
    label: str


def time_ticks(start: float, end: float, width: float, measure: Callable[[str], float]) -> list[Tick]:
    """Return the labels of a span that is drawn `width` pixels wide: of the finest step at which no two touch.

    >>> [tick.label for tick in time_ticks(0, 180_000, 300, lambda text: 6.0 * len(text))]
    ['00:00\\n1 Jan', '00:01', '00:02', '00:03']
    """
    found: list[Tick] = []
    for length, ticks_of in _steps():
        if (end - start) / length > width / LEAST:
            continue
        found = ticks_of(start, end)
        if not _touch(found, start, end, width, measure):
            return found
    return found[:1]


def time_of(at: float, precision: float = 1) -> str:
    """Return the time of day, no finer than a step of `precision`.

    >>> time_of(45_296_789, 1), time_of(45_296_789, 1_000), time_of(45_296_789, 60_000)
    ('12:34:56.789', '12:34:56', '12:34')
    """
    moment = EPOCH + timedelta(milliseconds=at)
    if precision >= MINUTE:
        return f"{moment:%H:%M}"
    return f"{moment:%H:%M:%S}" if precision >= SECOND else f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}"


def day_of(at: float) -> str:
    """Return the day: ``7 Mar``.

    >>> day_of(DAY * 65)
    '7 Mar'
    """
    moment = EPOCH + timedelta(milliseconds=at)
    return f"{moment.day} {NAMES[moment.month - 1]}"


def _steps() -> Iterator[tuple[float, Callable[[float, float], list[Tick]]]]:
    for step in STEPS:
        yield step, lambda start, end, step=step: _of_time(start, end, step)  # type: ignore[misc]  # mypy: no default
    for days in DAYS:
        yield days * DAY, lambda start, end, days=days: _of_days(start, end, days)  # type: ignore[misc]
    for months in MONTHS:
        yield months * MONTH, lambda start, end, months=months: _of_months(start, end, months)  # type: ignore[misc]


def _touch(ticks: list[Tick], start: float, end: float, width: float, measure: Callable[[str], float]) -> bool:
    before = float("-inf")
    for at, label in ticks:
        half = max(map(measure, label.split("\n"))) / 2
        middle = (at - start) / (end - start) * width
        if middle - half < before + BETWEEN:
            return True
        before = middle + half
    return False


def _of_time(start: float, end: float, step: int) -> list[Tick]:
    ticks: list[Tick] = []
    day = ""
    at = -(-start // step) * step
    while at <= end:
        label, before, day = time_of(at, step), day, day_of(at)
        # The first, and the first of a new day, says the day as well.
        ticks.append(Tick(at, day if step >= DAY else f"{label}\n{day}" if day != before else label))
        at += step
    return ticks


def _of_days(start: float, end: float, days: int) -> list[Tick]:
    ticks = []
    for first, following in _months(start, end):
        # Days of the month, so that the first of each is among them; what would crowd it is left out.
        at = first
        while at <= following - days * DAY:
            if start <= at <= end:
                ticks.append(Tick(at, day_of(at)))
            at += days * DAY
    return ticks


def _of_months(start: float, end: float, months: int) -> list[Tick]:
    ticks = []
    for first, _ in _months(start, end):
        moment = EPOCH + timedelta(milliseconds=first)
        if start <= first and (moment.year * 12 + moment.month - 1) % months == 0:
            name = f"{moment.year}" if months % 12 == 0 else f"{NAMES[moment.month - 1]} {moment.year}"
            ticks.append(Tick(first, name))
    return ticks


def _months(start: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield the first instant of each month from that of `start` on, and of the month after it."""
    moment = (EPOCH + timedelta(milliseconds=start)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while (first := (moment - EPOCH) / timedelta(milliseconds=1)) <= end:
        moment = (moment + timedelta(days=31)).replace(day=1)
        yield first, (moment - EPOCH) / timedelta(milliseconds=1)
