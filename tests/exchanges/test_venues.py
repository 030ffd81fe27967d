"""What all venues have in common: they satisfy the protocol, survive whatever comes, and nothing else names them."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxws
from rxws import errors, exchanges
from rxws.errors import ConfigError
from rxws.exchanges import _topics, binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.market import MarketEvent
from rxws.venue import Frame, Kind, Request, Rules, Snapshots, Venue

PACKAGE = Path(rxws.__file__).parent
VENUES: list[ModuleType] = [binance, binance_usdm, coinbase_exchange, deribit, okx]
EACH = pytest.mark.parametrize("venue", VENUES, ids=lambda venue: venue.NAME)
SYMBOLS = {
    "binance": "BTCUSDT",
    "binance_usdm": "BTCUSDT",
    "coinbase_exchange": "BTC-USD",
    "deribit": "BTC-PERPETUAL",
    "okx": "BTC-USDT",
}
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)


def public(protocol: type) -> dict[str, Any]:
    """Return what a protocol asks for."""
    return {name: value for name, value in vars(protocol).items() if not name.startswith("_") and callable(value)}


@EACH
def test_a_venue_answers_what_the_protocol_asks(venue: ModuleType) -> None:
    """Every constant and every function, with its parameters and their defaults; and that is what it lists."""
    constants = {name: hint for name, hint in get_type_hints(Venue).items() if name.isupper()}
    functions = public(Venue)

    assert set(constants) | set(functions) <= set(venue.__all__)
    for name, asked in functions.items():
        wanted = list(inspect.signature(asked).parameters.values())[1:]
        found = list(inspect.signature(getattr(venue, name)).parameters.values())
        assert [(each.name, each.default) for each in found] == [(each.name, each.default) for each in wanted], name
    assert venue.NAME == venue.__name__.rpartition(".")[2]


@EACH
def test_a_venues_constants_are_values(venue: ModuleType) -> None:
    """Frozen ones; and what errors mean is the shared table, or that with changes."""
    assert isinstance(venue.RULES, Rules)
    with pytest.raises(AttributeError):
        venue.RULES.batch = 1
    assert "public" in venue.ENDPOINTS
    assert venue.BASE.startswith("wss://")
    assert set(errors.TABLE) <= set(venue.TABLE)
    assert venue.SNAPSHOTS is None or isinstance(venue.SNAPSHOTS, Snapshots)


def test_adding_a_venue_is_adding_a_file() -> None:
    """No other module of rxws names one, by import, name or word; tests and the demo have some of their own to play."""
    names = {venue.NAME for venue in VENUES}
    files = {f"exchanges/{name}.py" for name in names}
    told = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE).as_posix()
        if relative not in files and not relative.startswith(("testing/", "cli/venues.py")):
            told += [f"{relative}: {name}" for name in named(path) if name in names]

    assert told == []
    assert {f"exchanges/{path.name}" for path in (PACKAGE / "exchanges").glob("[!_]*.py")} == files
    assert exchanges.__all__ == []


def named(path: Path) -> Iterator[str]:
    """Yield what a file imports and names, and its strings, but no prose."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.ImportFrom(module=module, names=aliases):
                yield from (module or "").split(".")
                yield from (alias.name for alias in aliases)
            case ast.Import(names=aliases):
                yield from (part for alias in aliases for part in alias.name.split("."))
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield name


# Addresses


@EACH
def test_a_base_takes_the_place_of_the_venues_own(venue: ModuleType) -> None:
    """With or without a slash at its end; the path stays."""
    topic = venue.trades(SYMBOLS[venue.NAME])
    own = venue.url([topic])

    assert own.startswith(venue.BASE + venue.ENDPOINTS[venue.endpoint(topic)])
    for base in ("ws://127.0.0.1:9", "ws://127.0.0.1:9/"):
        assert venue.url([topic], base) == own.replace(venue.BASE, "ws://127.0.0.1:9")
        for name, path in venue.ENDPOINTS.items():
            assert venue.connection_url(name, base) == f"ws://127.0.0.1:9{path}"
    assert venue.connection_url() == venue.BASE + venue.ENDPOINTS["public"]


@EACH
def test_an_endpoint_that_is_not_there_is_refused(venue: ModuleType) -> None:
    """With those that are."""
    with pytest.raises(ConfigError) as refused:
        venue.connection_url("private")

    assert refused.value.field == "endpoint"
    assert str(refused.value) == (
        f"endpoint: 'private' is none of this venue; take one of {', '.join(venue.ENDPOINTS)}"
    )


@EACH
def test_a_url_is_for_topics(venue: ModuleType) -> None:
    """None is none."""
    with pytest.raises(ConfigError, match="topics: there are none; take one or more"):
        venue.url([])


@EACH
def test_every_topic_of_a_market_is_had_somewhere(venue: ModuleType) -> None:
    """Each builder's topic has an endpoint, and quotes of Coinbase are its tickers."""
    symbol = SYMBOLS[venue.NAME]
    for topic in (venue.trades(symbol), venue.quotes(symbol), venue.ticker(symbol), venue.book(symbol)):
        assert venue.endpoint(topic) in venue.ENDPOINTS


@EACH
@pytest.mark.parametrize(
    "symbol", ["", "BTC/USD", "BTC USD", 'BTC"', "a@trade", "a:b", "a,b", "a?b", "a#b", "a\n", 5, None]
)
def test_what_can_be_no_symbol_is_refused(venue: ModuleType, symbol: Any) -> None:
    """By each builder, before it is in a URL or in JSON; the error shows what one looks like."""
    builders = [venue.trades, venue.quotes, venue.ticker, venue.book, venue.common_symbol]
    builders += [lambda symbol: venue.candles(symbol, "1m" if venue is not deribit else "1")]
    for build in builders[: -1 if venue is coinbase_exchange else None]:
        with pytest.raises(ConfigError) as refused:
            build(symbol)
        assert str(refused.value) == (
            f"symbol: {symbol!r} is no symbol of this venue; take one as it writes it, like {SYMBOLS[venue.NAME]!r}"
        )


@EACH
@pytest.mark.parametrize("interval", ["", "7m", "1x", "m", None])
def test_an_interval_that_is_not_there_is_refused(venue: ModuleType, interval: Any) -> None:
    """With those that are, or with what to do where there are no candles at all."""
    with pytest.raises(ConfigError) as refused:
        venue.candles(SYMBOLS[venue.NAME], interval)

    assert refused.value.field == "interval"
    assert ("take one of 1" in refused.value.message) or ("make them of its trades" in refused.value.message)


@EACH
@pytest.mark.parametrize("depth", [0, -1, 7, "5"])
def test_a_depth_that_is_not_there_is_refused(venue: ModuleType, depth: Any) -> None:
    """With those that are."""
    with pytest.raises(ConfigError) as refused:
        venue.book(SYMBOLS[venue.NAME], depth)

    assert refused.value.field == "depth"
    assert "None for" in refused.value.message


@EACH
@pytest.mark.parametrize("common", ["BTCUSDT", "BTC/", "/USDT", "BTC/USDT:", "BTC/USDT:A:B", "BTC/US DT", "", 5, None])
def test_what_is_not_in_the_common_form_is_refused(venue: ModuleType, common: Any) -> None:
    """And the error shows that form."""
    with pytest.raises(ConfigError) as refused:
        venue.venue_symbol(common)

    assert str(refused.value) == f"symbol: {common!r} is not in the common form; take 'BTC/USDT', or 'BTC/USDT:USDT'"


CODES = st.from_regex(r"[A-Z0-9]{1,9}", fullmatch=True)


@EACH
@given(
    symbol=st.lists(CODES, min_size=1, max_size=3), separator=st.sampled_from(["", "-", "_"]), perpetual=st.booleans()
)
def test_a_symbol_that_has_a_common_form_comes_back(
    venue: ModuleType, symbol: list[str], separator: str, perpetual: bool
) -> None:
    """Whatever it is; and what has none says so."""
    ending = {"deribit": "-PERPETUAL", "okx": "-SWAP"}.get(venue.NAME, "") if perpetual else ""
    own = separator.join(symbol) + ending
    try:
        common = venue.common_symbol(own)
    except ConfigError as refused:
        assert refused.field == "symbol"
        return

    assert venue.venue_symbol(common) == own


# Requests


@EACH
def test_each_topic_is_asked_for_once(venue: ModuleType) -> None:
    """In the order of its first mention; no topics need no request, and no number."""
    ids = count(1)
    symbol = SYMBOLS[venue.NAME]
    first, second = venue.trades(symbol), venue.ticker(symbol)

    for ask, action in ((venue.subscribe, "subscribe"), (venue.unsubscribe, "unsubscribe")):
        (request,) = ask([second, first, second], ids)
        assert (request.topics, request.action) == ((second, first), action)
        assert action in request.payload.lower()
        assert ask(iter([]), ids) == []
    assert next(ids) == 3


@EACH
def test_requests_keep_to_the_venues_limits(venue: ModuleType) -> None:
    """Of 1,201 topics no request has too many or is too long; together they ask for all, in order, numbered on."""
    # Names as long as options have, so that bytes are a limit too.
    symbols = [f"{'X' * 60}{number:04}" for number in range(1_201)]
    topics = [venue.trades(symbol) for symbol in symbols]
    requests = venue.subscribe(topics, count(7))

    assert [topic for request in requests for topic in request.topics] == topics
    assert [request.id for request in requests] == list(range(7, 7 + len(requests)))
    for request in requests:
        assert 1 <= len(request.topics) <= venue.RULES.batch
        assert len(request.payload.encode()) <= (venue.RULES.batch_bytes or 32_000)
        assert json.loads(request.payload)
    assert len(requests) < 30


def test_one_topic_that_is_too_long_goes_alone() -> None:
    """What the venue says of it is told then; and symbols are counted in bytes, not characters."""
    rules = Rules(
        send=None, topics=None, batch=3, batch_bytes=8, dials=None, first_subscribe=None, max_age=None, silence=None
    )

    def sizes(topics: list[str]) -> list[int]:
        made = _topics.batches(
            "subscribe", topics, count(1), rules, lambda _: "public", lambda action, some, number: "".join(some)
        )
        return [len(request.topics) for request in made]

    assert sizes(["a" * 20, "b", "c"]) == [1, 2]
    assert sizes(["aaaa", "bbbb", "cccc"]) == [1, 2]
    assert sizes(["aaaa", "bbbbb", "cccc"]) == [1, 1, 1]
    assert sizes(["aa", "bbb", "ccc", "d"]) == [3, 1]
    assert sizes(["ééé", "éé"]) == [1, 1]


# What comes


NOISE: list[bytes | str] = [
    *("", " ", "ping", "null", "5", '"x"', "true", "[]", "[1]", "[[]]", "{}", '{"id":null}', "{", '{"e":"trade"'),
    *(b"\xff", b'{"e":"\xff"}', b'{"stream":"\xff@trade","data":{}}', "\ud800", '{"e":"\\ud800"}'),
    *('{"e":5}', '{"stream":5}', '{"event":{}}', '{"type":[]}', '{"method":5}', '{"params":[]}', '{"arg":[]}'),
    *('{"e":"outboundAccountPosition"}', '{"type":"status"}', '{"event":"login"}', '{"method":"x"}'),
    *(
        '{"stream":"btcusdt@markPrice","data":{}}',
        '{"stream":"btcusdt@ticker_1h","data":{}}',
        '{"stream":"x","data":{}}',
    ),
    *('{"event":"channel-conn-count","channel":"orders","connCount":"2"}', '{"arg":{"channel":"books","instId":"X"}}'),
    *('{"arg":{"channel":"funding-rate","instId":"X"},"data":[]}', '{"arg":{"channel":"candle1M"},"data":[]}'),
    *('{"arg":{"channel":"books","instId":"X"},"action":"other","data":[]}',),
    *('{"method":"subscription"}', '{"method":"subscription","params":{"channel":"perpetual.X.raw","data":{}}}'),
]
DEEP: list[bytes | str] = [
    *("[" * 100_000, b"[" * 100_000, '{"a":' * 100_000, '{"type":"l2update","x":' + "[" * 100_000),
    *('{"stream":"btcusdt@trade","data":' + "[" * 100_000, '{"id":1,"result":' + "[" * 100_000),
    *('{"method":"subscription","params":{"channel":"platform_state","data":' + "[" * 100_000,),
    *('{"arg":{"channel":"books","instId":"X"},"data":' + "[" * 100_000,),
]


def pending(venue: ModuleType) -> list[Request]:
    """Return two requests that wait for their answers."""
    symbol = SYMBOLS[venue.NAME]
    topics: Sequence[str] = [venue.trades(symbol), venue.ticker(symbol)]
    return [*venue.subscribe(topics, count(1)), *venue.unsubscribe(topics, count(2))]


def survived(venue: ModuleType, frame: bytes | str) -> Frame:
    """Ask a module all it may be asked of a frame: classify and reply never raise, decode as it says."""
    found = venue.classify(frame)
    assert isinstance(found, Frame)
    for some in ([], pending(venue)[:1], pending(venue)):
        reply = venue.reply(frame, some)
        assert reply is None or reply.request in some
    try:
        events = venue.decode(frame)
    except UNREADABLE:
        return found
    assert isinstance(events, list)
    assert found.kind is Kind.DATA or events == []
    return found


@EACH
@pytest.mark.parametrize("frame", NOISE + DEEP, ids=range(len(NOISE + DEEP)))
def test_what_nobody_knows_is_unknown(venue: ModuleType, frame: bytes | str) -> None:
    """Words, arrays, other types, other events, bad UTF-8, JSON without a bottom: nothing raises, nothing is data."""
    assert survived(venue, frame).kind in {Kind.UNKNOWN, Kind.ACKNOWLEDGEMENT, Kind.NOTICE}
    if frame in NOISE and frame != '{"id":null}':
        assert venue.classify(frame) == Frame(Kind.UNKNOWN)


KEYS = st.sampled_from(
    "e s k id result error code msg lastUpdateId b a stream data type product_id channels message reason "
    "last_trade_id name product_ids method params channel event arg action instId ts bids asks changes "
    "time maintenance".split()
)
WORDS = st.sampled_from(
    "trade aggTrade kline depthUpdate serverShutdown btcusdt@trade btcusdt@depth20@100ms !ticker@arr subscriptions "
    "error heartbeat snapshot l2update match ticker subscription test_request platform_state book.X.raw trades.X.raw "
    "subscribe chart.trades.X.7 notice 64008 books trades candle1m "
    "candle1M tickers update 1.5 NaN 1781234567890".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


@EACH
@given(frame=st.dictionaries(KEYS, JSON, max_size=6).map(json.dumps) | JSON.map(json.dumps) | st.text() | st.binary())
def test_whatever_comes_is_survived(venue: ModuleType, frame: bytes | str) -> None:
    """JSON of the venues' own words in any order, other JSON, text, bytes."""
    survived(venue, frame)


@EACH
def test_fields_that_are_new_are_ignored(venue: ModuleType) -> None:
    """A venue may add some without a warning, at every level."""
    plain = {
        "binance": {"e": "trade", "s": "X", "t": 1, "p": "1", "q": "2", "T": 1, "m": True},
        "binance_usdm": {"e": "aggTrade", "s": "X", "a": 1, "p": "1", "q": "2", "T": 1, "m": True},
        "coinbase_exchange": {
            **{"type": "match", "trade_id": 1, "product_id": "X", "size": "2", "price": "1", "side": "sell"},
            "time": "2026-06-12T03:22:48.000000Z",
        },
        "deribit": {
            "method": "subscription",
            "params": {
                "channel": "quote.X",
                "data": {
                    **{"timestamp": 1, "instrument_name": "X", "best_bid_price": 1, "best_bid_amount": 2},
                    **{"best_ask_price": 3, "best_ask_amount": 4},
                },
            },
        },
        "okx": {
            "arg": {"channel": "trades", "instId": "X"},
            "data": [{"instId": "X", "tradeId": "1", "px": "1", "sz": "2", "side": "buy", "ts": "1"}],
        },
    }[venue.NAME]

    def more(value: Any) -> Any:
        if isinstance(value, dict):
            return {"new": {"x": [1]}, **{name: more(each) for name, each in value.items()}}
        return [more(each) for each in value] if isinstance(value, list) else value

    before: list[MarketEvent] = venue.decode(json.dumps(plain))
    assert len(before) == 1
    assert venue.decode(json.dumps(more(plain))) == before
    assert venue.classify(json.dumps(more(plain))) == venue.classify(json.dumps(plain))


@EACH
def test_data_of_another_shape_raise(venue: ModuleType) -> None:
    """They are of a known topic, and what is missing, or is no number, is told."""
    broken = {
        "binance": ['{"e":"trade"}', '{"stream":"btcusdt@depth","data":{"U":1}}', '[{"e":"24hrTicker"}]'],
        "binance_usdm": ['{"e":"depthUpdate"}', '{"stream":"btcusdt@depth5","data":[]}'],
        "coinbase_exchange": [
            '{"type":"match"}',
            '{"type":"l2update","product_id":"X","changes":[["buy","1","2"]],"time":"yesterday"}',
            '{"type":"l2update","product_id":"X","changes":[["buy","1","2"]],"time":"2026-06-12T03:22:48"}',
            '{"type":"l2update","product_id":"X","changes":[["lend","1","2"]],"time":"2026-06-12T03:22:48Z"}',
        ],
        "deribit": [
            '{"method":"subscription","params":{"channel":"book.X.raw","data":{}}}',
            '{"method":"subscription","params":{"channel":"book.X.raw","data":{"type":"other","timestamp":1,'
            '"instrument_name":"X","change_id":1,"bids":[],"asks":[]}}}',
            '{"method":"subscription","params":{"channel":"chart.trades.X.7","data":{"tick":1,"open":1,"high":1,'
            '"low":1,"close":1,"volume":1}}}',
        ],
        "okx": [
            '{"arg":{"channel":"books","instId":"X"},"action":"update","data":[{"asks":[["1"]],"bids":[],"ts":"1"}]}',
            '{"arg":{"channel":"books","instId":"X"},"action":"update","data":[{"asks":[],"bids":[],"ts":"soon"}]}',
            '{"arg":{"channel":"tickers","instId":"X"},"data":[{"instId":"X","last":"x","askPx":"","askSz":"",'
            '"bidPx":"","bidSz":"","open24h":"","high24h":"","low24h":"","vol24h":"","ts":"1"}]}',
        ],
    }[venue.NAME]
    for frame in broken:
        assert venue.classify(frame).kind is Kind.DATA
        with pytest.raises(msgspec.DecodeError):
            venue.decode(frame)
