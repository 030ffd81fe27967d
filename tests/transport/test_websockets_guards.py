"""What must not change unseen: the hook of websockets that messages come through, and what gets into logs."""

from __future__ import annotations

import logging.config
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from rxws.transport import websockets
from tests.transport.raw_server import (
    CONT,
    PING,
    PONG,
    TEXT,
    RawServer,
    close,
    frame,
)
from tests.transport.receiving import Dials


@pytest.mark.parametrize("transport", ["websockets"])
async def test_websockets_still_calls_the_hook_that_messages_come_through(
    server: RawServer, dial: Dials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`process_event` gets the response and every frame, from inside `data_received`; it is no public method."""
    events: list[tuple[str, bool]] = []

    class Watched(websockets.PushConnection):
        reading = False

        def data_received(self, data: bytes) -> None:
            self.reading = True
            super().data_received(data)
            self.reading = False

        def process_event(self, event: Any) -> None:
            events.append((type(event).__name__, self.reading))
            super().process_event(event)

        def _pushing(self) -> Callable[[Any], None]:
            push = super()._pushing()

            def watched(event: Any) -> None:
                events.append((type(event).__name__, self.reading))
                push(event)

            return watched

    monkeypatch.setattr(websockets, "PushConnection", Watched)
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()
    peer.write(frame(TEXT, b"1", fin=False), frame(PING), frame(CONT, b"2"), frame(PONG), close(1000))
    peer.fin()
    await client.until("gone")

    hint = f"websockets {version('websockets')} hands frames on in another way: see rxws/transport/websockets.py"
    assert events == [("Response", True), *[("Frame", True)] * 5], hint


@pytest.mark.parametrize("configured", [False, True])
async def test_no_secret_is_in_a_log_record(
    server: RawServer, dial: Dials, caplog: pytest.LogCaptureFixture, configured: bool
) -> None:
    """Not with the root logger at DEBUG, nor where `logging.config` set "rxws" to DEBUG after the first import."""
    if configured:
        logging.getLogger("rxws.wire").setLevel(logging.INFO)
        settings = {"version": 1, "disable_existing_loggers": False, "loggers": {"rxws": {"level": "DEBUG"}}}
        logging.config.dictConfig(settings)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("rxws.test").debug("records are taken")

    client = dial(f"{server.url}/SECRET?token=SECRET", headers={"X-Key": "SECRET"}, origin="https://SECRET")
    peer = await (await server.accepted()).upgrade(frame(TEXT, b"SECRET"), headers="Set-Cookie: SECRET\r\n")
    client = await client.until("SECRET")
    client.socket.send(b"SECRET", True)
    peer.write(close(1000, b"SECRET"))
    peer.fin()
    await client.until("gone")

    logging.getLogger("rxws").setLevel(logging.NOTSET)
    assert "records are taken" in caplog.text
    assert peer.request.count("SECRET") == 4
    assert "SECRET" not in caplog.text
