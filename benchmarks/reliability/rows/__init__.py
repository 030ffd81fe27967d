"""The rows, in the order of the table. To add one, write a function: every `Row` in one of these files is played."""

from __future__ import annotations

from benchmarks.reliability.row import Row
from benchmarks.reliability.rows import (
    closes,
    consumers,
    crowds,
    disposals,
    floods,
    frames,
    handshakes,
    planned,
    refusals,
    repetition,
    rotations,
    silence,
    soak,
)

__all__ = ["ROWS"]

FILES = (
    closes,
    handshakes,
    refusals,
    silence,
    frames,
    floods,
    consumers,
    repetition,
    planned,
    rotations,
    disposals,
    crowds,
    soak,
)

ROWS = tuple(each for file in FILES for each in vars(file).values() if isinstance(each, Row))
