"""Programs of their own in a terminal of their own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

__all__ = ["Terminal", "program"]

ROOT = Path(__file__).parents[1]
BOUND = 60.0
"""Seconds after which a run that hangs is killed."""


@contextmanager
def program(code: str, **files: int) -> Iterator[subprocess.Popen[str]]:
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


class Terminal:
    """A terminal in which Python code runs.

    Args:
        code: what runs.
        rows: how high it is.
        columns: how wide it is.
    """

    def __init__(self, code: str, rows: int = 24, columns: int = 80) -> None:
        self.written = ""
        self._code = code
        self._size = rows, columns

    def run(self, heard: Callable[[Terminal], object] = lambda _: None) -> int:
        """Run it to its end, and return its exit code.

        Args:
            heard: called whenever something was written.
        """
        ours, its = pty.openpty()
        termios.tcsetwinsize(its, self._size)
        with program(self._code, stdin=its, stdout=its, stderr=its) as process:
            self.process = process
            os.close(its)
            parts = b""
            while part := _read(ours):
                parts += part
                self.written = parts.decode(errors="replace")
                heard(self)
            os.close(ours)
            return process.wait()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 2**16)
    except OSError:  # nobody has it open any more
        return b""
