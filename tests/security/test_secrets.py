"""Secrets are planted wherever they may stand, the server repeats them wherever it can, and nothing shows them.

Each server here is hostile: it has seen the request, and sends it back in the shape that goes through to a log most
easily.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest

from benchmarks.reliability.raw_server import CLOSE, FIN, TEXT, Peer, RawServer, Script, frame
from rxws.connection import connect
from rxws.errors import ConfigError, ConnectionFailed, HandshakeRejected
from rxws.events import Opened
from rxws.transport import Dial
from tests.security.listening import Heard
from tests.transport.tunnel import tunnel

PASSWORD = "planted/password=1"
LISTEN_KEY = "plantedpqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19"
QUERY = "planted query+value/2"
BEARER = "planted-bearer-3"
COOKIE = "planted-cookie-4"
API_KEY = "planted-api-key-5"
SUBPROTOCOL = "planted.subprotocol.bearer.6"
HEADERS = {
    "Authorization": f"Bearer {BEARER}",
    "Cookie": f"theme=dark; session={COOKIE}; lang=en",
    "X-Api-Key": API_KEY,
}
BASIC = "cGxhbnRlZC11c2VyOnBsYW50ZWQvcGFzc3dvcmQ9MQ=="
"""The user info as the request carries it (RFC 7617)."""
PLANTED = [
    "planted",
    BASIC[:16],
    *(quote(each, safe="") for each in (PASSWORD, QUERY)),
    *(json.dumps(each)[1:-1].replace("/", "\\/") for each in (PASSWORD, QUERY)),
]


def planted(server: RawServer | str) -> str:
    """The URL with all that may stand in it."""
    where = server if isinstance(server, str) else f"127.0.0.1:{server.port}"
    query = f"token={quote(QUERY, safe='')}&plantedplantedplanted=="
    return f"ws://planted-user:{quote(PASSWORD, safe='')}@{where}/ws/{LISTEN_KEY}?{query}"


def assert_nothing_shows(heard: Heard, proxy_ends: bool = False) -> None:
    """Nothing of what was planted is in anything that came out, and nothing broke that asyncio had to see to."""
    everything = heard.everything
    shown = [each for each in PLANTED if each in everything]
    assert shown == [], next(text for text in heard.texts if shown[0] in text)
    # websockets 17.4 feeds the end of a proxy's stream twice where there was no answer before it.
    assert [each for each in heard.broken if "_call_connection_lost" not in each or not proxy_ends] == []


def echo(peer: Peer) -> bytes:
    """All of the request in one line, as it came and with its URL decoded."""
    request = peer.request.decode("latin-1")
    return " ".join([*request.split("\r\n"), unquote(request.split(" ")[1]), PASSWORD]).encode("latin-1")


def answering(answer: Callable[[Peer], bytes]) -> Script:
    """A script: read the request, answer this, and end."""

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(answer(peer))
        peer.fin()

    return script


def refusing(status: bytes, body: Callable[[Peer], bytes]) -> Script:
    """A script: refuse, with cookies of the server's own and a body."""
    return answering(lambda peer: b"HTTP/1.1 %s\r\nSet-Cookie: id=planted-by-server\r\n\r\n%s" % (status, body(peer)))


def repeating(header: bytes) -> Script:
    """A script: accept, but for a header that holds what the request held."""
    return answering(lambda peer: peer.response(header + b": " + echo(peer)))


def moved(location: str) -> Script:
    """A script: redirect."""
    return answering(lambda peer: b"HTTP/1.1 302 Found\r\nLocation: " + location.encode() + b"\r\n\r\n")


HOSTILE: dict[str, Script] = {
    "an echo server": answering(lambda peer: peer.request),
    "an echo as a header line": answering(lambda peer: b"HTTP/1.1 101 Yes\r\n" + echo(peer) + b"\r\n\r\n"),
    "an echo as a header's value": answering(lambda peer: b"HTTP/1.1 101 Yes\r\nX: \x07" + echo(peer) + b"\r\n\r\n"),
    "an echo as a status": answering(lambda peer: b"HTTP/1.1 " + BEARER.encode() + b" Yes\r\n\r\n"),
    "an echo as a phrase": refusing(b"401 planted-bearer-3", lambda _: b""),
    "a body": refusing(b"401 No", echo),
    "a body in JSON": refusing(b"401 No", lambda peer: json.dumps({"got": echo(peer).decode("latin-1")}).encode()),
    "a body in PHP's JSON": refusing(
        b"401 No", lambda peer: json.dumps(echo(peer).decode("latin-1")).replace("/", "\\/").encode()
    ),
    "a body that is cut off": refusing(b"403 No", lambda _: b"no such key: " + LISTEN_KEY[:-1].encode()),
    "a long body": refusing(b"503 Later", lambda peer: b"x" * 400 + echo(peer) * 100),
    "accept": repeating(b"Sec-WebSocket-Accept"),
    "upgrade": repeating(b"Upgrade"),
    "connection": repeating(b"Connection"),
    "extension": answering(lambda peer: peer.response(b"Sec-WebSocket-Extensions: " + BEARER.encode())),
    "extension's parameter": answering(
        lambda peer: peer.response(b'Sec-WebSocket-Extensions: permessage-deflate; x="' + BEARER.encode() + b'"')
    ),
    "subprotocols": answering(lambda peer: peer.response(b"Sec-WebSocket-Protocol: a, " + SUBPROTOCOL.encode())),
    "redirect, no scheme of ours": moved("http://me:planted-there@other.example/?token=planted-there"),
    "redirect, a port that is none": moved("ws://me:planted-there@other.example:planted/"),
    "redirect, a host that is none": moved("ws://me:planted-there\u2100@other.example/"),
    "redirect, no user": moved("ws://planted-there@other.example/"),
    "redirect to nobody": moved("ws://127.0.0.1:1/?token=planted-there"),
    "redirect in a circle": moved("/?token=planted-there"),
    "nothing": answering(lambda _: b""),
    "half an answer": answering(lambda peer: peer.response()[:60]),
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_handshake_that_fails_shows_no_secret(script: Script) -> None:
    """Neither in logs, nor in events, nor in errors and what they were raised from, nor in asyncio's debug mode."""

    async def url() -> str:
        return planted(server)

    async def headers() -> dict[str, str]:
        return HEADERS

    with Heard() as heard:
        async with RawServer(script) as server:
            await heard.life(url, headers=headers, subprotocols=["a", SUBPROTOCOL])

    assert b"planted-bearer-3" in server.peers[0].request
    assert heard.errors and heard.logged(40)  # the error that nobody took is among what was logged
    assert_nothing_shows(heard)


async def test_a_refusal_still_says_what_is_no_secret() -> None:
    """What the server says beside it is told."""
    with Heard() as heard:
        async with RawServer(refusing(b"401 No", lambda peer: b"expired: " + LISTEN_KEY.encode())) as server:
            await heard.life(planted(server), headers=HEADERS)

    error = heard.errors[0]
    assert isinstance(error, HandshakeRejected)
    assert error.body == b"expired: ***"
    assert "HTTP 401: 'expired: ***'" in str(error)


ENDS: dict[str, Callable[[Peer], bytes]] = {
    "a reason": lambda _: frame(CLOSE, b"\x0f\xa0" + f"bad {API_KEY} {BEARER} {COOKIE} {LISTEN_KEY[:40]}".encode()),
    "a reason, encoded": lambda _: frame(CLOSE, b"\x0f\xa0" + f"{PASSWORD} {quote(QUERY)} {QUERY}".encode()),
    "a reason, basic": lambda _: frame(CLOSE, b"\x0f\xa0" + BASIC.encode()),
    "a reason with a URL": lambda _: frame(CLOSE, b"\x0f\xa0see wss://me:planted-there@other.example/?t=planted"),
    "a reason that is no text": lambda _: frame(CLOSE, b"\x0f\xa0" + API_KEY.encode() + b"\xff"),
    "no WebSocket": lambda peer: frame(3, peer.request[:100]),
    "reserved bits": lambda peer: frame(TEXT, peer.request[:100], first=FIN | 0x70),
    "an end": lambda _: b"",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
async def test_an_end_shows_no_secret(end: Callable[[Peer], bytes]) -> None:
    """Whatever the last frame holds; the words of a close frame come masked to the field too, and to DEBUG."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.write(end(peer))
        peer.fin()

    with Heard() as heard:
        async with RawServer(script) as server:
            await heard.life(planted(server), headers=HEADERS, decode=None)

    assert [each for each in heard.events if isinstance(each, Opened)]
    assert "planted" not in "".join(getattr(each, "reason", "") for each in heard.errors)
    assert_nothing_shows(heard)


async def test_a_network_that_fails_shows_no_secret() -> None:
    """Refused, and no TLS where it should be."""

    async def plain(peer: Peer) -> None:
        peer.write(b"HTTP/1.1 400 No TLS here\r\n\r\n")
        peer.fin()

    nobody = RawServer()
    async with nobody:
        pass
    with Heard() as heard:
        async with RawServer(plain) as server:
            await heard.life(planted(nobody), headers=HEADERS)
            await heard.life(planted(server).replace("ws:", "wss:"), headers=HEADERS)

    assert {type(each.__cause__) for each in heard.errors} >= {ConnectionRefusedError}
    assert any(isinstance(each.__cause__, ssl.SSLError) for each in heard.errors)
    assert_nothing_shows(heard)


PROXY_ANSWERS = {
    "407": lambda request: b"HTTP/1.1 407 %s\r\nX: y\r\n\r\n" % request.splitlines()[-2],
    "an echo": lambda request: request,
    "an echo as a header line": lambda request: b"HTTP/1.1 200 Yes\r\n" + request.replace(b"\r\n", b" ") + b"\r\n\r\n",
    "nothing": lambda request: b"",
}


@pytest.mark.parametrize("by", ["option", "environment"])
@pytest.mark.parametrize("answer", PROXY_ANSWERS.values(), ids=PROXY_ANSWERS.keys())
async def test_a_proxy_shows_no_secret(answer: Any, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its password is told to nobody else, whether it is asked for or the system's, and whatever the proxy says."""

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(answer(peer.request))
        peer.fin()

    with Heard() as heard:
        async with RawServer(script) as server:
            proxy = f"http://planted-user:planted%2Fpassword%3D1@127.0.0.1:{server.port}"
            monkeypatch.setenv("http_proxy", "" if by == "option" else proxy)
            options = {"proxy": proxy} if by == "option" else {}
            await heard.life("ws://venue.example/ws", **options)

    assert BASIC.encode() in server.peers[0].request
    assert {type(each) for each in heard.errors[:1]} == {ConnectionFailed}
    assert_nothing_shows(heard, proxy_ends=answer(b"\r\n\r\n") == b"")


@pytest.mark.parametrize("proxy", ["http://me:planted\u2100@proxy.example", "http://me:planted-1@proxy.example/path"])
async def test_a_proxy_of_the_system_that_is_none_shows_no_secret(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where Python's own words hold a piece of it."""
    monkeypatch.setenv("http_proxy", proxy)
    with Heard() as heard:
        await heard.life("ws://venue.example/ws")
    assert_nothing_shows(heard)


async def test_a_life_over_a_redirect_shows_no_secret() -> None:
    """With data, and a close frame that repeats the token which the redirect brought."""

    async def there(peer: Peer) -> None:
        await peer.accept(frame(TEXT, b'{"n":1}'))
        await peer.end(4000, b"old: planted-by-redirect")

    async with RawServer(there) as server, RawServer(moved(f"{server.url}?token=planted-by-redirect")) as here:
        with Heard() as heard:
            await heard.life(planted(here), headers=HEADERS)

    assert {"n": 1} in heard.values
    assert "old: ***" in {getattr(each, "reason", "") for each in heard.errors}
    assert_nothing_shows(heard)


async def test_a_life_through_a_proxy_shows_no_secret() -> None:
    """With a close frame that repeats the proxy's password."""

    async def there(peer: Peer) -> None:
        await peer.accept()
        await peer.end(4000, b"behind planted-proxy-8")

    async with RawServer(there) as server, tunnel(server, answer=b"HTTP/1.1 200 Yes\r\n\r\n") as way:
        with Heard() as heard:
            proxy = f"http://me:planted-proxy-8@127.0.0.1:{way.port}"
            await heard.life(planted(server), headers=HEADERS, proxy=proxy)

    assert "behind ***" in {getattr(each, "reason", "") for each in heard.errors}
    assert_nothing_shows(heard)


# What never gets as far as a dial


WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("url", "ws://me:planted@venue.example/\r\nX-Evil: 1", {}),
    ("url", f"ws://venue.example/{LISTEN_KEY}?a=planted planted", {}),
    ("headers", "ws://venue.example", {"headers": {"X-Ok": "planted\r\nX-Evil: planted"}}),
    ("headers", "ws://venue.example", {"headers": {"X-Ok": "planted \u20ac"}}),
    ("headers", "ws://venue.example", {"headers": {"X-Ok: planted\r\nX-Evil": "planted"}}),
    ("headers", "ws://venue.example", {"headers": {"X-Ok": b"planted"}}),
    ("headers", "ws://venue.example", {"headers": [("X-Ok", "planted")]}),
    ("origin", "ws://venue.example", {"origin": "https://venue.example\r\nX-Evil: planted"}),
    ("origin", "ws://venue.example", {"origin": "planted \u20ac"}),
    ("origin", "ws://venue.example", {"origin": b"planted"}),
    ("user_agent_header", "ws://venue.example", {"user_agent_header": "planted\nX-Evil: planted"}),
    ("user_agent_header", "ws://venue.example", {"user_agent_header": "planted \u20ac"}),
    ("subprotocols", "ws://venue.example", {"subprotocols": ["planted\r\nX-Evil: planted"]}),
    ("subprotocols", "ws://venue.example", {"subprotocols": ["planted\u20ac"]}),
    ("proxy", "ws://venue.example", {"proxy": "http://me:planted@proxy.example/\r\nX-Evil"}),
    ("proxy", "ws://venue.example", {"proxy": "http://me:planted\u2100@proxy.example"}),
    ("proxy", "ws://venue.example", {"proxy": ["http://me:planted@proxy.example"]}),
]


@pytest.mark.parametrize(
    ("field", "url", "settings"), WRONG, ids=[f"{field}-{n}" for n, (field, *_) in enumerate(WRONG)]
)
async def test_what_would_be_a_line_of_its_own_is_refused_by_name(field: str, url: str, settings: Any) -> None:
    """Where the observable is built; from a callable, as the stream's error at once."""
    with pytest.raises(ConfigError) as refused:
        connect(url, **settings)
    assert refused.value.field == field

    with Heard() as heard:
        heard.error(refused.value)
        if field in ("url", "headers"):
            given = dict(settings)
            if "headers" in given:
                held = given["headers"]
                given["headers"] = lambda: held
            await heard.life(lambda: url, **given)
            assert isinstance(heard.errors[-1], ConfigError) and heard.errors[-1].field == field
    assert_nothing_shows(heard)


def test_what_a_transport_is_given_shows_no_secret_of_itself() -> None:
    """A transport of one's own may print its dial."""
    dial = Dial(planted("venue.example"), HEADERS, 1, 1.0, {"proxy": "http://me:planted@proxy.example"})

    assert repr(dial) == "Dial('ws://***@venue.example/ws/***?token=***&***=***', max_size=1, close_timeout=1.0)"
