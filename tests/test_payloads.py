"""A payload as it goes over the wire."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.payloads import as_sent, wire

CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        ("ü", ("ü".encode(), True)),
        (b"\xff", (b"\xff", False)),
        (bytearray(b"\xff"), (b"\xff", False)),
        (memoryview(b"\xff"), (b"\xff", False)),
        ({"op": "ü"}, ('{"op":"ü"}'.encode(), True)),
        ([1, None], (b"[1,null]", True)),
        ((), (b"[]", True)),
    ],
)
def test_text_is_text_bytes_are_binary_and_all_else_is_json(payload: Any, sent: tuple[bytes, bool]) -> None:
    """Whatever holds the bytes: as JSON they would be base64, in silence."""
    assert wire(payload) == sent
    assert as_sent(payload) == (sent[0].decode() if sent[1] else sent[0])


@pytest.mark.parametrize("wrong", [None, True, 0, 1.5, object(), {"a": object()}])
def test_what_is_no_payload_is_refused(wrong: Any) -> None:
    """A bare number or None, which JSON could carry, is a slip: a timer's count, a function without a return."""
    for send in (wire, as_sent):
        with pytest.raises(TypeError):
            send(wrong)


@pytest.mark.parametrize(("wrong", "error"), [("\ud800", ValueError), (CYCLE, RecursionError)])
def test_what_has_no_form_is_refused(wrong: Any, error: type[Exception]) -> None:
    """Half a surrogate is no UTF-8, and what holds itself has no end."""
    with pytest.raises(error):
        wire(wrong)


@given(st.text() | st.binary())
def test_text_and_bytes_go_out_as_they_are(payload: str | bytes) -> None:
    """And mean the same when they are sent later."""
    assert as_sent(payload) == payload
    assert wire(as_sent(payload)) == wire(payload)


def test_what_is_changed_afterwards_is_sent_as_it_was() -> None:
    """Of a dict as of a bytearray."""
    order, data = {"price": 1}, bytearray(b"1")
    sent = as_sent(order), as_sent(data)
    order["price"], data[0] = 2, 0
    assert sent == ('{"price":1}', b"1")
