"""A true order book that moves by chance, and cursors that know what has changed since somebody was last told.

Prices are whole ticks and sizes whole steps. On either side the lower key is the better price: a bid's key is its
price with the sign turned round.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from random import Random

__all__ = ["ASKS", "BIDS", "Book", "Change", "Cursor", "Levels"]

BIDS, ASKS = 0, 1

Levels = list[tuple[int, int]]
"""Prices in ticks and sizes in steps, the best first."""

Change = tuple[int, int, int]
"""A price, the size that was told of it last, and the size that it has now; 0: no such level."""


class Side:
    """The bids or the asks."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.sizes: dict[int, int] = {}
        self.keys: list[int] = []

    def put(self, key: int, size: int) -> None:
        """The level at `key` has this size from now on; 0: it is gone."""
        if size == 0:
            if self.sizes.pop(key, None) is not None:
                del self.keys[bisect_left(self.keys, key)]
            return
        if key not in self.sizes:
            insort(self.keys, key)
        self.sizes[key] = size


class Cursor:
    """What one who is told changes does not know yet.

    Args:
        told_id: the update that they know.
    """

    def __init__(self, told_id: int) -> None:
        self.told_id = told_id
        self.first_id = told_id + 1
        self.before: tuple[dict[int, int], dict[int, int]] = ({}, {})
        """By side and key, of what has changed since: the size that was told."""
        self.serial = 0
        """The greater, the later it was told."""


class Book:
    """A book of some `levels` a side, around a price that wanders.

    Args:
        chance: what decides.
        price: where it begins, in ticks.
        gap: how far a level is from the next, in ticks, on average.
        levels: how many levels a side has, about; 4 or more.
        size: the size of a level in steps, on average.
        first_id: the number of the last update before it begins.
        jump: by how much update numbers skip at most; 0: they are consecutive.
        unknown: the share of updates that delete a level which is not there.
    """

    def __init__(
        self,
        chance: Random,
        price: int,
        *,
        gap: float,
        levels: int,
        size: float,
        first_id: int,
        jump: int = 0,
        unknown: float = 0.0,
    ) -> None:
        self._random = chance.random
        self._size = chance.expovariate
        self._rate = 1.0 / size
        self._levels = levels
        # Far enough for all levels, and not below zero.
        self._reach = max(min(2.0 * gap * levels, 0.9 * price), 1.2 * levels)
        self._jump = jump
        self._unknown = unknown
        self._serial = 0
        self.sides = (Side(-1), Side(1))
        self.update_id = first_id
        self.cursors: list[Cursor] = []
        self._peeked: Cursor | None = None
        spread = 1 + int(gap)
        for side, best in (
            (self.sides[BIDS], -max(price, levels + 1)),
            (self.sides[ASKS], max(price, levels + 1) + spread),
        ):
            side.put(best, self._some())
            while len(side.keys) < levels:
                side.put(self._behind(side), self._some())

    def best(self, side: int) -> tuple[int, int]:
        """The best price of a side, and its size."""
        levels = self.sides[side]
        key = levels.keys[0]
        return key * levels.sign, levels.sizes[key]

    def step(self) -> None:
        """One to four levels change, appear or vanish."""
        random = self._random
        for _ in range(1 + int(random() * 4)):
            side = self.sides[random() < 0.5]
            keys, what = side.keys, random()
            if random() < self._unknown:
                self._vanish_unknown(side)
            elif what < 0.45:
                self.put(side, keys[int(len(keys) * random() ** 3)], self._some())
            elif what < 0.74 or len(keys) <= self._levels // 2:
                self.put(side, self._better(side) if random() < 0.5 else self._behind(side), self._some())
            else:
                self.put(side, keys[int(len(keys) * random() ** 2)], 0)
            if len(keys) > 2 * self._levels:
                self.put(side, keys[-1], 0)

    def take(self, side: int, size: int) -> int:
        """Somebody takes up to `size` of the best level of a side; how much it was."""
        levels = self.sides[side]
        key = levels.keys[0]
        there = levels.sizes[key]
        taken = min(size, there)
        if taken == there and len(levels.keys) <= self._levels // 2:
            self.put(levels, self._behind(levels), self._some())
        self.put(levels, key, there - taken)
        if not levels.keys:  # there is no price below a bid of one tick
            self.put(levels, key, self._some())
        return taken

    def put(self, side: Side, key: int, size: int) -> None:
        """Set a level, under the next number, for all cursors to see."""
        self.update_id += 1 + (int(self._random() * self._jump) if self._jump else 0)
        old = side.sizes.get(key, 0)
        at = ASKS if side.sign > 0 else BIDS
        for cursor in self.cursors:
            if not (cursor.before[BIDS] or cursor.before[ASKS]):
                cursor.first_id = self.update_id
            cursor.before[at].setdefault(key, old)
        side.put(key, size)

    def cursor(self) -> Cursor:
        """One more who is told of changes, and knows all until now."""
        cursor = Cursor(self.update_id)
        self._told(cursor)
        self.cursors.append(cursor)
        return cursor

    def release(self, cursor: Cursor) -> None:
        """Nobody is told by this cursor any more."""
        self.cursors.remove(cursor)
        if self.cursors == [self._peeked]:
            self.cursors.clear()

    def peek(self) -> None:
        """A change that nobody was told of yet, and somebody who sees the book right after it."""
        self.step()
        self._forget_peek()
        if self.cursors:
            self._peeked = self.cursor()

    def told(self, cursor: Cursor) -> tuple[list[Change], list[Change]]:
        """What `cursor` is told now: the bids and the asks that have changed, the best first."""
        bids, asks = (self._changes(cursor.before[at], side) for at, side in enumerate(self.sides))
        cursor.before[BIDS].clear()
        cursor.before[ASKS].clear()
        cursor.told_id = self.update_id
        self._told(cursor)
        self._forget_peek()
        return bids, asks

    def levels(self, cursor: Cursor | None = None) -> tuple[Levels, Levels]:
        """The bids and asks that `cursor` knows; None: those that there are."""
        bids, asks = (
            self._known(side, {} if cursor is None else cursor.before[at]) for at, side in enumerate(self.sides)
        )
        return bids, asks

    def top(self, side: int, count: int) -> Levels:
        """The best `count` levels of a side."""
        levels = self.sides[side]
        return [(key * levels.sign, levels.sizes[key]) for key in levels.keys[:count]]

    def newest(self) -> Cursor | None:
        """The cursor that was told last."""
        return max(self.cursors, key=lambda cursor: cursor.serial, default=None)

    def _forget_peek(self) -> None:
        if self._peeked in self.cursors:
            self.cursors.remove(self._peeked)
        self._peeked = None

    def _told(self, cursor: Cursor) -> None:
        self._serial += 1
        cursor.serial = self._serial

    def _changes(self, before: Mapping[int, int], side: Side) -> list[Change]:
        sign, sizes = side.sign, side.sizes
        return [(key * sign, before[key], sizes.get(key, 0)) for key in sorted(before)]

    def _known(self, side: Side, before: Mapping[int, int]) -> Levels:
        known = {**side.sizes, **before}
        return [(key * side.sign, known[key]) for key in sorted(known) if known[key]]

    def _some(self) -> int:
        return 1 + int(self._size(self._rate))

    def _better(self, side: Side) -> int:
        """A price between the two best, or the best one of the side where there is none."""
        best = side.keys[0]
        spread = self.sides[BIDS].keys[0] + self.sides[ASKS].keys[0]
        return best - 1 - int(self._random() * (spread - 1)) if spread > 1 else best

    def _behind(self, side: Side) -> int:
        """A price worse than the best, seldom far away; a bid is never below one tick."""
        key = side.keys[0] + 1 + int(self._random() ** 2 * self._reach)
        return key if side.sign > 0 else min(key, -1)

    def _vanish_unknown(self, side: Side) -> None:
        key = side.keys[-1] + 1 + int(self._random() * self._reach)
        if side.sign > 0 or key < 0:
            self.put(side, key, 0)
        else:  # there is nothing below a bid of one tick
            self.put(side, side.keys[0], self._some())
