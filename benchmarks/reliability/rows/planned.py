"""Planned ends, in virtual time: an age, a window, and what becomes of a back-off when a window closes."""

from __future__ import annotations

from random import Random
from typing import Any

from reactivex.testing import TestScheduler

from benchmarks.reliability.row import Figure, Trial, counted, row
from rxws import Backoff, Stats
from rxws.events import DisconnectReason
from rxws.testing import Attempt, ScriptedTransport
from rxws.windows import every


class Played:
    """A stream over scripted attempts, subscribed at time 0, and its clock."""

    def __init__(self, trial: Trial, *attempts: Attempt, **settings: Any) -> None:
        self.virtual, self.transport, self.stats = TestScheduler(), ScriptedTransport(*attempts), Stats()
        self.ended: list[object] = []
        random = Random(0).random
        stream = trial.client("ws://scripted", transport=self.transport, stats=self.stats, random=random, **settings)
        self.subscription = stream.subscribe(
            None, self.ended.append, lambda: self.ended.append("completed"), scheduler=self.virtual
        )

    def to(self, seconds: float) -> None:
        """Let the time go on."""
        self.virtual.advance_to(seconds)

    @property
    def dials(self) -> list[float]:
        """When it dialled."""
        return [each.at for each in self.transport.dials]


@row(
    "max-age",
    "`max_age` of 23 h, before the venue's own limit of 24 h, for 30 days",
    "No connection gets older; each end is planned and counted as proactive; it is back at once, and no error is told",
)
async def max_age(trial: Trial) -> Figure:
    hour = 3600.0
    played = Played(trial, Attempt(), max_age=23 * hour, ping_interval=600.0)
    played.to(30 * 24 * hour)
    ages = [after - before for before, after in zip(played.dials, played.dials[1:], strict=False)]
    stats, most = played.stats, max(ages, default=30 * 24 * hour)
    live = played.transport.live
    played.subscription.dispose()
    return Figure.of(
        f"{stats.proactive_disconnects - 1} planned ends, {stats.reactive_disconnects} losses, "
        f"the oldest was {most / hour:.1f} h",
        never_older=most <= 23 * hour,
        jittered=min(ages, default=0.0) >= 0.9 * 23 * hour and len(set(ages)) > 1,
        reasons=stats.reasons[DisconnectReason.CONNECTION_LIMIT] == len(played.dials) - 1,
        no_loss=stats.reactive_disconnects == 0 and not played.ended,
        one_socket=live == 1,
    )


@row(
    "window",
    "A window that is open for 10 s of every 100 s, for 1,000 s",
    "It dials once in each window and never outside; the ends are planned",
)
async def window(trial: Trial) -> Figure:
    played = Played(trial, Attempt(), connect_while=every(100, open_for=10))
    live = []
    for at in range(1_000):
        played.to(at + 0.5)
        live.append(played.transport.live)
    played.subscription.dispose()
    return Figure.of(
        counted(len(played.dials), "dial"),
        one_a_window=len(played.dials) == 10 and all(at % 100 < 10 for at in played.dials),
        connected_inside_only=live == [1 if at % 100 < 10 else 0 for at in range(1_000)],
        planned=played.stats.reactive_disconnects == 0 and not played.ended,
    )


@row(
    "window-backoff",
    "A window closes during a back-off of 9 s",
    "The back-off is cut: no socket is opened until the window opens again, then one is",
)
async def window_backoff(trial: Trial) -> Figure:
    settings = {"connect_while": every(100, open_for=10), "retry": Backoff.fixed(9.0)}
    played = Played(trial, Attempt.closes(5.0), Attempt(), **settings)
    played.to(99.9)
    before = len(played.dials)
    played.to(105.0)
    live = played.transport.live
    played.subscription.dispose()
    return Figure.of(
        f"{counted(before, 'dial')} until the window opened, {len(played.dials) - before} then",
        none_outside=before == 1,
        back_with_the_window=len(played.dials) == 2 and played.dials[1] - 100.0 < 5.1 and live == 1,
        no_error=not played.ended,
    )


@row(
    "backoff-dispose",
    "1,000 streams against a port that refuses, each disposed at a random moment of a back-off of up to 60 s",
    "Nothing dials afterwards, for a day",
)
async def backoff_dispose(trial: Trial) -> Figure:
    chance, late, dials = Random(0), 0, 0
    runs = trial.size(50, 1_000)
    for _ in range(runs):
        played = Played(trial, Attempt.refused())
        played.to(chance.uniform(0.0, 300.0))
        before = len(played.dials)
        played.subscription.dispose()
        played.to(played.virtual.clock + 86_400.0)
        late += len(played.dials) - before
        dials += before
    return Figure.of(f"{dials:,} dials before, {late} after", none_afterwards=late == 0, dialled=dials > runs)
