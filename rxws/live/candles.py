"""The candles of a chart: the newest, by their opening, each as it was last told."""

from __future__ import annotations

from rxws.live.bars import Bar

__all__ = ["Candles"]


class Candles:
    """So many candles, the newest.

    Args:
        bound: how many.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.late = 0
        """How many were older than the oldest of them."""
        self._bars: dict[int, Bar] = {}
        self._changed: set[int] = set()

    def __len__(self) -> int:
        return len(self._bars)

    def take(self, bar: Bar) -> None:
        """Put in a candle, or what has become of it."""
        bars, at = self._bars, bar.open_ns
        if at not in bars and bars:
            newest = next(reversed(bars))
            if at < newest:
                self._insert(bar)
                return
            if len(bars) == self.bound:
                oldest = next(iter(bars))
                del bars[oldest]
                self._changed.discard(oldest)
        bars[at] = bar
        self._changed.add(at)

    def bars(self) -> list[Bar]:
        """All of them, the oldest first."""
        return list(self._bars.values())

    def newest(self) -> Bar | None:
        """The newest; None: there is none yet."""
        return self._bars[next(reversed(self._bars))] if self._bars else None

    def span(self) -> tuple[float, float] | None:
        """The lowest and the highest price; None: there is none yet."""
        if not self._bars:
            return None
        return min(bar.low for bar in self._bars.values()), max(bar.high for bar in self._bars.values())

    def changed(self) -> list[Bar]:
        """Those that have changed since this was last called, the oldest first."""
        changed = [self._bars[at] for at in sorted(self._changed)]
        self._changed.clear()
        return changed

    def _insert(self, bar: Bar) -> None:
        if len(self._bars) == self.bound:
            oldest = next(iter(self._bars))
            if bar.open_ns < oldest:
                self.late += 1
                return
            del self._bars[oldest]
            self._changed.discard(oldest)
        self._bars[bar.open_ns] = bar
        self._bars = dict(sorted(self._bars.items()))
        self._changed.add(bar.open_ns)
