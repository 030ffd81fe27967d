"""Which clients are run, with what, and in which environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HERE, KSTLIB = "rxws", "kstlib"
"""The environments: rxws and what lives beside it, and kstlib, which wants an older websockets."""
FLOOR = "floor"
BURST = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """A client of a feed.

    Args:
        key: names it in `figures.py`.
        label: says it to people.
        module: its program in `clients/`.
        arguments: what follows the number of klines in its command.
        topics: how many symbols the feed goes round.
        messages: how many klines it gets; None: as many as all.
        share: takes that part of them, where each costs much.
        lossy: it need not receive all, and is run once.
        environment: where it is installed.
    """

    key: str
    label: str
    module: str
    arguments: Sequence[str] = ()
    topics: int = 1
    messages: int | None = None
    share: float = 1.0
    lossy: bool = False
    environment: str = HERE

    def sent(self, messages: int) -> int:
        """Return how many klines it gets, where the others get `messages`."""
        return self.messages or round(messages * self.share)


CLIENTS = (
    Row(FLOOR, "the floor: a picows callback and typed msgspec by hand, no lifecycle at all", "floor"),
    Row("websockets-json", "websockets + json by hand", "websockets_json"),
    Row("websockets-typed", "websockets + typed msgspec by hand", "websockets_typed"),
    Row("aiohttp-json", "aiohttp + json by hand", "aiohttp_json"),
    Row("subject", "reactivex `Subject` fed by a task, json", "subject"),
    Row(KSTLIB, "kstlib", "kstlib_json", messages=BURST, lossy=True, environment=KSTLIB),
    Row("dccd", "dccd", "dccd_json"),
    Row("rxws-json", "**rxws** as it comes: JSON", "rxws_json"),
    Row("rxws-typed", "**rxws**, `decode=Kline`", "rxws_typed", ["websockets"]),
    Row("picows-typed", '**rxws**, `transport="picows"`, `decode=Kline`', "rxws_typed", ["picows"]),
    Row("picows-batch", "**rxws**, the same with `batch=True`", "rxws_batch", ["picows"]),
    Row(
        "picows-keep",
        "**rxws**, the same with `keep` on the bytes, a message received",
        "rxws_batch",
        ["picows", "keep"],
    ),
    Row(
        "picows-keep-singly",
        "**rxws**, `keep` on the bytes without `batch`, a message received",
        "rxws_keep",
        ["picows"],
    ),
)
DELIVERED = Row("burst", "rxws, a burst", "rxws_json", messages=BURST, lossy=True)


def counted(topics: int) -> str:
    """Return how many topics there are, in words."""
    return "1 topic" if topics == 1 else f"{topics:,} topics"


def routed(topics: int) -> Row:
    """Return the row of so many topics by `route`."""
    return Row(f"route-{topics}", f"`route`, {counted(topics)}", "routed", [str(topics)], topics)


def filtered(topics: int, share: float) -> Row:
    """Return the row of so many topics by `share` and `filter`."""
    label = f"`share` and a `filter` each, {counted(topics)}"
    return Row(f"filter-{topics}", label, "filtered", [str(topics)], topics, share=share)


ROUTED = tuple(map(routed, (1, 100, 10_000)))
FILTERED = (filtered(1, 1.0), filtered(10, 0.5), filtered(100, 0.1))
TOPICS = (*ROUTED, *FILTERED)


@dataclass(frozen=True, slots=True)
class Watched:
    """A client of many quiet sockets, and of stamped klines."""

    label: str
    module: str
    arguments: Sequence[str] = ()


WATCHED = (
    Watched("websockets' own loop, json", "watched_websockets"),
    Watched("**rxws** as it comes", "watched_rxws", ["websockets"]),
    Watched('**rxws**, `transport="picows"`', "watched_rxws", ["picows"]),
)
SOCKETS = 1_000
RATES = (1_000, 20_000)
"""Klines a second, for the latency."""
LATENCY_SECONDS = 10
