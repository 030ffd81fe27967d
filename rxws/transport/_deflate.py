"""permessage-deflate (RFC 7692) as websockets has it, but for a stream of the server's that says it is over."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.exceptions import ProtocolError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.typing import ExtensionParameter

__all__ = ["Deflate", "DeflateFactory"]


class Deflate(PerMessageDeflate):
    """Refuses what follows on the last block of a deflate stream, where the stream is to go on."""

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Decompress one frame.

        Raises:
            ProtocolError: it goes on with a stream whose last block (BFINAL, RFC 1951, section 3.2.3) has come. zlib
                would make nothing of it, message after message, and keep every byte.
        """
        if frame.opcode is Opcode.CONT:
            goes_on = self.decode_cont_data
        else:
            goes_on = frame.rsv1 and not self.remote_no_context_takeover
        if goes_on and self.decoder.eof:
            raise ProtocolError("compressed data follows on the last block of its stream")
        return super().decode(frame, max_size=max_size)


class DeflateFactory(ClientPerMessageDeflateFactory):
    """Offers it as websockets does by default."""

    def __init__(self) -> None:
        super().__init__(compress_settings={"memLevel": 5})

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> Deflate:
        """Return what was agreed on."""
        agreed = super().process_response_params(params, accepted_extensions)
        return Deflate(
            agreed.remote_no_context_takeover,
            agreed.local_no_context_takeover,
            agreed.remote_max_window_bits,
            agreed.local_max_window_bits,
            agreed.compress_settings,
        )
