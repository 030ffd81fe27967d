"""The colours of pictures in a terminal: of the 256, those that can be read on black and on white."""

from __future__ import annotations

from rich.style import Style

__all__ = ["BOLD", "DIM", "FALLING", "LINES", "LOST", "PLANNED", "RISING", "STATES"]

RISING = Style.parse("color(34)")
FALLING = Style.parse("color(160)")
LINES = tuple(Style.parse(f"color({number})") for number in (33, 166, 134, 30, 162, 100))
"""Of the lines of a chart, in their order."""
LOST = Style.parse("color(160)")
PLANNED = Style.parse("color(33)")
DIM = Style.parse("color(244)")
BOLD = Style.parse("bold")
STATES = {
    "live": RISING,
    "connecting": Style.parse("color(136)"),
    "waiting": Style.parse("color(166)"),
    "error": Style.parse("bold color(160)"),
}
"""Of what a bar says, by its state."""
