"""What a picture is painted on: Pillow, in pixels of the page, with twice as many of its own; the browser's colours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

__all__ = [
    "BACK",
    "BANDS",
    "DOWN",
    "EDGE",
    "FAINT",
    "GRID",
    "LINES",
    "LOST",
    "PLANNED",
    "STATES",
    "TEXT",
    "UP",
    "Box",
    "Canvas",
    "Colour",
    "blend",
]

Colour: TypeAlias = tuple[int, int, int]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""

SCALE = 2
FINER = 2
SHADES = 3
"""Of each colour, from the background to itself: for the edges of letters."""


def blend(colour: Colour, opacity: float) -> Colour:
    """Return a colour laid on white, so opaque.

    >>> blend((255, 0, 0), 0.2)
    (255, 204, 204)
    """
    red, green, blue = (round(255 + (part - 255) * opacity) for part in colour)
    return red, green, blue


BACK: Colour = (255, 255, 255)
TEXT: Colour = (31, 35, 40)
FAINT: Colour = (89, 99, 110)
EDGE: Colour = (209, 217, 224)
GRID = blend(TEXT, 0.09)
UP: Colour = (8, 153, 129)
DOWN: Colour = (242, 54, 69)
LOST = DOWN
PLANNED: Colour = (125, 143, 169)
BANDS = {LOST: blend(LOST, 0.14), PLANNED: blend(PLANNED, 0.25)}  # paler, it would be the grid
LINES: tuple[Colour, ...] = (
    (47, 126, 216),
    (230, 159, 0),
    (204, 121, 167),
    (86, 180, 233),
    (148, 103, 189),
    (140, 140, 140),
)
STATES: dict[str, Colour] = {"live": UP, "connecting": LINES[1], "waiting": LINES[1], "error": DOWN}


class Canvas:
    """A white sheet with a thin border.

    Args:
        width: in pixels of the page.
        height: likewise.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self.labels: list[Box] = []
        """The boxes of all that was written."""
        self._image = Image.new("RGB", (round(width * SCALE), round(height * SCALE)), BACK)
        self._draw = ImageDraw.Draw(self._image)
        edge = (1, 1, self._image.width - 2, self._image.height - 2)
        self._draw.rounded_rectangle(edge, radius=12, outline=EDGE, width=2)

    def measure(self, text: str, size: float = 11.0) -> float:
        """Return the width of a text."""
        return float(_font(size).getlength(text)) / SCALE

    def text(self, x: float, y: float, text: str, colour: Colour = TEXT, size: float = 11.0, anchor: str = "lm") -> Box:
        """Write a text, and return the box around it.

        Args:
            x: of the point that `anchor` names, and
            y: likewise.
            text: one line.
            colour: of the letters.
            size: of the letters, in pixels.
            anchor: as in Pillow: left, middle or right; ascender, middle or baseline.
        """
        place = (x * SCALE, y * SCALE)
        self._draw.text(place, text, fill=colour, font=_font(size), anchor=anchor)
        left, top, right, bottom = self._draw.textbbox(place, text, font=_font(size), anchor=anchor)
        self.labels.append((left / SCALE, top / SCALE, right / SCALE, bottom / SCALE))
        return self.labels[-1]

    def fitting(self, text: str, width: float, size: float = 11.0) -> str:
        """Return a text, or its beginning that is no wider than `width`."""
        text = text.replace("\n", " ")
        if self.measure(text, size) <= width:
            return text
        short, long = 0, len(text)
        while short < long:
            middle = (short + long + 1) // 2
            short, long = (middle, long) if self.measure(text[:middle] + "…", size) <= width else (short, middle - 1)
        return text[:short].rstrip() + "…" if short else ""

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Fill a rectangle, which is seen however thin it is."""
        x, y = round(left * SCALE), round(top * SCALE)
        self._draw.rectangle((x, y, max(x, round(right * SCALE) - 1), max(y, round(bottom * SCALE) - 1)), fill=colour)

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self._draw.circle((x * SCALE, y * SCALE), radius * SCALE, fill=colour)

    def polyline(self, places: Sequence[tuple[float, float]], colour: Colour, width: float = 1.5) -> None:
        """Draw a line through some places."""
        # Pillow draws a line by its nearest pixels, now thick, now thin: it is drawn twice as large, and made small.
        left, top = (int(min(place[axis] for place in places) - width) for axis in (0, 1))
        right, bottom = (int(max(place[axis] for place in places) + width) + 1 for axis in (0, 1))
        size = ((right - left) * SCALE * FINER, (bottom - top) * SCALE * FINER)
        mask = Image.new("L", size)
        scaled = [((x - left) * SCALE * FINER, (y - top) * SCALE * FINER) for x, y in places]
        ImageDraw.Draw(mask).line(scaled, fill=255, width=round(width * SCALE * FINER), joint="curve")
        self._image.paste(colour, (left * SCALE, top * SCALE), mask.reduce(FINER))

    def png(self) -> bytes:
        """Return the sheet as a PNG of few colours, which is a third of the size."""
        out = BytesIO()
        self._image.quantize(palette=_palette(), dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        return out.getvalue()


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)


@cache
def _palette() -> Image.Image:
    written = dict.fromkeys([TEXT, FAINT, UP, DOWN, *LINES])
    shades = {blend(colour, step / SHADES): None for colour in written for step in range(1, SHADES + 1)}
    tints = {blend(colour, opacity): None for colour in (UP, DOWN, PLANNED) for opacity in (0.25, 0.85)}
    colours = list({BACK: None, EDGE: None, GRID: None, **shades, **tints, **dict.fromkeys(BANDS.values())})
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in colours for part in colour])
    return palette
