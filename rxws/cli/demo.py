"""`rxws demo`: klines and trades of two exchanges that fail on a script, live in the terminal, and a summary."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Protocol, Self, TypeVar

import reactivex as rx
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SingleAssignmentDisposable

import rxws
from rxws.cli.board import Board
from rxws.cli.lines import Lines
from rxws.cli.pipeline import klines
from rxws.cli.script import SYMBOLS, Fault, Pace, exchanges, spot_script, usdm_script
from rxws.cli.summary import failures, summary
from rxws.cli.venues import merged, venue_exchanges, venue_script
from rxws.live.coalescer import Coalescer
from rxws.testing import SimulatedExchange

__all__ = ["View", "demo", "survive"]

T = TypeVar("T")

DRAWINGS = 10.0
"""A second, at most."""
GRACE = 5.0
"""Seconds that a connection which is down when the script ends has to come back."""


class View(Protocol):
    """What shows the board."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def draw(self) -> None:
        """Show it as it is now."""


def demo(seconds: float, plain: bool = False) -> int:
    """Run the demo, and return the exit code: 1 where the pipeline has not survived.

    Args:
        seconds: how long it lasts.
        plain: lines, even where the output is a terminal.
    """
    pace = Pace(seconds)
    board = Board(SYMBOLS, seconds)
    try:
        view = _view(board, plain)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "rich":
            raise
        print("rxws demo: the charts need rich: pip install 'rxws[cli]' (without: rxws demo --plain)", file=sys.stderr)
        return 1
    try:
        with _unwarned():
            return survive(pace, board, view)
    except KeyboardInterrupt:
        # A second Ctrl-C, while the first one's closing handshakes are waited for.
        return 130
    except BrokenPipeError:
        # Whoever read the lines has seen enough. What is left to flush goes nowhere, without a word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


@contextmanager
def _unwarned() -> Iterator[None]:
    """What rxws warns of stands in the table and in the lines already."""
    log = logging.getLogger("rxws")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def survive(pace: Pace, board: Board, view: View) -> int:
    """Play the scripts, show on `view` what becomes of the pipeline, and print the summary; return the exit code.

    Args:
        pace: how long all takes.
        board: what knows of it.
        view: what shows the board.
    """
    spot, usdm = exchanges(pace)
    three = venue_exchanges()
    plays = {
        "spot": (spot, spot_script(spot, pace)),
        "usdm": (usdm, usdm_script(usdm, pace)),
        **{name: (exchange, venue_script(name, exchange, pace)) for name, exchange in three.items()},
    }
    error: Exception | None = None
    with view:
        try:
            # Made when the exchanges are there, and have their ports.
            venues = rx.defer(lambda _: merged(three, pace, board.venues))
            pipeline = rx.merge(klines(spot, usdm, pace, board), venues)
            rxws.run(_performed(pipeline, plays, board, view, lambda: board.venues.compare(three)), board.candles)
        except Exception as caught:
            error = caught
        view.draw()
    accounts = [board.feeds[name].account(exchange) for name, exchange in (("spot", spot), ("usdm", usdm))]
    wrong = [*failures(accounts, error, board.over), *(board.venues.wrong or ())]
    print("", *summary(accounts, board.elapsed, board.over), *board.venues.summary(), sep="\n", flush=True)
    for sentence in wrong:
        print(f"rxws demo: {sentence}.", file=sys.stderr)
    return 1 if wrong else 0


def _performed(
    pipeline: Observable[T],
    plays: Mapping[str, tuple[SimulatedExchange, Sequence[Fault]]],
    board: Board,
    view: View,
    compare: Callable[[], Awaitable[None]],
) -> Observable[T]:
    """The pipeline while the exchanges play their scripts and the view is drawn; it completes with the scripts."""

    def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        running = SingleAssignmentDisposable()

        def draw() -> None:
            try:
                view.draw()
            except Exception as error:
                observer.on_error(error)

        coalescer = Coalescer(draw, DRAWINGS, rxws.scheduler())
        board.touched = coalescer.touch

        async def perform() -> None:
            async with AsyncExitStack() as open_exchanges:
                for exchange, _ in plays.values():
                    await open_exchanges.enter_async_context(exchange)
                running.disposable = pipeline.subscribe(observer.on_next, observer.on_error, scheduler=scheduler)
                await asyncio.gather(*(_play(name, *play, board) for name, play in plays.items()))
                await compare()
                board.over = True
                observer.on_completed()
                # The exchanges stay until the loop ends, to answer the closing handshakes of the streams.
                await asyncio.get_running_loop().create_future()

        task = asyncio.ensure_future(perform())

        def failed(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and isinstance(error := task.exception(), Exception):
                observer.on_error(error)

        task.add_done_callback(failed)
        return CompositeDisposable(running, Disposable(coalescer.stop))

    return Observable(subscribe)


async def _play(name: str, exchange: SimulatedExchange, script: Sequence[Fault], board: Board) -> None:
    def step(fault: Fault) -> Callable[[], object]:
        def act() -> object:
            done = fault.act()
            if done != 0:  # as many connections as it was done to
                board.say(name, f"the exchange {fault.words}", "fault")
            return done

        return act

    await exchange.play([*((fault.at, step(fault)) for fault in script), (board.seconds, lambda: None)])
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            await exchange.until(board.all_live)


def _view(board: Board, plain: bool) -> View:
    if plain or not sys.stdout.isatty() or os.environ.get("TERM") in ("dumb", "unknown", None):
        return Lines(board)
    from rxws.cli.screen import DemoScreen
    from rxws.terminal.screen import can_be_drawn_on, standard_console

    console = standard_console()
    return DemoScreen(board, console) if can_be_drawn_on(console) else Lines(board)
