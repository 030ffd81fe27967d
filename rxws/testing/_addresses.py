"""Where a simulated exchange is."""

from __future__ import annotations

from rxws.errors import ConfigError
from rxws.testing._listener import Listener
from rxws.testing._venue import Venue

__all__ = ["Addresses"]


class Addresses:
    """Its port and its URLs."""

    _venue: Venue
    _listener: Listener

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._listener.port == 0:
            raise RuntimeError("the exchange has no port yet; start it, or write `async with`")
        return self._listener.port

    @property
    def url(self) -> str:
        """Where it is, without a path: `ws://127.0.0.1:40123`."""
        host = self._listener.host
        return f"ws://[{host}]:{self.port}" if ":" in host else f"ws://{host}:{self.port}"

    def endpoint(self, name: str | None = None) -> str:
        """The URL that a client of this venue dials.

        Args:
            name: where the venue has several: "public" or "business" of OKX, "public" or "market" of
                Binance's USD-M futures; None: the first.

        Raises:
            ConfigError: the venue has no such endpoint.
        """
        paths = self._venue.protocol.endpoints
        path = next(iter(paths.values())) if name is None else paths.get(name)
        if path is None:
            raise ConfigError("name", f"{name!r} is unknown; take one of {[key for key in paths if key]}, or None")
        return f"{self.url}{path}"

    def combined_url(self, *streams: str) -> str:
        """The URL that gets these streams of Binance over one connection, wrapped; none given: all."""
        return f"{self.url}/stream?streams={'/'.join(streams or self._venue.protocol.streams)}"
