"""A stream of rxws as a careful user would have it: counted, and watched for silence."""

from __future__ import annotations

from typing import Any

from reactivex import Observable

from rxws import Stats, ws_observable


def stream(url: str, stats: Stats | None = None, **settings: Any) -> Observable[Any]:
    """Return it; `stats` is what it counts into."""
    return ws_observable(url, stats=stats or Stats(), idle_timeout=30, **settings)
