"""The command `rxws`: its arguments, and whole demos, with and without a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest
import reactivex as rx
from reactivex import Observable

from rxws.cli import demo, main

ROOT = Path(__file__).parents[2]
COMMAND = "import sys; from rxws.cli import main; sys.exit(main(['demo', '--seconds', '2']))"
# What runs in the background of a shell begins with SIGINT ignored.
HEEDS_CTRL_C = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{COMMAND}"
WITHOUT_RICH = f"import sys; sys.modules['rich'] = None\n{COMMAND}"
BOUND = 60.0
"""Seconds after which a run that hangs is killed."""


@contextmanager
def running(code: str, **files: int) -> Iterator[subprocess.Popen[str]]:
    """Run Python code. Warnings are errors there too: what it leaves behind is told on its standard error."""
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    arguments = [sys.executable, "-W", "error", "-c", code]
    with subprocess.Popen(arguments, cwd=ROOT, env=environment, text=True, **files) as process:  # type: ignore[call-overload]
        killer = Timer(BOUND, process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()


def in_a_terminal(code: str) -> tuple[int, str]:
    """Run Python code in a terminal of 24 rows and 80 columns; its exit code and all that it wrote."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, 80))
    with running(code, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        written = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        return process.wait(), written.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 2**16)
    except OSError:  # nobody has it open any more
        return b""


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
    with running(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.communicate()

    assert (process.returncode, err) == (0, "")
    assert "\x1b" not in out
    events, _, told = out.partition("\n\n")
    assert all(re.match(r" *\d+\.\d\d s  (spot|usdm)  \S", line) for line in events.splitlines())
    for words in ("server closed (1012)", "refused: HTTP 429", "left by plan", "live again after"):
        assert words in events
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


def test_a_demo_in_a_terminal_draws_its_table() -> None:
    """The table is drawn again and again, within the terminal's width, and the summary follows it."""
    code, written = in_a_terminal(COMMAND)
    rows = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.replace("\r", "\n")).split("\n")

    assert code == 0
    assert sum(row.startswith("rxws demo: two simulated exchanges") for row in rows) >= 4
    assert sum(row.startswith("usdm      SUSHIUSDT") for row in rows) >= 4
    assert any(re.match(r"spot      live +\d+ +\d+", row) for row in rows)
    assert any(re.search(r"\d+ messages came, each once and in order", row) for row in rows)
    assert max(map(len, rows)) <= 80
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")  # the cursor is back


def test_ctrl_c_ends_a_demo_with_the_summary_so_far() -> None:
    """What has come by then is told, and the exit code is 0."""
    with running(HEEDS_CTRL_C, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        while "live" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    assert (process.returncode, err) == (0, "")
    assert re.search(r"survived in \d+\.\d s, then interrupted\.", out)


def test_a_reader_that_has_seen_enough_ends_a_demo() -> None:
    """As in `rxws demo | head -1`: no traceback."""
    with running(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert (process.wait(), process.stderr.read()) == (1, "")


def test_a_table_without_rich_is_one_clear_line() -> None:
    """It names what to install; without a terminal rich is not missed."""
    code, written = in_a_terminal(WITHOUT_RICH)

    assert code == 1
    assert written.count("\n") == 1
    assert "pip install 'rxws[cli]'" in written
    with running(WITHOUT_RICH, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and "s  spot  " in process.stdout.readline()


def test_a_pipeline_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 1, and a sentence on standard error says why."""

    def broken(*_: object) -> Observable[object]:
        return rx.throw(ValueError("a bug"))

    monkeypatch.setattr(demo, "klines", broken)

    assert main(["demo", "--plain"]) == 1
    assert "the pipeline ended with ValueError: a bug." in capsys.readouterr().err
