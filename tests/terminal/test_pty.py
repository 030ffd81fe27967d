"""Views in a real terminal, over a real exchange."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable

from tests.in_a_terminal import Terminal, program

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"
GREEN, RED = "38;5;34m", "38;5;160m"
# What runs in the background of a shell begins with SIGINT ignored.
CANDLES = """
import asyncio, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
import rxws
from rxws.operators import match
from rxws.terminal import live_candles, live_table
from rxws.testing import SimulatedExchange

SUSHI = "sushiusdt@kline_1m"

async def main(seconds):
    async with SimulatedExchange("usdm", streams=[SUSHI], rate=60.0, candle=0.2) as exchange:
        klines = rxws.ws_observable(exchange.combined_url(SUSHI), retry=rxws.Backoff.fixed(0.3))
        view = live_candles(klines)
        asyncio.get_running_loop().call_later(0.8, exchange.close, 1012)
        threads = threading.enumerate()
        try:
            await view.wait(seconds)
        finally:
            assert threading.enumerate() == threads
            print("END", view.status, view.events_in, view.frames_out)
"""
SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import reactivex as rx
from reactivex import operators as ops
import rxws
from rxws.terminal import live_plot

values = rx.interval(0.05, scheduler=rxws.scheduler())
live_plot({"a": values}).run()
print("after")
"""
WRONG = """
import reactivex as rx
from rxws.terminal import live_candles
live_candles(rx.of({"price": 1})).run()
"""


def plain(text: str) -> str:
    """Return what is left of a text without what steers the terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def interrupting(words: str) -> Callable[[Terminal], None]:
    """Press Ctrl-C, once, when some words have been written."""
    pressed = list[str]()

    def heard(terminal: Terminal) -> None:
        if not pressed and words in plain(terminal.written):
            pressed.append(words)
            terminal.process.send_signal(signal.SIGINT)

    return heard


def test_candles_of_an_exchange_are_drawn_and_an_outage_is_told() -> None:
    """In both colours, ten times a second at most, on one thread; the cursor comes back."""
    terminal = Terminal(f"{CANDLES}\nasyncio.run(main(2.5))")
    assert terminal.run() == 0
    text = plain(terminal.written)
    (ended,) = re.findall(r"END (\w+) (\d+) (\d+)", text)

    assert ended[0] == "stopped"
    assert int(ended[1]) > 30
    assert 3 <= int(ended[2]) <= 28
    assert GREEN in terminal.written and RED in terminal.written
    assert re.search(r"● SUSHIUSDT 1m  live", text)
    assert "reconnecting in 1 s: lost: server closed (1012)" in text
    assert "━" in text
    assert re.search(r"\d\d:\d\d:\d\d.*UTC", text)
    assert terminal.written.count(HIDDEN) == terminal.written.count(SHOWN) == 1
    assert terminal.written.index(SHOWN) < terminal.written.index("END")
    assert max(map(len, text.replace("\r", "\n").split("\n"))) <= 80


def test_ctrl_c_ends_a_script_with_the_last_picture() -> None:
    """`run` returns, without a traceback, and the script goes on."""

    terminal = Terminal(SCRIPT)
    assert terminal.run(interrupting("a 5")) == 0
    text = plain(terminal.written)
    assert "Traceback" not in text
    assert text.rstrip().endswith("after")
    last = text[text.rindex("● stopped") :]
    assert last.count("\n") == 24 and "UTC" in last
    assert terminal.written.rindex(SHOWN) > terminal.written.rindex("●")


def test_ctrl_c_within_async_code_gives_the_terminal_back() -> None:
    """Though it raises there, as asyncio does."""

    terminal = Terminal(f"{CANDLES}\ntry:\n    asyncio.run(main(30.0))\nexcept KeyboardInterrupt:\n    print('^C')")
    assert terminal.run(interrupting("SUSHIUSDT 1m  live")) == 0
    assert terminal.written.rindex(SHOWN) > terminal.written.rindex(HIDDEN)
    assert "● SUSHIUSDT 1m  stopped" in plain(terminal.written)
    assert "END stopped" in terminal.written and "^C" in terminal.written


def test_a_stream_of_the_wrong_shape_fails_a_script() -> None:
    """The bar says why, and so does the traceback; the cursor is back."""
    terminal = Terminal(WRONG)
    assert terminal.run() == 1
    assert "● WrongShape: k (the kline) is missing in" in plain(terminal.written)
    assert "rxws.errors.WrongShape: k (the kline) is missing in {'price': 1}" in terminal.written
    assert terminal.written.index(SHOWN) < terminal.written.index("Traceback")


def test_what_is_printed_meanwhile_stands_above() -> None:
    """It is not drawn over."""
    script = SCRIPT.replace(
        '"a": values', '"a": values.pipe(ops.do_action(lambda v: print("printed", v)), ops.take(9))'
    )
    terminal = Terminal(script)
    assert terminal.run() == 0
    text = plain(terminal.written).replace("\r", "")
    assert [f"printed {number}\n●" in text for number in range(9)] == [True] * 9


def test_a_pipe_gets_lines_whatever_the_environment_says_of_colours() -> None:
    """CI sets FORCE_COLOR."""
    code = "import os; os.environ['FORCE_COLOR'] = '1'\n" + SCRIPT.replace(".run()", ".run(0.3)")
    with program(code, stdout=subprocess.PIPE) as process:
        out, _ = process.communicate()
    assert process.returncode == 0
    assert "\x1b" not in out
    assert re.search(r"Z  a \d+  stopped\nafter\n$", out)


def test_without_rich_it_is_one_clear_line() -> None:
    """It names what to install."""
    code = "import sys; sys.modules['rich'] = None\nimport rxws.terminal"
    with program(code, stderr=subprocess.PIPE) as process:
        _, error = process.communicate()
    assert process.returncode == 1
    assert error.splitlines()[-1] == (
        "ModuleNotFoundError: rxws.terminal draws with rich, which is not installed: pip install 'rxws[cli]'"
    )
