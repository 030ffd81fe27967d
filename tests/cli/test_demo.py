"""The command `rxws`: its arguments, and whole demos, with and without a terminal."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import Self

import pytest
import reactivex as rx
from reactivex import Observable

from rxws.cli import demo, main
from tests.in_a_terminal import Terminal, program

COMMAND = "import sys; from rxws.cli import main; sys.exit(main(['demo', '--seconds', '2']))"
# What runs in the background of a shell begins with SIGINT ignored.
HEEDS_CTRL_C = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{COMMAND}"
WITHOUT_RICH = f"import sys; sys.modules['rich'] = None\n{COMMAND}"


@pytest.mark.parametrize("wrong", ["1.9", "3601", "nan", "inf", "-5", "soon"])
def test_seconds_out_of_range_are_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the argument, the value given, and the range."""
    with pytest.raises(SystemExit) as exit:
        main(["demo", "--seconds", wrong])

    assert exit.value.code == 2
    assert f"--seconds: '{wrong}' is out of range; take 2 to 3600 seconds" in capsys.readouterr().err


def test_the_version_and_the_help_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` and `--help` end with 0; no command at all shows the help, and is an error."""
    for argument, told in (("--version", "rxws "), ("--help", "demo")):
        with pytest.raises(SystemExit) as exit:
            main([argument])
        assert exit.value.code == 0
        assert told in capsys.readouterr().out

    assert main([]) == 2
    assert "demo" in capsys.readouterr().err


def test_a_demo_without_a_terminal_is_plain_lines() -> None:
    """It ends with 0 and a summary that adds up; nothing on standard error, and no escape sequence."""
    with program(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.communicate()

    assert (process.returncode, err) == (0, "")
    assert "\x1b" not in out
    events, _, told = out.partition("\n\n")
    assert all(re.match(r" *\d+\.\d\d s  (spot|usdm|binance|deribit|okx) +\S", line) for line in events.splitlines())
    for words in ("server closed (1012)", "refused: HTTP 429", "left by plan", "live again after"):
        assert words in events
    for name, why in (("binance", "closed"), ("deribit", "closed"), ("okx", "silent")):
        assert re.search(rf"s  {name} +a gap in its book, between \d+ and \d+$", events, re.MULTILINE)
        assert re.search(rf"s  {name} +its book is whole again$", events, re.MULTILINE)
        assert re.search(rf"s  {name} +its quotes hold no more: {why}$", events, re.MULTILINE)
    assert re.search(
        r"Three venues merged: [\d,]+ quotes, and [3-9] times one was left out of the spread;\n"
        r"\d+ gaps of their order books were found, and every book was mended:\n"
        r"at the end each is the exchange's own, to the last digit\.$",
        told,
    )
    assert len(set(events.splitlines())) == len(events.splitlines())
    assert "interrupted" not in told
    survived = int(told.split(" disconnects survived")[0])
    assert survived >= 6
    proactive, reactive, came, missed = (
        _in_all(told, row) for row in ("proactive", "reactive", "messages that", "messages lost")
    )
    assert proactive + reactive == survived
    assert proactive >= 1
    assert f"{came:,} messages came, each once and in order;\n{missed:,} were sent while" in told
    assert came > missed > 0


def _in_all(told: str, row: str) -> int:
    (found,) = re.findall(rf"^{row}.* ([\d,]+)$", told, re.MULTILINE)
    return int(found.replace(",", ""))


def test_a_demo_in_a_terminal_draws_charts() -> None:
    """Again and again, ten times a second at most, within the terminal's width, and the summary follows."""
    terminal = Terminal(COMMAND)
    code = terminal.run()
    rows = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.written.replace("\r", "\n")).split("\n")
    titles = sum(row.startswith("rxws demo: simulated exchanges") for row in rows)

    assert code == 0
    assert 4 <= titles <= 80  # it may last a while longer until all are live again
    assert sum(row.startswith("● usdm SUSHIUSDT  ") for row in rows) >= 4
    assert "38;5;34m" in terminal.written and "38;5;160m" in terminal.written
    assert any(re.match(r"spot      live +\d+ +\d+", row) for row in rows)
    assert any(re.search(r"\d+ messages came, each once and in order", row) for row in rows)
    assert max(map(len, rows)) <= 80
    assert terminal.written.rindex("\x1b[?25h") > terminal.written.rindex("\x1b[?25l")  # the cursor is back


def test_ctrl_c_ends_a_demo_with_the_summary_so_far() -> None:
    """What has come by then is told, and the exit code is 0."""
    with program(HEEDS_CTRL_C, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        while "live" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    assert (process.returncode, err) == (0, "")
    assert re.search(r"survived in \d+\.\d s, then interrupted\.", out)


def test_a_reader_that_has_seen_enough_ends_a_demo() -> None:
    """As in `rxws demo | head -1`: no traceback."""
    with program(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert (process.wait(), process.stderr.read()) == (1, "")


def test_charts_without_rich_are_one_clear_line() -> None:
    """It names what to install; without a terminal rich is not missed."""
    terminal = Terminal(WITHOUT_RICH)

    assert terminal.run() == 1
    assert terminal.written.count("\n") == 1
    assert "pip install 'rxws[cli]'" in terminal.written
    with program(WITHOUT_RICH, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and "s  spot   " in process.stdout.readline()


class BrokenView:
    """A view that cannot draw."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to do."""

    def draw(self) -> None:
        """Fail, but for the last time."""
        self.draw = lambda: None  # type: ignore[method-assign]
        raise ZeroDivisionError("a bug in drawing")


def test_a_view_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends the demo at once."""
    monkeypatch.setattr(demo, "_view", lambda *_: BrokenView())

    assert main(["demo", "--seconds", "60"]) == 1
    assert "the pipeline ended with ZeroDivisionError: a bug in drawing." in capsys.readouterr().err


def test_a_pipeline_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 1, and a sentence on standard error says why."""

    def broken(*_: object) -> Observable[object]:
        return rx.throw(ValueError("a bug"))

    monkeypatch.setattr(demo, "klines", broken)

    assert main(["demo", "--plain"]) == 1
    assert "the pipeline ended with ValueError: a bug." in capsys.readouterr().err
