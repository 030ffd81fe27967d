from __future__ import annotations

import asyncio
import io
import re
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject
from reactivex import operators as ops
from rich.console import Console

from rxws.errors import ConfigError, ConnectionClosed, WrongShape
from rxws.events import Closed, Connecting, ConnectionState, Live, Opened, Waiting, reason_of
from rxws.terminal import LiveChart, live_candles, live_plot, live_table
from rxws.terminal.rows import Row, text_of
from tests.terminal.virtual import virtually

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"
Tick = tuple[int, float, float, float, float]


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment of whoever runs the tests changes what is written."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def screen(width: int = 80, height: int = 24) -> Console:
    """A terminal that remembers what was written to it."""
    return Console(file=io.StringIO(), force_terminal=True, color_system="256", width=width, height=height)


def pipe() -> Console:
    """A file."""
    return Console(file=io.StringIO(), force_terminal=False, width=80)


def written(console: Console) -> str:
    """All that was written."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def bars(console: Console) -> list[str]:
    """The first rows of all pictures."""
    rows = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written(console)).replace("\r", "\n").split("\n")
    return [row.strip() for row in rows if row.startswith("●")]


def candle(at: float) -> Tick:
    """A candle of the second `at`."""
    return round(at * 1_000) * 1_000_000 + 1_795_651_200 * 10**9, 1.0, 3.0, 0.5, 2.0 - at % 2


def as_it_is(value: Tick) -> Tick:
    """What candle= is in these tests."""
    return value


def test_it_is_drawn_ten_times_a_second_at_most() -> None:
    """However many values come; each is counted."""
    console, values = screen(), Subject[Any]()
    chart = live_candles(values, candle=as_it_is, console=console)

    async def main() -> None:
        with chart:
            for at in range(500):
                values.on_next(candle(at / 100))
                await asyncio.sleep(0.01)

    virtually(main())
    assert chart.events_in == 500
    assert 49 <= chart.frames_out <= 53
    assert "38;5;34m" in written(console) and "38;5;160m" in written(console)


def test_where_nothing_comes_it_is_drawn_when_a_clock_moves() -> None:
    """From 5 seconds on once a second, before that not at all."""
    console, values = screen(), Subject[Any]()
    chart = live_plot({"a": values}, console=console)
    frames = list[int]()

    async def main() -> None:
        with chart:
            values.on_next(1.0)
            for _ in range(9):
                await asyncio.sleep(1.0)
                frames.append(chart.frames_out)

    virtually(main())
    assert frames[:4] == [1] * 4
    assert frames[5:] == [frames[4] + more for more in range(1, 5)]
    told = [words for bar in bars(console) if (words := re.search(r"no update for \d s", bar))]
    assert [words[0][-3] for words in told][:4] == ["5", "6", "7", "8"]


def test_a_value_begins_the_silence_anew() -> None:
    """The timer of the one before it draws nothing."""
    values, frames = Subject[Any](), list[int]()
    chart = live_plot({"a": values}, console=screen())

    async def main() -> None:
        with chart:
            for wait in (4.0, 4.5, 1.0):
                if not frames or len(frames) == 1:
                    values.on_next(1.0)
                await asyncio.sleep(wait)
                frames.append(chart.frames_out)

    virtually(main())
    assert frames == [1, 2, 3]


def test_nothing_is_drawn_where_nothing_has_come_and_nothing_is_waited_for() -> None:
    """An idle view costs nothing."""
    chart = live_plot({"a": rx.never()}, console=screen())

    async def main() -> None:
        with chart:
            await asyncio.sleep(3_600.0)
            assert chart.frames_out == 1

    virtually(main())


def lost() -> list[Any]:
    """What a stream tells of a connection that is lost after 2 seconds, and comes back after 3 more."""
    error = ConnectionClosed(1012)
    told = {"origin": "ws://a", "time_ns": 0}
    ended = {"reason": reason_of(error), "error": error, "uptime": 1.0, "opened": True}
    wait = {"seconds": 3.0, "rule": "policy", "attempt": 2, "error": error}
    return [
        Closed(generation=1, state=ConnectionState.RECONNECTING, **ended, **told),  # type: ignore[arg-type]
        Waiting(generation=1, state=ConnectionState.RECONNECTING, **wait, **told),  # type: ignore[arg-type]
        Connecting(generation=2, state=ConnectionState.CONNECTING, attempt=2, **told),  # type: ignore[arg-type]
        Opened(generation=2, state=ConnectionState.CONNECTED, took=0.1, **told),  # type: ignore[arg-type]
        Live(generation=2, state=ConnectionState.CONNECTED, after=0.1, **told),  # type: ignore[arg-type]
    ]


def test_a_way_back_is_counted_down() -> None:
    """Once a second, and why stands beside it."""
    console, values = screen(120), Subject[Any]()
    chart = live_plot({"a": values}, console=console)

    async def main() -> None:
        with chart:
            values.on_next(1.0)
            await asyncio.sleep(2.0)
            closed, waiting, *back = lost()
            values.on_next(closed)
            values.on_next(waiting)
            await asyncio.sleep(3.0)
            for event in back:
                values.on_next(event)
            values.on_next(2.0)

    virtually(main())
    told = [words[0] for bar in bars(console) if (words := re.search(r"reconnecting in \d s: .*\)", bar))]
    assert list(dict.fromkeys(told)) == [f"reconnecting in {left} s: lost: server closed (1012)" for left in (3, 2, 1)]
    assert len(told) <= 5
    assert bars(console)[-1].startswith("● stopped")


def test_without_colours_bodies_tell_what_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal where nobody wants colours; a picture for a document has them always."""
    monkeypatch.setenv("NO_COLOR", "1")
    console = screen()
    chart = live_candles(rx.of(candle(1.0), candle(2.5)), candle=lambda v: (v[0], 2.0, 3.0, 1.0, 1.5), console=console)
    virtually(chart.wait())
    assert "▒" in written(console) and "38;5" not in written(console)
    assert "#d70000" in chart.svg()


def test_a_stop_leaves_the_last_picture_and_the_cursor() -> None:
    """Nothing is drawn after it, and no thread was made."""
    console, threads = screen(), threading.enumerate()
    chart = live_candles(rx.of(candle(1.0)).pipe(ops.concat(rx.never())), candle=as_it_is, title="T", console=console)

    async def main() -> None:
        await chart.wait(1.0)
        assert threading.enumerate() == threads

    virtually(main())
    text = written(console)
    assert text.rindex(SHOWN) > text.rindex(HIDDEN)
    assert text.rindex("stopped") > text.rindex("live")
    assert text[text.rindex("stopped") :].count("\n") >= 23


def test_a_cancelled_wait_stops_it() -> None:
    """As Ctrl-C does within asyncio.run."""
    console = screen()
    chart = live_plot({"a": rx.never()}, console=console)

    async def main() -> None:
        waiting = asyncio.create_task(chart.wait())
        await asyncio.sleep(1.0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()

    virtually(main())
    assert chart.status == "stopped"
    assert written(console).endswith(SHOWN)


class Broken(LiveChart):
    """A chart that cannot be drawn any more at its third value."""

    def _body(self, width: int, height: int, coloured: bool) -> list[Row]:
        if self.events_in > 2:
            raise ZeroDivisionError("a bug in drawing")
        return super()._body(width, height, coloured)


def test_what_drawing_raises_ends_it_and_gives_the_terminal_back() -> None:
    """It stands in the bar, above the last picture, and whoever watches the loop hears of it."""
    console, values, heard = screen(), Subject[Any](), list[object]()
    made = live_plot({"a": values}, console=console)
    chart = Broken(made._feeds, made._chart, fps=10.0, console=console, height=None)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
        with chart:
            for value in (1.0, 2.0, 3.0):
                values.on_next(value)
                await asyncio.sleep(1.0)

    virtually(main())
    assert (chart.status, heard) == ("error", [chart.error])
    assert "ZeroDivisionError: a bug in drawing" in bars(console)[-1]
    last = written(console)[written(console).rindex("●") :]
    assert "├" in last and last.endswith(SHOWN)


def test_it_fits_a_terminal_of_any_size() -> None:
    """Also one that changes meanwhile."""
    console, values = screen(), Subject[Any]()
    chart = live_candles(values, candle=as_it_is, console=console)

    async def main() -> None:
        with chart:
            for at, size in enumerate([(80, 24), (30, 9), (1, 1), (3, 50), (200, 2), (120, 40), (119, 40)]):
                console.size = size  # type: ignore[assignment]  # rich takes a pair
                values.on_next(candle(at))
                await asyncio.sleep(0.2)

    virtually(main())
    assert (chart.status, chart.error) == ("stopped", None)


def test_a_narrower_terminal_is_wiped_before_it_is_drawn_on() -> None:
    """It has folded the rows that were there: each takes more of its rows than it was."""
    console, values = screen(80, 10), Subject[Any]()
    chart = live_candles(values, candle=as_it_is, console=console)

    async def main() -> None:
        with chart:
            for at, width in enumerate([80, 40]):
                console.size = (width, 10)  # type: ignore[assignment]
                values.on_next(candle(at))
                await asyncio.sleep(0.2)
                if width == 80:
                    console.file = io.StringIO()

    virtually(main())
    # Of 9 rows of 80 columns there are 18 of 40: up from the last to the first, down to where the ninth would be.
    assert written(console).startswith("\r" + "\x1b[2K\x1b[1A" * 17 + "\x1b[2K" + "\x1b[1B" * 8)


def test_a_height_is_kept() -> None:
    """Also where the terminal has more rows."""
    console = screen(80, 40)
    chart = live_plot({"a": rx.of(1.0)}, console=console, height=7)
    virtually(chart.wait())
    assert len(chart.rows(80, 7)) == 7
    assert written(console)[written(console).rindex("●") :].count("\n") == 7


@pytest.mark.skipif(not hasattr(signal, "SIGWINCH"), reason="no such signal on this system")
def test_a_resize_is_drawn_though_nothing_comes() -> None:
    """And the signal is as it was, afterwards."""
    chart = live_plot({"a": rx.never()}, console=screen())

    async def main() -> None:
        with chart:
            await asyncio.sleep(1.0)
            assert chart.frames_out == 1
            signal.raise_signal(signal.SIGWINCH)
            await asyncio.sleep(1.0)
            assert chart.frames_out == 2
        assert signal.getsignal(signal.SIGWINCH) == signal.SIG_DFL

    virtually(main())


def test_where_there_is_no_terminal_a_line_a_second_tells_the_newest() -> None:
    """Without anything that would steer one; a time stands first."""
    console, values = pipe(), Subject[Any]()
    chart = live_candles(
        values, candle=as_it_is, lines={"x": values.pipe(ops.map(lambda v: v[4] / 2))}, console=console
    )

    async def main() -> None:
        with chart:
            for at in range(400):
                values.on_next(candle(at / 100))
                await asyncio.sleep(0.01)

    virtually(main())
    lines = written(console).splitlines()
    assert 4 <= len(lines) <= 6
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"
    numbers = r"open 1  high 3  low 0.5  close [\d.]+  volume 0  x [\d.]+"
    assert all(re.fullmatch(rf"{when}  {numbers}  (live|stopped)", line) for line in lines)


def test_where_there_is_no_terminal_a_table_tells_what_has_changed() -> None:
    """Each row once a second at most, and how the stream is when that changes."""
    console, values = pipe(), Subject[Any]()
    table = live_table(values, key="s", title="quotes", console=console)

    async def main() -> None:
        with table:
            for at in range(30):
                values.on_next({"s": "A", "price": at, "note": None})
                values.on_next({"s": "B\x1b[2J", "price": 1})
                await asyncio.sleep(0.1)

    virtually(main())
    lines = [line.partition("Z  ")[2] for line in written(console).splitlines()]
    assert lines[:3] == ["s A  price 0", r"s B\x1b[2J  price 1", "quotes  live"]
    assert lines[-1] == "quotes  stopped"
    assert 6 <= len(lines) <= 12


def test_a_table_is_drawn() -> None:
    """With its title and its rows."""
    console = screen()
    virtually(live_table(rx.of({"s": "A", "price": 1.5}), title="quotes", console=console).wait())
    assert "● quotes  completed" in bars(console)[-1]
    assert re.search(r"s  price\s*\r?\n", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written(console)))


def test_a_view_whose_loop_is_gone_leaves_the_terminal_to_the_next() -> None:
    """Somebody forgot to stop it, and runs their program once more in the same interpreter."""
    console = screen()

    async def main() -> LiveChart:
        return live_plot({"a": rx.never()}, console=console).start()

    first, second = asyncio.run(main()), asyncio.run(main())
    assert (first.status, second.status) == ("live", "live")
    second._screen.close()  # as its program would, at its end


def test_without_a_standard_output_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service may have closed it."""
    monkeypatch.setattr("sys.stdout", None)
    chart = live_plot({"a": rx.of(1.0)})
    asyncio.run(chart.wait(5))
    assert chart.status == "completed"


def test_two_views_do_not_draw_over_one_another() -> None:
    """The second one says what to do; when the first has ended, there is room."""
    console = screen()
    first, second = (live_plot({"a": rx.never()}, console=console) for _ in range(2))

    async def main() -> None:
        with first, pytest.raises(ConfigError, match="console: another view is drawn there; a chart takes several"):
            second.start()
        with second:
            await asyncio.sleep(1.0)

    virtually(main())
    assert (first.status, second.status, second.frames_out) == ("stopped", "stopped", 2)
    third = live_plot({"a": rx.never()}, console=console)
    for _ in range(2):
        with pytest.raises(ConfigError, match="start: no event loop is running here"):
            third.start()


def test_run_raises_what_ended_it() -> None:
    """A script fails where its stream had the wrong shape, and the bar says why."""
    console = screen(160)
    with pytest.raises(WrongShape, match="k.o is missing"):
        live_candles(rx.of({"e": "kline", "k": {"t": 1}}), console=console).run()
    assert "● WrongShape: k.o is missing" in bars(console)[-1]
    assert written(console).endswith(SHOWN)

    with pytest.raises(ValueError, match="mine"):
        live_plot({"a": rx.throw(ValueError("mine"))}, console=pipe()).run()


def test_run_ends_after_so_many_seconds() -> None:
    """And at the end of the streams."""
    endless = live_plot({"a": rx.never()}, console=pipe())
    endless.run(0.01)
    over = live_plot({"a": rx.of(1)}, console=pipe())
    over.run()
    assert (endless.status, over.status) == ("stopped", "completed")


def test_run_within_a_loop_says_what_to_do() -> None:
    """As in a notebook."""

    async def main() -> None:
        with pytest.raises(ConfigError, match=r"run: an event loop is running here already; await view.wait"):
            live_plot({"a": rx.never()}, console=pipe()).run()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fps": 0}, "fps: 0 is out of range"),
        ({"height": 0}, "height: 0 is out of range"),
        ({"console": "stdout"}, "console: 'stdout' is none; take a rich.console.Console, or None"),
        ({"max_points": 1}, "max_points"),
        ({"title": 5}, "title: 5"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, Any], words: str) -> None:
    """Before anything is subscribed."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        live_plot({"a": rx.never()}, **options)
    with pytest.raises(ConfigError, match="seconds: -1 is out of range"):
        live_plot({"a": rx.never()}, console=pipe()).run(-1)


def test_a_picture_can_be_had_at_any_time() -> None:
    """As rows, and as SVG."""
    chart = live_plot({"a": rx.of(1.0, 2.0)}, console=pipe(), title="T")
    assert text_of(chart.rows(20, 5)[0]).startswith("● T  new")
    chart.run()
    assert "completed" in chart.svg(60, 10)
    assert "#ffffff" in chart.svg(60, 10, dark=False)


def test_a_program_that_ends_without_ending_its_view_gives_the_terminal_back() -> None:
    """The cursor is shown again when Python ends."""
    code = (
        "import asyncio, reactivex as rx\n"
        "from rich.console import Console\n"
        "from rxws.terminal import live_plot\n"
        "async def main():\n"
        "    live_plot({'a': rx.never()}, console=Console(force_terminal=True)).start()\n"
        "    await asyncio.sleep(0.05)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HIDDEN in done.stdout and done.stdout.rindex(SHOWN) > done.stdout.rindex(HIDDEN)


def test_the_scheduler_of_timers_may_be_a_thread() -> None:
    """Values of other threads are drawn on the loop's."""
    console = screen()
    chart = live_plot({"a": rx.interval(0.001).pipe(ops.take(20))}, console=console)
    chart.run()
    assert (chart.status, chart.events_in) == ("completed", 20)


def test_a_terminal_without_the_characters_of_charts_is_told_in_lines() -> None:
    """As one that is not UTF-8, where a drawing would end in an error of the encoding."""
    file, values = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True), Subject[Any]()
    chart = live_candles(values, candle=as_it_is, console=Console(file=file, force_terminal=True, width=80))

    async def main() -> None:
        with chart:
            values.on_next(candle(1))
            await asyncio.sleep(2.0)

    virtually(main())
    assert chart.error is None
    assert isinstance(file.buffer, io.BytesIO)
    told = file.buffer.getvalue()
    assert b"close" in told
    assert b"\x1b[?25l" not in told
