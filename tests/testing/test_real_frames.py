"""The frames of the simulated venues beside real ones: the same keys, values of the same kinds, but for what is newer.

The real ones are in the folder real_frames, with their licence. They are of 2021 and 2022; what has come or gone since
is named here, as the venues' documents of 2026 have it.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from rxws.testing.exchange import Limits, SimulatedExchange

REAL = [json.loads(line) for line in (Path(__file__).parent / "real_frames" / "frames.jsonl").read_text().splitlines()]

BINANCE = {"depth": "depth@100ms", "bookTicker": "bookTicker", "aggTrade": "aggTrade", "kline_1m": "kline_1m"}
DERIBIT = {"ticker": "ticker.BTC-PERPETUAL.100ms", "snapshot": "book.BTC-PERPETUAL.100ms"}
DERIBIT["change"] = DERIBIT["snapshot"]
OKX = {"tickers": "tickers", "trades": "trades", "snapshot": "books", "update": "books", "subscribe": "tickers"}
COINBASE = {"l2update": "level2", "snapshot": "level2", "match": "matches", "last_match": "matches", "ticker": "ticker"}
COINBASE["subscriptions"] = "level2"

# What the real frames did not have yet, and what options have and perpetuals have not.
NEWER = {
    ("binance_usdm", "depth"): {"ps", "st"},
    ("deribit", "ticker"): {"funding_8h", "current_funding"},
    ("okx", "snapshot"): {"seqId", "prevSeqId"},
    ("okx", "update"): {"seqId", "prevSeqId"},
    ("okx", "trades"): {"count", "source", "seqId"},
    ("okx", "subscribe"): {"connId"},
    ("coinbase_exchange", "snapshot"): {"time"},
    ("coinbase_exchange", "ticker"): {"best_bid_size", "best_ask_size"},
}
GONE = {
    ("deribit", "ticker"): {
        *("underlying_price", "underlying_index", "price_change", "mark_iv", "interest_rate", "greeks"),
        *("vega", "theta", "rho", "gamma", "delta", "estimated_delivery_price", "bid_iv", "ask_iv"),
    }
}


def request(venue: str, kind: str) -> tuple[str, str]:
    """Return where to connect, and what to send so that such a frame comes."""
    if venue.startswith("binance"):
        stream = f"btcusdt@{BINANCE[kind]}"
        market = "/market" if kind in ("aggTrade", "kline_1m") and venue == "binance_usdm" else ""
        return f"{market}/stream", json.dumps({"method": "SUBSCRIBE", "params": [stream], "id": 1})
    if venue == "deribit":
        params = {"channels": [DERIBIT[kind]]}
        return "/ws/api/v2", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": params})
    if venue == "okx":
        arg = {"channel": OKX[kind], "instId": "BTC-USDT"}
        return "/ws/v5/public", json.dumps({"op": "subscribe", "args": [arg]})
    return "/", json.dumps({"type": "subscribe", "product_ids": ["BTC-USD"], "channels": [COINBASE[kind]]})


def is_of(kind: str, frame: Any) -> bool:
    """Whether a frame is of this kind."""
    data = frame.get("params", {}).get("data", {})
    words = [frame.get("stream", "@").partition("@")[2], frame.get("type"), frame.get("event"), frame.get("action")]
    words += [data.get("type") if isinstance(data, dict) else None]
    if "arg" in frame and "data" in frame and "action" not in frame:
        words.append(frame["arg"]["channel"])
    if "params" in frame:
        words.append(frame["params"]["channel"].partition(".")[0])
    return BINANCE.get(kind, kind) in words


def kinds(value: Any, path: str = "") -> dict[str, str]:
    """Return the kind of each value by its path; of lists, of all their elements together."""
    if isinstance(value, dict):
        return {where: kind for key, inner in value.items() for where, kind in kinds(inner, f"{path}.{key}").items()}
    if isinstance(value, list):
        positions = all(not isinstance(inner, dict | list) for inner in value)
        return {
            where: kind
            for at, inner in enumerate(value)
            for where, kind in kinds(inner, f"{path}[{at if positions else ''}]").items()
        }
    return {path: "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__}


def without(found: dict[str, str], keys: set[str]) -> dict[str, str]:
    """Return what is left when these keys are not looked at."""
    return {path: kind for path, kind in found.items() if not keys & set(path.replace("[", ".[").split("."))}


async def simulated(venue: str, kind: str) -> dict[str, str]:
    """Return the kinds of a simulated frame's values, gathered from several frames, as a side may be empty."""
    path, text = request(venue, kind)
    found: dict[str, str] = {}
    market = SimulatedExchange(venue, rate=None, limits=Limits.off())
    async with asyncio.timeout(10), market as exchange, connect(exchange.url + path) as client:
        await client.send(text)
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(20)
        exchange.say('{"type":"end"}')
        while (frame := json.loads(await client.recv())) != {"type": "end"}:
            if is_of(kind, frame):
                found |= kinds(frame)
    return found


@pytest.mark.parametrize("real", REAL, ids=lambda real: f"{real['venue']}-{real['kind']}")
async def test_a_frame_is_like_a_real_one(real: dict[str, Any]) -> None:
    """No key is missing, none is there that the venue does not have, and each value is of the same kind."""
    which = (real["venue"], real["kind"])
    made = await simulated(*which)

    assert made, "there was no such frame"
    expected, found = without(kinds(real["frame"]), GONE.get(which, set())), without(made, NEWER.get(which, set()))
    assert {**found, **expected} == {**expected, **found}, "a value is of another kind"
    missing = expected.keys() - found.keys()
    more = found.keys() - expected.keys()
    # A real frame may have an empty side, or fewer elements in a list that has no fixed length.
    assert {path for path in missing | more if "[" not in path} == set()
    assert {path.partition("[")[0] for path in missing} <= {path.partition("[")[0] for path in found}


def test_the_comparison_sees_a_difference() -> None:
    """A string for a number, a key more, and a key less are all seen."""
    assert kinds({"a": [["1", 2]], "b": True}) == {".a[][0]": "str", ".a[][1]": "number", ".b": "bool"}
    assert kinds({"a": "1"}) != kinds({"a": 1})
    assert without({".a.b": "str", ".c[].d": "str"}, {"b"}) == {".c[].d": "str"}
