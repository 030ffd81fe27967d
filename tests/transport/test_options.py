"""Options are refused when they are wrong, by name, before anything is dialled; and transports are found by name."""

from __future__ import annotations

import ssl
import sys
from typing import Any, get_type_hints

import pytest

from rxws import connect
from rxws.errors import ConfigError
from rxws.transport import ScriptedTransport, TransportOptions, transport_named
from rxws.transport.options import check_known
from rxws.transport.picows import PicowsTransport
from rxws.transport.websockets import WebsocketsTransport

GOOD: dict[str, list[object]] = {
    "subprotocols": [["v1"], ("v1", "v2"), None],
    "compression": ["deflate", None],
    "ssl": [ssl.create_default_context(), None],
    "server_hostname": ["venue.example", None],
    "proxy": ["http://proxy.example:3128", "https://me:secret@proxy.example", True, None],
    "origin": ["https://venue.example", None],
    "user_agent_header": ["rxws", None],
    "host": ["127.0.0.1", None],
    "port": [1, 65_535, None],
    "local_addr": [("127.0.0.1", 0), None],
    "outbox": [1, 2**30, None],
}

BAD: list[tuple[str, Any, str]] = [
    ("subprotocols", "v1", "a list of strings"),
    ("subprotocols", [], "cannot be asked for"),
    ("subprotocols", [1], "cannot be asked for"),
    ("subprotocols", ["two words"], "without spaces"),
    ("compression", "gzip", 'take "deflate" or None'),
    ("compression", True, 'take "deflate"'),
    ("ssl", True, "take an ssl.SSLContext"),
    ("server_hostname", b"venue.example", "take a host name"),
    ("proxy", False, "take None for no proxy"),
    ("proxy", 3128, "take a proxy's URL"),
    ("proxy", "proxy.example:3128", "take http://host:port"),
    ("proxy", "http://proxy.example:99999", "take http://host:port"),
    ("proxy", "ftp://proxy.example", "is no proxy"),
    ("origin", ["https://venue.example"], "take a string"),
    ("user_agent_header", False, "take a string"),
    ("host", ("127.0.0.1", 80), "take a host name"),
    ("port", "80", "take a number from 1 to 65535"),
    ("port", True, "take a number"),
    ("port", 0, "out of range"),
    ("port", 65_536, "out of range"),
    ("local_addr", "127.0.0.1", "take a tuple"),
    ("outbox", 0, "out of range; take a number of bytes, 1 or more"),
    ("outbox", 1e6, "take a number of bytes"),
    ("outbox", True, "take a number of bytes"),
]


def test_the_checks_know_the_options_that_are_documented() -> None:
    """Each is in the type that users see, in its docstring and in the table that checks it."""
    hints = get_type_hints(TransportOptions)
    documented = TransportOptions.__doc__ or ""

    with pytest.raises(ConfigError) as refused:
        check_known({"zzz": ["v1"]})
    with pytest.raises(ConfigError, match="subprotocol: no such option; did you mean 'subprotocols'"):
        check_known({"subprotocol": ["v1"]})

    assert str(refused.value) == f"zzz: no such option; there are {', '.join(sorted(hints))}"
    assert [name for name in hints if name not in documented] == []
    assert set(GOOD) == set(hints)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_taken(name: str) -> None:
    """None too, everywhere."""
    for value in GOOD[name]:
        WebsocketsTransport().check({name: value})
        ScriptedTransport().check({name: value})


@pytest.mark.parametrize(("name", "value", "way_out"), BAD)
def test_what_is_wrong_is_refused_when_the_observable_is_built(name: str, value: Any, way_out: str) -> None:
    """The error names the option and says what would be right."""
    with pytest.raises(ConfigError) as refused:
        connect("wss://venue.example", **{name: value})

    assert refused.value.field == name
    assert way_out in refused.value.message


def test_the_scripted_transport_refuses_what_is_no_option_or_of_another_kind() -> None:
    """So that a typing error shows in tests."""
    for options in ({"compresion": None}, {"port": "80"}):
        with pytest.raises(ConfigError):
            ScriptedTransport().check(options)


def test_a_wrong_proxy_shows_no_secret() -> None:
    """Its password may be in it, in a good URL or in a bad one."""
    for proxy in ("http://me:SECRET@proxy.example/path", "me:SECRET@proxy.example", "http://SECRET@proxy.example"):
        with pytest.raises(ConfigError) as refused:
            WebsocketsTransport().check({"proxy": proxy})
        assert "SECRET" not in str(refused.value)


def test_a_socks_proxy_wants_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it; where it is installed, SOCKS proxies are taken."""
    proxy = {"proxy": "socks5://proxy.example:1080"}
    monkeypatch.setitem(sys.modules, "python_socks", pytest)  # anything that is there
    WebsocketsTransport().check(proxy)
    monkeypatch.setitem(sys.modules, "python_socks", None)

    with pytest.raises(ConfigError, match=r"proxy: .* pip install python-socks\[asyncio\]"):
        WebsocketsTransport().check(proxy)


@pytest.mark.parametrize("name", ["host", "port"])
def test_a_host_or_a_port_does_not_go_with_a_proxy(name: str) -> None:
    """websockets would hand it to the connection to the proxy, which has its own."""
    other: dict[str, object] = {"host": "127.0.0.1", "port": 80}

    with pytest.raises(ConfigError, match=f"{name}: a proxy goes to the URL's own host and port"):
        WebsocketsTransport().check({"proxy": "http://proxy.example", name: other[name]})


def test_a_transport_is_found_by_its_name_or_is_the_object_itself() -> None:
    """Anything with `open` will do."""
    mine = ScriptedTransport()

    assert type(transport_named("websockets")) is WebsocketsTransport
    assert type(transport_named("picows")) is PicowsTransport
    assert transport_named(mine) is mine


def test_without_picows_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra by its name, and what to take without."""
    monkeypatch.setitem(sys.modules, "picows", None)
    for name in ("rxws.transport.picows", "rxws.transport._parser"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ConfigError, match=r"""transport: "picows" needs picows; pip install 'rxws\[fast\]', or take"""):
        transport_named("picows")


@pytest.mark.parametrize("what", ["aiohttp", None, 7, object()])
def test_what_is_no_transport_is_refused(what: Any) -> None:
    """The error says which there are."""
    with pytest.raises(ConfigError, match='transport: .* take "websockets"'):
        transport_named(what)
