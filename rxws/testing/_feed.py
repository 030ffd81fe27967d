"""A recorded market made endless and live: in its order, at the present time, its ids going on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from rxws.errors import ConfigError
from rxws.testing._candles import Candles, Data

__all__ = ["Feed", "Frames", "Venue"]

Venue: TypeAlias = Literal["spot", "usdm"]
"""A recording that comes with rxws: Binance spot, or its USD-M futures."""

# Any: the values of recorded JSON may be anything.
Frames: TypeAlias = Venue | Iterable[Mapping[str, Any]]
"""A recording that comes with rxws, or combined frames `{"stream": …, "data": {…}}` of your own."""

_IDS = {
    "aggTrade": {"a": "aggregate", "f": "trade", "l": "trade"},
    "trade": {"t": "trade"},
    "bookTicker": {"u": "update"},
    "kline": {"f": "trade", "L": "trade"},
}
"""Which fields of which kind of stream count something up, and what."""


class Feed:
    """The market: asked for the next message, it says what happens next, for ever.

    Args:
        frames: the recording.
        streams: which of its streams are played; None: all.
        candle: how long a candle lasts in seconds, whatever its interval is called; None: as it is
            called.
        symbols: recorded symbols to the ones that they are played as; None: as they were.

    Raises:
        ConfigError: a recording, a symbol, stream or length that cannot be played.
    """

    def __init__(
        self,
        frames: Frames = "spot",
        streams: Collection[str] | None = None,
        candle: float | None = None,
        symbols: Mapping[str, str] | None = None,
    ) -> None:
        if candle is not None and candle < 0.001:
            raise ConfigError("candle", f"{candle} is too short; take 0.001 seconds or more")
        recording = _renamed(_recording(frames), symbols or {})
        known = dict.fromkeys(stream for stream, _ in recording)
        if unknown := sorted(set(known if streams is None else streams) - set(known)):
            raise ConfigError("streams", f"{unknown} are not recorded; take some of {list(known)}")
        wanted = known if streams is None else streams
        self._frames = [(stream, data) for stream, data in recording if stream in wanted]
        self.streams = tuple(stream for stream in known if stream in wanted)
        if not self._frames:
            raise ConfigError("streams", f"nothing would be played; take some of {list(known)}")
        self._spans = _spans(self._frames)
        self._candles = Candles(None if candle is None else round(candle * 1000))
        self._positions: dict[frozenset[str], Sequence[int]] = {}
        self._at = self._now_ms = 0
        self._last: dict[str, int] = {}
        self._loops: dict[str, int] = dict.fromkeys(self.streams, 0)
        self._traded_ms: dict[str, int] = {}

    def next(self, now_ms: int, among: Collection[str] = ()) -> tuple[str, Data]:
        """The stream and the data of the next message, told at `now_ms`; of `among`, if any."""
        self._now_ms = now_ms = max(now_ms, self._now_ms)
        chosen = frozenset(among).intersection(self.streams) or frozenset(self.streams)
        if closed := self._candles.ended(now_ms, chosen):
            return closed
        at = self._forward(chosen)
        stream, data = self._frames[at]
        self._loops[stream] += at <= self._last.get(stream, -1)
        self._last[stream] = at
        if "k" in data:
            offset = self._offset(stream, data["s"], "trade")
            return stream, self._candles.update(stream, data["k"], offset, now_ms)
        return stream, self._live(stream, data, now_ms)

    def _forward(self, chosen: frozenset[str]) -> int:
        """Go on to the next frame of the `chosen` streams, and from their last to their first."""
        positions = self._positions.get(chosen)
        if positions is None:
            found = [at for at, (stream, _) in enumerate(self._frames) if stream in chosen]
            # What a test asks for is few; what a program asks for over weeks must not pile up.
            self._positions = {chosen: found}
            positions = found
        index = bisect_left(positions, self._at)
        if index == len(positions):
            index = 0
        self._at = positions[index] + 1
        return positions[index]

    def _live(self, stream: str, data: Data, now_ms: int) -> Data:
        """Recorded `data` as if it happened now: as long between trade and event as it was then."""
        live = dict(data)
        then_ms = data.get("E", data.get("T"))
        if "E" in data:
            live["E"] = now_ms
        if "T" in data:
            traded_ms = now_ms - (then_ms - data["T"])
            live["T"] = self._traded_ms[stream] = max(traded_ms, self._traded_ms.get(stream, 0))
        for key, kind in _ids(stream).items():
            if key in live:
                live[key] += self._offset(stream, data["s"], kind)
        return live

    def _offset(self, stream: str, symbol: str, kind: str) -> int:
        return self._loops[stream] * self._spans.get((symbol, kind), (0, 0))[1]


def _ids(stream: str) -> Mapping[str, str]:
    return _IDS.get(stream.partition("@")[2].partition("_")[0], {})


def _spans(frames: Sequence[tuple[str, Data]]) -> dict[tuple[str, str], tuple[int, int]]:
    """By symbol and kind of id: the lowest, and how many are from it to the highest."""
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    for stream, data in frames:
        source = data.get("k", data)
        for key, kind in _ids(stream).items():
            number = source.get(key, -1)
            if number < 0:  # a candle without a trade says -1
                continue
            low, count = spans.get((data["s"], kind), (number, 1))
            lowest = min(low, number)
            spans[data["s"], kind] = lowest, max(low + count - 1, number) - lowest + 1
    return spans


def _recording(frames: Frames) -> list[tuple[str, Data]]:
    if isinstance(frames, str):
        if frames not in get_args(Venue):
            raise ConfigError("frames", f"{frames!r} is unknown; take one of {get_args(Venue)}, or a venue")
        name = f"binance_{frames}.jsonl"
        text = resources.files("rxws.testing").joinpath("frames", name).read_bytes()
        frames = [msgspec.json.decode(line) for line in text.splitlines()]
    recording = []
    for frame in frames:
        match frame:
            case {"stream": str(stream), "data": dict(data)}:
                recording.append((stream, data))
            case _:
                told = f'{str(frame)[:80]} is not {{"stream": …, "data": {{…}}}}'
                raise ConfigError("frames", f"{told}; take combined frames")
    return recording


def _renamed(recording: list[tuple[str, Data]], symbols: Mapping[str, str]) -> list[tuple[str, Data]]:
    renamed = {before.lower(): after.lower() for before, after in symbols.items()}
    known = dict.fromkeys(stream.partition("@")[0] for stream, _ in recording)
    if unknown := sorted(set(renamed) - set(known)):
        raise ConfigError("symbols", f"{unknown} are not recorded; take some of {list(known)}")
    return [_played_as(renamed, *frame) for frame in recording] if renamed else recording


def _played_as(renamed: Mapping[str, str], stream: str, data: Data) -> tuple[str, Data]:
    symbol, at, kind = stream.partition("@")
    if symbol not in renamed:
        return stream, data
    name = renamed[symbol].upper()
    changed = {
        key: {**value, "s": name} if key == "k" else name if key == "s" else value for key, value in data.items()
    }
    return f"{renamed[symbol]}{at}{kind}", changed
