"""The demo where there is no terminal: one line for each thing that happens."""

from __future__ import annotations

from itertools import islice
from typing import Self

from rxws.cli.board import Board

__all__ = ["Lines"]


class Lines:
    """Prints the board's lines as they come.

    Args:
        board: what is shown.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._printed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to do."""

    def draw(self) -> None:
        """Print what has happened since the last time."""
        board = self._board
        new = min(board.said - self._printed, len(board.lines))
        for line in islice(board.lines, len(board.lines) - new, None):
            print(f"{line.at:7.2f} s  {line.who:<7} {line.text}", flush=True)
        self._printed = board.said
