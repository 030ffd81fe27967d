"""The only code that touches a socket."""

from __future__ import annotations

from rxws.errors import ConfigError
from rxws.transport.options import TransportOptions
from rxws.transport.protocol import Dial, Receiver, Socket, Transport
from rxws.transport.scripted import Attempt, Dialed, ScriptedTransport

__all__ = [
    "Attempt",
    "Dial",
    "Dialed",
    "Receiver",
    "ScriptedTransport",
    "Socket",
    "Transport",
    "TransportOptions",
    "transport_named",
]


def transport_named(transport: str | Transport) -> Transport:
    """Return the transport of this name, or the object itself.

    Raises:
        ConfigError: there is none of this name, or the object is no transport.
    """
    if transport == "websockets":
        from rxws.transport.websockets import WebsocketsTransport

        return WebsocketsTransport()
    if transport == "picows":
        try:
            from rxws.transport.picows import PicowsTransport
        except ImportError as error:
            right = "pip install 'rxws[fast]', or take \"websockets\""
            raise ConfigError("transport", f'"picows" needs {error.name or "another picows"}; {right}') from error

        return PicowsTransport()
    if isinstance(transport, str) or not callable(getattr(transport, "open", None)):
        raise ConfigError(
            "transport",
            f'{transport!r} is unknown; take "websockets", "picows" or an object with the protocol Transport',
        )
    return transport
