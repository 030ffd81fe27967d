"""The recorded messages of order books; it needs nothing but Python, for another environment reads it too."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from zlib import crc32

FOLDER = Path(__file__).parents[2] / "tests" / "exchanges" / "recordings"
BOOKS = {"okx": '"books"', "binance_usdm": "@depth", "deribit": '"book.', "coinbase_exchange": '"l2update"'}
"""What stands in the messages of a book, by recording."""
SNAPSHOT = '"type":"snapshot"'

Ends = dict[str, list[int]]
"""By symbol, how many bids and asks its book has at the end, and a number of all their prices and sizes."""


def ending(bids: Mapping[Decimal, Decimal], asks: Mapping[Decimal, Decimal]) -> list[int]:
    """Return what two books have in common only where they are the same."""
    sides = [sorted((price.normalize(), size.normalize()) for price, size in side.items()) for side in (bids, asks)]
    return [len(bids), len(asks), crc32(str(sides).encode())]


def book_frames(name: str) -> list[str]:
    """Return the messages of books in a recording, in their order."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    frames = [each["frame"] for each in told if each["from"] == "server" and "frame" in each]
    return [frame for frame in frames if _is_book(name, frame)]


def _is_book(name: str, frame: str) -> bool:
    if name == "coinbase_exchange" and SNAPSHOT in frame:
        return True
    return BOOKS[name] in frame and '"event"' not in frame and '"result"' not in frame
