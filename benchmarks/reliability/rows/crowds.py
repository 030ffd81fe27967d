"""Many connections in one process."""

from __future__ import annotations

import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.reliability.limited import most_in_any
from benchmarks.reliability.process import ServerProcess
from benchmarks.reliability.row import Figure, Trial, row
from rxws import Backoff, Governor
from rxws.events import Closed, Opened

SPARE = 200  # file descriptors beside the sockets


@contextmanager
def descriptors(count: int) -> Iterator[None]:
    """Allow so many file descriptors, where the system lets us.

    Raises:
        RuntimeError: it does not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise RuntimeError(f"the system allows {hard} file descriptors, and this takes {count}: see ulimit -Hn")
    # Raised only: the server's process inherits it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@row(
    "crowd",
    "1,000 live sockets in one process are reset at once",
    "All come back, by one dial each; none is there twice; at the end none is left",
    limit=180.0,
)
async def crowd(trial: Trial) -> Figure:
    count = trial.size(60, 1_000)
    settings = {
        "retry": Backoff(0.5, cap=4.0),
        "open_timeout": 30.0,
        "ping_interval": None,
        "idle_timeout": None,
        "random": random.Random(0).random,
    }
    numbers: list[int] = []

    def consumer(value: dict[str, int]) -> None:
        numbers.append(value["n"])

    with descriptors(count + SPARE):
        async with ServerProcess("crowd") as server:
            all_of_them = [trial.watch(server.url, consumer, **settings).subscribe() for _ in range(count)]
            await trial.until(lambda: len(numbers) >= count, 6 * trial.patience)
            await server.ask("drop")
            await trial.until(lambda: len(numbers) >= 2 * count, 6 * trial.patience)
            after = await server.ask("report")
            opened = sum(len(each.of(Opened)) for each in all_of_them)
            losses = sum(len(each.of(Closed)) for each in all_of_them)
            for each in all_of_them:
                each.dispose()
            await trial.after_a_while()
            return Figure.of(
                f"{count:,} live, {losses:,} lost, {after['live']:,} live again; {after['dials']:,} dials in all",
                all_lost=losses == count,
                all_back=after["live"] == count and opened == 2 * count,
                one_dial_each=after["dials"] == 2 * count,
                none_twice=after["most"] <= count and sorted(numbers) == list(range(1, 2 * count + 1)),
            )


class Noting(Governor):
    """A governor that notes the instant of each dial that it lets go."""

    def __init__(self, dials: int, per: float) -> None:
        super().__init__(dials, per)
        self.gone: list[float] = []

    def due(self, host: str, instant: float, now: float) -> float:
        at = super().due(host, instant, now)
        if at == now:
            self.gone.append(now)
        return at


@row(
    "crowd-governed",
    "1,000 live sockets, dialled by one governor of 400 a second, are reset at once",
    "All come back; in no second, wherever it begins, are there more than 400 dials",
    limit=180.0,
)
async def crowd_governed(trial: Trial) -> Figure:
    count, rate = trial.size(60, 1_000), trial.size(40, 400)
    governor = Noting(rate, 1.0)
    settings = {
        "dials": governor,
        "retry": Backoff(0.01, cap=0.01),
        "open_timeout": 30.0,
        "ping_interval": None,
        "idle_timeout": None,
    }
    numbers: list[int] = []
    with descriptors(count + SPARE):
        async with ServerProcess("crowd") as server:
            all_of_them = [
                trial.watch(server.url, lambda value: numbers.append(value["n"]), **settings).subscribe()
                for _ in range(count)
            ]
            await trial.until(lambda: len(numbers) >= count, 6 * trial.patience)
            await server.ask("drop")
            await trial.until(lambda: len(numbers) >= 2 * count, 6 * trial.patience)
            after = await server.ask("report")
            for each in all_of_them:
                each.dispose()
            await trial.after_a_while()
            most = most_in_any(1.0, governor.gone)
            return Figure.of(
                f"{after['live']:,} live again by {after['dials'] - count:,} dials, at most {most} in a second",
                all_back=after["live"] == count,
                governed=len(governor.gone) == after["dials"] and most <= rate,
            )
