"""docs/migrating.md and docs/client.md name what there is: all that the old systems had, and nothing that we lack."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import rxws
from rxws import Stats, WebSocketClient
from rxws.connections import ConnectOptions, FreshConnection
from rxws.events import ConnectionState, DisconnectReason
from rxws.options import ClientOptions, StreamOptions
from rxws.running import Iteration
from rxws.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "migrating.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+?) \| (.+?) \|(.*)\|$", re.MULTILINE)
NAME = re.compile(r"`(\w+(?:\.\w+)*)(?:\((\w+)=\))?`")

# What has its attributes only as an instance is one here.
ROOTS: dict[str, Any] = {
    **{name: getattr(rxws, name) for name in rxws.__all__},
    **{name: importlib.import_module(f"rxws.{name}") for name in ("errors", "events", "operators", "redaction")},
    **{name: importlib.import_module(f"rxws.{name}") for name in ("types", "unsent", "windows")},
    "ConnectionState": ConnectionState,
    "DisconnectReason": DisconnectReason,
    "Iteration": Iteration,
    "Stats": Stats(),
    "Settings": Settings(),
    "WebSocketClient": WebSocketClient("ws://127.0.0.1:9/"),
}
FRESH = {*dir(FreshConnection), "error"}
KEYWORDS = {
    "WebSocketClient": {"url", "decode", "lifecycle", *ClientOptions.__annotations__},
    "ws_observable": {"url", "decode", "lifecycle", *StreamOptions.__annotations__},
    "connections": {*inspect.signature(rxws.connections).parameters, *ConnectOptions.__annotations__},
}

KSTLIB = """
should_disconnect should_reconnect on_connect on_disconnect on_disconnect_alert on_message on_alert ping_interval
ping_timeout connection_timeout reconnect_strategy reconnect_delay max_reconnect_delay max_reconnect_attempts
auto_reconnect stable_connection_time server_unavailable_delay disconnect_check_interval reconnect_check_interval
disconnect_margin disconnect_alert_interval queue_size config subscriptions reconnect_delay_max connect_timeout
connect close force_close shutdown kill disconnect request_disconnect schedule_reconnect wait_for_reconnect_window send
receive stream subscribe unsubscribe wait_connected wait_disconnected url state stats is_connected connection_duration
is_shutdown is_dead is_recoverable DISCONNECTED CONNECTING CONNECTED RECONNECTING CLOSING CLOSED can_connect can_send
is_terminal USER_REQUESTED SCHEDULED CALLBACK_TRIGGERED CONNECTION_LIMIT SERVER_CLOSED NETWORK_ERROR PING_TIMEOUT
PROTOCOL_ERROR KILLED is_proactive is_reactive IMMEDIATE FIXED_DELAY EXPONENTIAL_BACKOFF CALLBACK_CONTROLLED
WebSocketStats connects disconnects proactive_disconnects reactive_disconnects messages_received messages_sent
bytes_received bytes_sent last_connect_time last_disconnect_time last_message_time uptime connection_time record_connect
record_disconnect record_message_received record_message_sent reset WebSocketManager WebSocketError
WebSocketConnectionError WebSocketClosedError WebSocketTimeoutError WebSocketReconnectError WebSocketProtocolError
WebSocketQueueFullError mask_url redact_sensitive websocket.ping.interval websocket.ping.timeout
websocket.connection.timeout websocket.reconnect.delay websocket.reconnect.max_delay websocket.reconnect.max_attempts
websocket.reconnect.stable_connection_time websocket.reconnect.server_unavailable_delay websocket.queue.size
websocket.proactive.disconnect_check_interval websocket.proactive.reconnect_check_interval
websocket.proactive.disconnect_margin websocket.alert.disconnect_interval websocket.presets.trading
websocket.presets.monitoring
"""
DCCD = "WebSocketBase stop on_connect parse_message stream stream_raw close_timeout"
AWSI = """
_create_ws _when2create_new_ws _parse_raw_data stream_filter stream.close present_ws send exit add_handler
wait_enter_handing_ws exchanging_ws handing_ws previous_ws
"""
ARTICLE = "websocket_generator retry_seconds websocket.open break"


def section(title: str) -> str:
    """One system's part of the page."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[tuple[str, str, str]]:
    """The rows of its tables, without their heads."""
    found = [(row[1], row[2], row[3]) for row in ROW.finditer(text)]
    return [row for row in found if row[1] not in ("rxws", "---")]


def exists(name: str, keyword: str | None) -> bool:
    """Tell whether a name of ours is there, and takes the keyword."""
    root, *path = name.split(".")
    if root == "FreshConnection":
        return keyword is None and path[0] in FRESH
    if root not in ROOTS:
        return False
    thing = ROOTS[root]
    for step in path:
        if not hasattr(thing, step):
            return False
        thing = getattr(thing, step)
    if keyword is None:
        return True
    if name in KEYWORDS:
        return keyword in KEYWORDS[name]
    if dataclasses.is_dataclass(thing):
        return keyword in {field.name for field in dataclasses.fields(thing)}
    parameters = inspect.signature(thing).parameters
    return keyword in parameters or (name == "Settings.load" and keyword in {"preset"})


def test_every_name_of_ours_exists() -> None:
    """Each row names at least one thing that rxws has, and none that it has not."""
    named = {(theirs, ours): NAME.findall(ours) for theirs, ours, _ in rows(PAGE)}
    assert len(named) > 140
    assert [row for row, names in named.items() if not names] == []
    assert [name for names in named.values() for name in names if not exists(name[0], name[1] or None)] == []


def test_names_in_the_remarks_exist_too() -> None:
    """Where a remark names something as `Class.name` or `Class(keyword=)`."""
    named = [found for _, _, remark in rows(PAGE) for found in NAME.findall(remark)]
    ours = [(name, keyword) for name, keyword in named if name.split(".")[0] in {*ROOTS, "FreshConnection"}]
    assert len(ours) > 20
    assert [name for name, keyword in ours if not exists(name, keyword or None)] == []


@pytest.mark.parametrize(
    ("title", "inventory"),
    [
        ("kstlib", KSTLIB),
        ("dccd", DCCD),
        ("AsyncWebsocketStreamInterface", AWSI),
        ("The article's generator", ARTICLE),
    ],
)
def test_every_old_name_has_its_row(title: str, inventory: str) -> None:
    """What the old systems had, and what their pages promised."""
    told = {name for theirs, _, _ in rows(section(title)) for name in re.findall(r"`([^`]+)`", theirs)}
    assert [name for name in inventory.split() if name not in told] == []


def test_each_system_has_a_program_before_and_after() -> None:
    """The one before does not run; the one after does, in tests/test_docs.py."""
    for title in ("kstlib", "dccd", "AsyncWebsocketStreamInterface", "The article's generator"):
        text = section(title)
        assert text.count("\n```text\n") == 1 and text.count("\n```python\n") == 1


def test_a_name_that_is_not_there_is_found() -> None:
    """The check can fail."""
    assert not exists("WebSocketClient.disconnect", None)
    assert not exists("WebSocketClient", "queue_size")
    assert not exists("errors.QueueFull", None)
    assert not exists("Backoff", "delay")


def test_the_page_about_the_client_names_all_of_it() -> None:
    """Each public name of a client."""
    page = (DOCS / "client.md").read_text(encoding="utf-8")
    names = [name for name in dir(ROOTS["WebSocketClient"]) if not name.startswith("_")]
    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []
