"""What arguments must be, and what is said of those that are not."""

from __future__ import annotations

import ssl
from collections import OrderedDict
from decimal import Decimal
from functools import partial
from math import inf, nan
from sys import float_info
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws.arguments import check_close, check_headers, check_url, function, seconds, size, whole, zero_or_more
from rxws.errors import ConfigError

SECRET = "hunter2-hunter2"
NAMES = st.text(st.sampled_from("!#$%&'*+-.^_`|~019abcXYZ"), min_size=1)
VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]))


def refused(call: Any, *args: Any, **options: Any) -> ConfigError:
    """Return the error with which a call refuses its arguments."""
    with pytest.raises(ConfigError) as caught:
        call(*args, **options)
    return caught.value


# Seconds and sizes


@given(st.floats(0, exclude_min=True, allow_infinity=False) | st.integers(1, 10**6))
def test_a_positive_number_is_seconds(value: float) -> None:
    """Whole or not, however small or large."""
    seconds("idle_timeout", value)
    seconds("idle_timeout", float_info.max)


def test_none_is_no_limit() -> None:
    """For seconds and for sizes alike."""
    seconds("idle_timeout", None)
    size("max_size", None)


@pytest.mark.parametrize(
    "value", [0, 0.0, -0.0, -1, -1e-9, nan, inf, -inf, 10**400, -(10**400)], ids=lambda v: str(v)[:9]
)
def test_what_is_no_length_of_time_is_refused(value: float) -> None:
    """Nothing, less than nothing, for ever, and what is no number."""
    error = refused(seconds, "idle_timeout", value)

    assert error.field == "idle_timeout"
    assert str(error).startswith(f"idle_timeout: {value!r} is out of range; take more than 0 seconds, or None")


@pytest.mark.parametrize("value", [True, False, "5", "", b"5", [5], Decimal(5), 5j, {}], ids=repr)
def test_seconds_are_a_float_or_an_int(value: Any) -> None:
    """`True` is no second, and a string is not read as one."""
    error = refused(seconds, "open_timeout", value)

    assert error.field == "open_timeout"
    assert error.message == f"{value!r} is no float or int; take seconds, or None for no limit"


@pytest.mark.parametrize(("value", "fits"), [(4.999, False), (5.0, False), (5.001, True), (6, True)])
def test_seconds_may_have_a_bound_of_their_own(value: float, fits: bool) -> None:
    """What is allowed begins above `least`, and the message says so."""
    if fits:
        seconds("check_interval", value, least=5.0)
    else:
        assert "take more than 5 seconds" in str(refused(seconds, "check_interval", value, least=5.0))


@given(st.integers(1))
def test_a_whole_number_from_one_is_a_size(value: int) -> None:
    """Bytes, as many as one likes."""
    size("max_size", value)


@pytest.mark.parametrize("value", [0, -1, True, False, 1.0, nan, "1", b"1", Decimal(1)], ids=repr)
def test_what_is_no_number_of_bytes_is_refused(value: Any) -> None:
    """Neither fractions nor truths nor texts are sizes."""
    error = refused(size, "max_size", value)

    assert error.field == "max_size"
    assert error.message == f"{value!r} is out of range; take a number of bytes, 1 or more, or None for no limit"


@given(st.integers(1))
def test_a_count_is_a_whole_number_from_one(value: int) -> None:
    """None counts nothing, where that may be."""
    whole("dials", value)
    whole("dials", None, optional=True)


@pytest.mark.parametrize("value", [0, -1, True, False, 1.0, nan, "1", Decimal(1)], ids=repr)
@pytest.mark.parametrize(("optional", "way_out"), [(False, ""), (True, ", or None for no limit")])
def test_what_is_no_count_is_refused(value: Any, optional: bool, way_out: str) -> None:
    """Neither fractions nor truths nor texts are counts; None is named only where it may be."""
    error = refused(whole, "dials", value, optional=optional)

    assert str(error) == f"dials: {value!r} is out of range; take a whole number, 1 or more{way_out}"


def test_a_count_that_must_be_there_is_not_none() -> None:
    """Unless it is said otherwise."""
    assert refused(whole, "count", None).field == "count"


@given(st.floats(0, allow_infinity=False) | st.integers(0, 10**6))
def test_no_seconds_at_all_are_a_pause_too(value: float) -> None:
    """From zero on."""
    zero_or_more("spacing", value)


@pytest.mark.parametrize("value", [-0.1, -1, inf, -inf, nan, True, False, "1", None, Decimal(1)], ids=repr)
def test_what_is_no_pause_is_refused(value: Any) -> None:
    """Below zero, without an end, or no number."""
    error = refused(zero_or_more, "spacing", value)

    assert str(error) == f"spacing: {value!r} is out of range; take seconds, 0 or more"


def test_where_a_pause_is_optional_the_error_says_so() -> None:
    """None is then no limit."""
    zero_or_more("timeout", None, optional=True)
    error = refused(partial(zero_or_more, optional=True), "timeout", -1)

    assert str(error) == "timeout: -1 is out of range; take seconds, 0 or more, or None for no limit"


def test_a_function_can_be_called() -> None:
    """Whatever it is; what cannot be is refused before it would have to be called."""
    function("when", len, "a value")
    error = refused(partial(function, of="a value"), "when", 5)

    assert str(error) == "when: 5 is not callable; take a function of a value"


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "ws://localhost",
        "WSS://VENUE.EXAMPLE/WS",
        "wss://stream.binance.com:9443/ws/btcusdt@kline_1m",
        "wss://venue.example:65535/ws?streams=a@trade/b@trade&v=2",
        "ws://127.0.0.1:0/",
        "ws://[::1]:8765/feed",
        "wss://me:hunter2@venue.example/ws",
        "wss://me:p%2Fss@venue.example/ws",
        "wss://me:@venue.example/ws",
        "wss://:p@venue.example/ws",
        "wss://поток.example/путь?ключ=значение",
        "wss://venue.example/a%20b%23c",
    ],
)
def test_a_websocket_url_is_taken(url: str) -> None:
    """With ports, user info, queries, IPv6 addresses and letters of any language."""
    check_url(url, {})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "NoneType is no string"),
        (b"ws://venue.example", "bytes is no string"),
        ("", "does not begin with ws:// or wss://"),
        ("venue.example/ws", "'venue.example/ws' does not begin with ws:// or wss://"),
        ("localhost:8765", "does not begin with ws:// or wss://"),
        ("//venue.example", "does not begin with ws:// or wss://"),
        ("http://venue.example", "'http://venue.example' does not begin with ws:// or wss://"),
        ("wsx://venue.example", "does not begin with ws:// or wss://"),
        ("ws:venue.example", "has no host; take ws://host[:port]/path"),
        ("wss:///ws", "has no host; take ws://host[:port]/path"),
        ("wss://:443/ws", "has no host; take ws://host[:port]/path"),
        ("wss://me@/ws", "has no host; take ws://host[:port]/path"),
        ("wss://venue.example:port/ws", "is no URL; take ws://host[:port]/path"),
        ("wss://venue.example:65536", "'wss://venue.example:65536' is no URL; take ws://host[:port]/path"),
        ("wss://venue.example:-1", "is no URL; take ws://host[:port]/path"),
        ("wss://[::1/ws", "is no URL; take ws://host[:port]/path"),
        ("wss://venue.example/ws#part", "'wss://venue.example/ws' has a fragment"),
        ("wss://token@venue.example/ws", "'wss://***@venue.example/ws' has a user without a password; write user:pass"),
        ("wss://@venue.example/ws", "has a user without a password; write user:password@, or neither"),
        ("wss://venue.example/a b", "has a space or a control character; percent-encode it"),
        (" wss://venue.example", "has a space or a control character; percent-encode it"),
        ("wss://venue.example/ws\r\nX-Evil: 1", "has a space or a control character; percent-encode it"),
        ("wss://venue.example/ws\x00", "has a space or a control character; percent-encode it"),
        ("wss://venue.example/\u2003ws", "has a space or a control character; percent-encode it"),
        ("wss://venue.example/\u202ews", "has a space or a control character; percent-encode it"),
        ("wss://venue.example/\x9bws", "has a space or a control character; percent-encode it"),
        ("wss://venue.example/\udc80ws", "has a space or a control character; percent-encode it"),
        ("wss://me:%FF@venue.example/ws", "'wss://***@venue.example/ws' is no URL"),
        ("wss://%FF:me@venue.example/ws", "'wss://***@venue.example/ws' is no URL"),
        ("wss://m%3Ae:hunter2@venue.example/ws", "'wss://***@venue.example/ws' has a user with a colon in it"),
        ("wss://venue..example/ws", "is no URL"),
        (f"wss://{'x' * 64}.example/ws", "is no URL"),
    ],
)
def test_what_is_no_websocket_url_is_refused(url: Any, says: str) -> None:
    """Each kind of mistake has its own words, and they name the way out."""
    error = refused(check_url, url, {})

    assert error.field == "url"
    assert says in str(error)


@pytest.mark.parametrize(
    "url",
    [
        f"http://me:{SECRET}@venue.example",
        f"{SECRET}:@venue.example",
        f"me:{SECRET}@venue.example/ws",
        f"wss://me:{SECRET}@:443/ws",
        f"wss://{SECRET}@venue.example/ws",
        f"wss://me:{SECRET}@venue.example/#part",
        f"wss://me:{SECRET}@venue.example/a b",
        f"wss://me:{SECRET}@venue.example:99999",
        f"wss://me:{SECRET}/x@venue.example",
        f"wss://me:{SECRET}#x@venue.example",
        f"wss://me:{SECRET}?x@venue.example",
        f"wss://me:{SECRET}\u2100@venue.example",
        f"wss://me:{SECRET}@[venue]/ws",
        f"wss://venue.example/ws?token={SECRET} ",
        f"wss://venue.example/#{SECRET}",
    ],
)
def test_a_refused_url_keeps_its_secrets(url: str) -> None:
    """What is wrong with it is said without its password, also where Python's own words would tell it."""
    error = refused(check_url, url, {})

    assert SECRET not in f"{error} {error!r} {error.args}"
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("ssl", ssl.create_default_context()), ("server_hostname", "venue.example")],
    ids=["ssl", "name"],
)
def test_an_encryption_that_a_url_does_not_ask_for_is_refused(name: str, value: object) -> None:
    """The options of TLS go with wss:// only; None says nothing."""
    error = refused(check_url, "ws://venue.example", {name: value})

    assert str(error) == f"{name}: a ws:// URL is not encrypted; take wss://, or leave {name} out"
    check_url("ws://venue.example", {name: None, "subprotocols": ["json"]})
    check_url("wss://venue.example", {name: value})


@given(st.text())
def test_any_text_is_either_taken_or_refused_by_name(text: str) -> None:
    """No text makes anything else happen."""
    for url in (text, f"ws://{text}", f"ws://venue.example/{text}"):
        try:
            check_url(url, {})
        except ConfigError as error:
            assert error.field == "url"


# Close frames


SENDABLE = {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)}


@given(st.integers(0, 6000))
@example(999)
@example(1000)
@example(1003)
@example(1004)
@example(1005)
@example(1006)
@example(1007)
@example(1014)
@example(1015)
@example(2999)
@example(3000)
@example(4999)
@example(5000)
def test_a_close_code_is_one_that_a_frame_can_carry(code: int) -> None:
    """Neither those that only stand for something (1004 to 1006, 1015) nor those of nobody (RFC 6455, section 7.4)."""
    if code in SENDABLE:
        check_close(code, "")
    else:
        error = refused(check_close, code, "")
        assert str(error) == f"code: {code} cannot be sent; take 1000, 1001 or 3000 to 4999"


@pytest.mark.parametrize("code", ["1000", 1000.0, None, True], ids=repr)
def test_a_close_code_is_a_whole_number(code: Any) -> None:
    """And what is none is shown."""
    assert refused(check_close, code, "").field == "code"


@pytest.mark.parametrize(
    ("reason", "fits"), [("x" * 123, True), ("x" * 124, False), ("ж" * 61, True), ("ж" * 62, False)]
)
def test_a_close_reason_fits_into_a_control_frame(reason: str, fits: bool) -> None:
    """Its bytes count, not its letters (RFC 6455, section 5.5)."""
    if fits:
        check_close(1000, reason)
    else:
        error = refused(check_close, 1000, reason)
        assert str(error) == "reason: it has 124 bytes; take 123 at most"


def test_a_close_reason_is_text() -> None:
    """A lone surrogate cannot be sent as UTF-8 (RFC 6455, section 5.5.1)."""
    assert str(refused(check_close, 1000, "\ud800")).startswith("reason: it holds half a character")


# Headers


@pytest.mark.parametrize(
    "headers",
    [None, {}, {"Authorization": "Bearer abc"}, OrderedDict(a="\tb "), MappingProxyType({"X-Name": "Grüße", "x": ""})],
    ids=repr,
)
def test_headers_are_a_mapping_of_names_and_values(headers: Any) -> None:
    """Any mapping will do, with any line of Latin-1 as a value."""
    check_headers(headers)


@given(NAMES, VALUES)
def test_what_http_calls_a_header_is_taken(name: str, value: str) -> None:
    """Tokens as names, visible characters and spaces as values (RFC 9110, sections 5.6.2 and 5.5)."""
    check_headers({name: value})


@given(NAMES, VALUES, st.sampled_from("\r\n\x00\x0b\x1f\x7f\u2028Ā"), VALUES)
def test_no_value_begins_another_header(name: str, before: str, line_break: str, after: str) -> None:
    """A line break or another control character in a value is refused, and the value is not told."""
    secret = f"{before}{SECRET}{line_break}{after}"
    error = refused(check_headers, {"X-Ok": SECRET, name: secret})

    assert str(error) == f"headers: the value of {name!r} is no header value; take a string of one line, in Latin-1"


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX-Evil: 1", f"{SECRET}\n", 7, None, b"abc", ["abc"]], ids=repr)
def test_a_value_is_a_string_of_one_line(value: Any) -> None:
    """What is wrong is told with the header's name, never with its value."""
    error = refused(check_headers, {"Authorization": value})

    assert error.field == "headers"
    assert error.message == "the value of 'Authorization' is no header value; take a string of one line, in Latin-1"


@pytest.mark.parametrize("name", ["", "X Name", "X-Name:", "X\r\nEvil", "X-Name\n", "имя", "(x)"])
def test_a_name_is_a_token(name: str) -> None:
    """Neither spaces nor line breaks nor colons belong to a name."""
    error = refused(check_headers, {name: "value"})

    assert error.field == "headers"
    assert "begins no header name; take letters, digits and dashes" in error.message


@pytest.mark.parametrize("name", [7, None, b"X-Name"], ids=repr)
def test_a_name_is_a_string(name: Any) -> None:
    """And of what is none the kind is shown: it may hold the value."""
    assert (
        str(refused(check_headers, {name: "value"}))
        == f"headers: {type(name).__name__} is no header name; take a string"
    )


def test_a_whole_line_as_a_name_is_not_told() -> None:
    """`{"Authorization: Bearer …": ""}` is a mistake that holds a secret."""
    error = refused(check_headers, {f"Authorization: Bearer {SECRET}": ""})

    assert "'Authorization'" in str(error)
    assert SECRET not in str(error)
    assert SECRET not in str(refused(check_headers, {f"Bearer {SECRET}": ""}))
    assert SECRET not in str(refused(check_headers, {f"Authorization: Bearer {SECRET}".encode(): ""}))


@pytest.mark.parametrize("headers", [[("X-Name", "value")], "X-Name: value", 7, {"X-Name"}], ids=repr)
def test_what_is_no_mapping_is_refused(headers: Any) -> None:
    """A list of pairs is not turned into one, and what it holds is not told."""
    error = refused(check_headers, headers)

    assert str(error) == f"headers: {type(headers).__name__} is no mapping; take a dict of names and values"
