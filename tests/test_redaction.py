"""What may be shown of a URL, and what never is."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rxws.redaction import masked, masked_echo, masked_text

KEY = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
MARK = "HUNTER2"
ANYTHING = st.text(max_size=12)
# What stands in a URL as it is, and what only stands there by mistake.
PLAIN = st.text(st.sampled_from("abcXYZ019-._~!$'()*+,"), max_size=12)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://stream.binance.com:9443/ws/btcusdt@kline_1m", "wss://stream.binance.com:9443/ws/btcusdt@kline_1m"),
        ("ws://127.0.0.1:8765", "ws://127.0.0.1:8765"),
        ("ws://[::1]:8765/feed", "ws://[::1]:8765/feed"),
        ("wss://поток.example/путь", "wss://поток.example/путь"),
        ("wss://me:hunter2@venue.example/ws", "wss://***@venue.example/ws"),
        ("wss://token@venue.example:443/ws", "wss://***@venue.example:443/ws"),
        ("wss://me:hunter2@[::1]:443/ws", "wss://***@[::1]:443/ws"),
        ("wss://me:hun@ter2@venue.example", "wss://***@venue.example"),
        ("wss://@venue.example/ws", "wss://venue.example/ws"),
        ("wss://v.example/ws?token=abc&v=2", "wss://v.example/ws?token=***&v=***"),
        ("wss://v.example/ws?abc", "wss://v.example/ws?***"),
        ("wss://v.example/ws?a=b=c&&d=", "wss://v.example/ws?a=***&d=***"),
        ("wss://v.example/ws#access_token=abc", "wss://v.example/ws"),
        (f"wss://v.example/ws/{KEY}", "wss://v.example/ws/***"),
        (f"wss://v.example/{KEY}/ws/{KEY}", "wss://v.example/***/ws/***"),
        (f"wss://v.example/ws/{KEY[:24]}", "wss://v.example/ws/***"),
        (f"wss://v.example/ws/{KEY[:23]}", f"wss://v.example/ws/{KEY[:23]}"),
        ("wss://v.example/eyJhbGciOiJIUzI1NiJ9.eyJ-_zdWIiO", "wss://v.example/***"),
        ("wss://v.example/c2VjcmV0IHNlY3JldCBzZWNyZXQ%3D", "wss://v.example/***"),
        ("wss://v.example/c2VjcmV0IHNlY3JldCBzZWNy+XQ=", "wss://v.example/***"),
        (
            "wss://v.example/ws/!miniTicker@arr@3000ms@longername",
            "wss://v.example/ws/!miniTicker@arr@3000ms@longername",
        ),
        ("localhost:8765/ws", "localhost:8765/ws"),
        (KEY, "***"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """Where it leads to can be read; user info, query values, tokens in the path and the fragment cannot."""
    assert masked(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "wss://me:hun/ter2@venue.example/ws",
        "wss://me:hun#ter2@venue.example/ws",
        "wss://me:hun?ter2@venue.example/ws",
        "wss://me:hunter\u21002@venue.example/ws",
        "wss://me:hunter2@[::1",
        "wss://me:hunter2@[venue]x/ws",
        "me:hunter2@venue.example/ws",
        "venue.example/ws?token=hunter2",
        "venue.example/ws#hunter2",
    ],
)
def test_what_cannot_be_taken_apart_is_masked_whole(url: str) -> None:
    """Where a secret may stand anywhere, nothing is shown."""
    assert masked(url) == "***"


@given(st.text(st.characters(exclude_characters="/?#"), max_size=12), PLAIN, PLAIN)
def test_a_password_is_never_shown(user: str, before: str, after: str) -> None:
    """Whatever else is in the user info, and also with what should have been percent-encoded."""
    for special in ["", "/", "?", "#", "@", ":", "%", "\u2100"]:
        shown = masked(f"wss://{user}:{before}a{special}{MARK}{after}@venue.example/ws")
        assert MARK not in shown


@given(PLAIN, PLAIN, ANYTHING)
def test_a_query_value_is_never_shown(name: str, before: str, after: str) -> None:
    """By whatever name, and whatever follows it."""
    assert MARK not in masked(f"wss://venue.example/ws?{name}={before}{MARK}{after}")


@given(st.text(st.sampled_from("abcXYZ019_-=.%+~"), min_size=24, max_size=90), ANYTHING)
def test_a_token_in_the_path_is_never_shown(token: str, query: str) -> None:
    """Any run of 24 or more characters of base64, hexadecimal, JWT or percent-encoding that is a segment."""
    assume("/" not in query)
    assert token not in masked(f"wss://venue.example/ws/{token}?{query}")


@given(st.text())
@example("///")
@example("a:b")
@example("//@")
def test_any_text_can_be_masked_and_masking_twice_changes_nothing(text: str) -> None:
    """Errors mask what may have been masked before; and no text, however wrong, makes it raise."""
    for url in (text, f"wss://{text}", f"wss://venue.example/{text}", f"wss://venue.example?{text}"):
        once = masked(url)
        assert masked(once) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing to hide", "nothing to hide"),
        ("http://me:hunter2@proxy:3128 isn't a valid proxy", "http://***@proxy:3128 isn't a valid proxy"),
        (
            f"from ws://a.example/{KEY} to wss://b.example/?k=v ok",
            "from ws://a.example/*** to wss://b.example/?k=*** ok",
        ),
        ("('wss://a.example/?k=hunter2')", "('wss://a.example/?k=***"),
        ("socks5h://me:hun/ter2@proxy", "***"),
    ],
)
def test_each_url_in_a_text_is_masked(text: str, shown: str) -> None:
    """What stands around it stays, up to the next space at the latest."""
    assert masked_text(text) == shown


@given(st.text())
def test_a_text_without_a_url_is_shown_as_it_is(text: str) -> None:
    """Only what has a scheme and two slashes is a URL."""
    assume("://" not in text)
    assert masked_text(text) == text


@pytest.mark.parametrize(
    ("url", "body", "shown"),
    [
        (f"wss://v.example/ws/{KEY}", f"Cannot GET /ws/{KEY}", "Cannot GET /ws/***"),
        ("wss://v.example?token=s3cr3t-value", "?token=s3cr3t-value is old", "?token=*** is old"),
        ("wss://v.example?s3cr3t-value", "s3cr3t-value?", "***?"),
        ("wss://v.example?t=s3cr3t%2Fvalue", "s3cr3t/value or s3cr3t%2Fvalue", "*** or ***"),
        ("wss://somebody:long-password@v.example", "somebody long-password", "*** ***"),
        ("wss://v.example#long-fragment", "long-fragment", "***"),
        ("wss://v.example?a=longer-secret&b=longer-secret-still", "longer-secret-still", "***"),
        (
            "wss://v.example?v=2&symbol=btcusdt",
            '{"code": 42, "symbol": "btcusdt"}',
            '{"code": 42, "symbol": "btcusdt"}',
        ),
        ("wss://v.example/ws", "not found", "not found"),
        ("wss://[::1", "not found", "not found"),
    ],
)
def test_what_a_server_echoes_of_a_urls_secrets_is_masked(url: str, body: str, shown: str) -> None:
    """Servers put the path that they do not know into their answer; short values are no secrets, and stay."""
    assert masked_echo(body.encode(), url) == shown.encode()


@given(st.text(st.sampled_from("abcXYZ019_-"), min_size=8, max_size=40), st.binary(), st.binary())
def test_no_secret_comes_back_in_an_echo(secret: str, before: bytes, after: bytes) -> None:
    """Whatever stands around it."""
    shown = masked_echo(before + secret.encode() + after, f"wss://venue.example/ws?token={secret}")

    assert secret.encode() not in shown
