"""What the end of an open connection of websockets means."""

from __future__ import annotations

from websockets.client import ClientProtocol
from websockets.exceptions import PayloadTooBig

from rxws.errors import ConnectionClosed, Disconnected, MessageTooBig, ProtocolError
from rxws.redaction import masked_text
from rxws.transport._secrets import Secrets
from rxws.transport.protocol import Dial

__all__ = ["address", "loss"]


def address(protocol: ClientProtocol) -> str:
    """Return where a connection leads to: the dial's URL, or what a redirect said."""
    return f"ws://{protocol.uri.host}{protocol.uri.resource_name}"


def loss(protocol: ClientProtocol, dial: Dial, broken: BaseException | None) -> Disconnected:
    """Say how a connection was lost, raised from what broke it.

    Args:
        protocol: as the end left it.
        dial: what was asked for; the server's words are told without its secrets.
        broken: what the system said of the socket, where it said something.
    """
    cause: BaseException | None = protocol.parser_exc
    error: Disconnected
    if isinstance(cause, PayloadTooBig):
        error = MessageTooBig(protocol.max_message_size)
    elif protocol.close_rcvd is not None and (cause is None or isinstance(cause, EOFError)):
        reason = Secrets(dial, [address(protocol)]).masked(protocol.close_rcvd.reason.encode())
        return ConnectionClosed(protocol.close_rcvd.code, masked_text(reason.decode()))
    elif cause is None or isinstance(cause, EOFError):
        error = ConnectionClosed(1006)
        cause = broken or cause
    else:
        sent = protocol.close_sent
        error = ProtocolError(str(cause), sent.code if sent else 1002)
        Secrets(dial).cleanse(cause)
    error.__cause__ = cause
    return error
