"""Which protocol an exchange speaks: one of five, or Binance's with a recording."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, TypeAlias, cast, get_args

from rxws.errors import ConfigError
from rxws.testing._feed import Feed, Frames
from rxws.testing._limits import Limits
from rxws.testing._protocols.binance import Binance
from rxws.testing._protocols.binance_usdm import BinanceUsdm
from rxws.testing._protocols.coinbase_exchange import CoinbaseExchange
from rxws.testing._protocols.deribit import Deribit
from rxws.testing._protocols.generated import Generated, Quirks
from rxws.testing._protocols.okx import Okx
from rxws.testing._protocols.protocol import VenueProtocol
from rxws.testing._protocols.recorded import Recorded

__all__ = ["VenueName", "default_limits", "protocol_of"]

VenueName: TypeAlias = Literal["binance", "binance_usdm", "deribit", "okx", "coinbase_exchange"]
"""A venue whose market is generated."""

_GENERATED: dict[str, type[Generated]] = {
    "binance": Binance,
    "binance_usdm": BinanceUsdm,
    "deribit": Deribit,
    "okx": Okx,
    "coinbase_exchange": CoinbaseExchange,
}


def default_limits(frames: Frames | VenueName) -> Limits:
    """What the venue itself enforces; a recording is played under the figures of Binance spot."""
    return Limits.of(frames) if isinstance(frames, str) and frames in _GENERATED else Limits()


def protocol_of(
    frames: Frames | VenueName,
    *,
    streams: Collection[str] | None,
    candle: float | None,
    symbols: Mapping[str, str] | Sequence[str] | None,
    seed: int,
    levels: int,
    quirks: Quirks,
    checksums: bool,
    limits: Limits,
) -> VenueProtocol:
    """The protocol of a venue.

    Raises:
        ConfigError: an argument is out of its range, or belongs to another kind of market.
    """
    if isinstance(frames, str) and frames in _GENERATED:
        _refuse_of_recordings(streams, symbols)
        if candle is not None and candle < 0.001:
            raise ConfigError("candle", f"{candle} is too short; take 0.001 seconds or more")
        most = 400 if frames == "okx" else 250_000
        if not 4 <= levels <= most:
            raise ConfigError("levels", f"{levels} is out of range; take 4 to {most}")
        if checksums and frames != "okx":
            raise ConfigError("checksums", "only OKX has them; take 'okx', or leave it False")
        names = None if symbols is None else list(symbols)
        venue = _GENERATED[frames]
        own = {"checksums": True} if checksums else {}
        return venue(names, seed, limits, candle=candle, levels=levels, quirks=quirks, **own)
    if quirks or checksums:
        field = "quirks" if quirks else "checksums"
        raise ConfigError(field, f"a recording has none; take one of {list(get_args(VenueName))}")
    if symbols is not None and not isinstance(symbols, Mapping):
        raise ConfigError("symbols", "a recording takes a mapping from recorded symbols to others")
    return Recorded(Feed(cast("Frames", frames), streams, candle, symbols), limits)


def _refuse_of_recordings(streams: Collection[str] | None, symbols: Mapping[str, str] | Sequence[str] | None) -> None:
    if streams is not None:
        raise ConfigError("streams", "a generated market tells whatever is subscribed to; take symbols")
    if isinstance(symbols, str | Mapping):
        raise ConfigError("symbols", f"{symbols!r} is no list of symbols; take one, such as ['BTC-USD']")
