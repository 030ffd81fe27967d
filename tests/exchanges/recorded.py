"""What the recordings hold: real traffic of each venue, in its order."""

from __future__ import annotations

import gzip
import importlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from rxws.market import MarketEvent
from rxws.venue import Venue

FOLDER = Path(__file__).parent / "recordings"
VENUES = {
    "binance_spot": "binance",
    "binance_usdm": "binance_usdm",
    "deribit": "deribit",
    "coinbase_exchange": "coinbase_exchange",
    "okx": "okx",
}
"""The recordings, and the modules that read them."""


@dataclass(frozen=True)
class Recording:
    """Where a client connected, what it sent, and what the server did."""

    venue: Venue
    url: str
    sent: tuple[str, ...]
    received: tuple[str, ...]

    @property
    def events(self) -> list[MarketEvent]:
        return [event for frame in self.received for event in self.venue.decode(frame)]


@cache
def recording(name: str) -> Recording:
    """Read a recording."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        first, *rest = map(json.loads, lines)
    by: dict[str, list[str]] = {"client": [], "server": []}
    for line in rest:
        by[line["from"]].append(line["frame"])
    venue = cast(Venue, importlib.import_module(f"rxws.exchanges.{VENUES[name]}"))
    return Recording(venue, first["connect"], tuple(by["client"]), tuple(by["server"]))
