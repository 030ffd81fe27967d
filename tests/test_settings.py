"""Where settings come from, who goes before whom, what is clamped, and what is said of what is wrong."""

from __future__ import annotations

import inspect
import json
import logging
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from dataclasses import fields as fields_of
from itertools import accumulate
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import msgspec
import pytest
import reactivex as rx
from hypothesis import assume, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

import rxws
from rxws import Backoff, ws_observable
from rxws.errors import ConfigError
from rxws.options import StreamOptions
from rxws.running import OverflowPolicy
from rxws.settings import FIELDS, PRESETS, Clamped, Settings, SettingsOptions
from tests.snippets import ROOT, snippets

URL = "ws://venue.example"
SECRET = "hunter2-hunter2"
RETRY = [name for name in FIELDS if name.startswith("retry_") and name != "retry_strategy"]
STREAM = [name for name in FIELDS if name in StreamOptions.__annotations__]
RANGED = {name: field.range for name, field in FIELDS.items() if field.range}
NUMBERS = st.floats(allow_nan=False) | st.integers(-(10**12), 10**12)
ANYTHING = st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["", "5", "full", "error"])


def refused(call: Any, *args: Any, **options: Any) -> ConfigError:
    """Return the error with which a call refuses its arguments."""
    with pytest.raises(ConfigError) as caught:
        call(*args, **options)
    return caught.value


def accepts(call: Any, *args: Any, **options: Any) -> bool:
    """Tell whether a call takes its arguments."""
    try:
        call(*args, **options)
    except ConfigError:
        return False
    return True


def in_toml(value: Any) -> str:
    """Write a value as TOML has it."""
    if isinstance(value, tuple):
        return str(list(value))
    return '"none"' if value is None else json.dumps(value) if isinstance(value, str) else str(value)


def in_text(value: Any) -> str:
    """Write a value as a variable has it."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Return an environment that holds settings."""
    return {f"RXWS_{name.upper()}": in_text(value) for name, value in values.items()}


def lines(values: Mapping[str, Any]) -> str:
    """Return a file that holds settings."""
    return "\n".join(["[rxws]", *(f"{name} = {in_toml(value)}" for name, value in values.items())])


def load(text: str | None = None, environ: Mapping[str, str] | None = None, **options: Any) -> Settings:
    """Load settings from a file with `text`, and from nothing of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        file = None if text is None else Path(folder, "app.toml")
        if file:
            file.write_text(text, encoding="utf-8")
        return Settings.load(file, environ=environ or {}, **options)


def within(name: str) -> st.SearchStrategy[Any]:
    """Return values that are in a field's hard range, whatever the other fields' defaults are."""
    field = FIELDS[name]
    none = st.none() if field.optional else st.nothing()
    if name == "final_close_codes":
        return st.lists(st.integers(1000, 4999), max_size=3).map(tuple)
    if field.range is None:
        return st.sampled_from(field.choices) | none
    least, most = field.range.least, field.range.most
    if name == "retry_initial":
        most = Settings().retry_cap
    whole = isinstance(least, int)
    return (st.integers(int(least), int(most)) if whole else st.floats(least, most)) | none


def settings() -> st.SearchStrategy[Settings]:
    """Return settings whose fields are all in range."""
    fields = st.fixed_dictionaries({name: within(name) for name in FIELDS})
    return fields.filter(lambda held: held["retry_initial"] <= held["retry_cap"]).map(lambda held: Settings(**held))


def held(settings: Settings) -> dict[str, Any]:
    """Return the fields of settings by name."""
    return {name: getattr(settings, name) for name in FIELDS}


# Defaults and options


def test_settings_change_nothing() -> None:
    """Their defaults are those of `ws_observable`, `Backoff` and `aiter`, field by field."""
    ours = inspect.signature(ws_observable).parameters
    queue = inspect.signature(rxws.aiter).parameters
    options = Settings().options()

    assert {name: ours[name].default for name in options} == options
    assert {name: queue[name].default for name in Settings().queue()} == Settings().queue()
    assert Settings() == load() == load("[rxws]")


def test_every_setting_is_of_a_stream_a_policy_or_a_client() -> None:
    """What `ws_observable`, `Backoff` and `aiter` have by these names; all of a policy but what is code."""
    policy = [f"retry_{field.name}" for field in fields_of(Backoff) if field.name != "table"]

    assert list(SettingsOptions.__annotations__) == [*STREAM, "retry"]
    assert RETRY == policy
    assert {*FIELDS} - {*STREAM} - {*RETRY} == {"retry_strategy", "queue_maxsize", "queue_overflow", "alert_interval"}
    assert FIELDS["queue_overflow"].choices == get_args(OverflowPolicy)


def test_settings_do_not_change() -> None:
    """They are values: frozen, equal where their fields are, and may be keys."""
    with pytest.raises(AttributeError):
        Settings().max_age = 5.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Clamped("max_age", 1.0, 60.0, "app.toml [rxws]").used = 1.0  # type: ignore[misc]
    assert len({Settings(), Settings(), Settings(max_age=60.0)}) == 2


@given(settings())
def test_what_is_in_range_is_taken_by_what_it_is_for(settings: Settings) -> None:
    """Each field reaches the stream, the policy and the iteration as it is."""
    options = settings.options()

    ws_observable(URL, **options)
    rxws.aiter(rx.never(), **settings.queue())
    assert {name: options[name] for name in STREAM} == {name: getattr(settings, name) for name in STREAM}  # type: ignore[literal-required]
    assert options["retry"] == settings.backoff()
    assert settings.queue() == {"maxsize": settings.queue_maxsize, "overflow": settings.queue_overflow}


@given(st.sampled_from(STREAM), ANYTHING)
@example("max_age_jitter", 1.0)
@example("max_age_jitter", -0.1)
@example("max_age_jitter", True)
@example("max_size", 0)
@example("check_interval", None)
@example("final_close_codes", (999,))
@example("final_close_codes", (True,))
@example("final_close_codes", ("1000",))
@example("final_close_codes", (4999, 1000))
@example("final_close_codes", 1000)
def test_a_keyword_of_the_stream_is_refused_where_the_stream_refuses_it(name: str, value: Any) -> None:
    """What makes sense to the one makes sense to the other; an empty text is an empty collection only to the stream."""
    assume((name, value) != ("final_close_codes", ""))
    assert accepts(Settings, **{name: value}) == accepts(ws_observable, URL, **{name: value})


@given(st.sampled_from(RETRY), ANYTHING)
@example("retry_initial", 60.0)
@example("retry_initial", 61.0)
@example("retry_cap", 0.5)
@example("retry_factor", 0.9)
@example("retry_jitter", "none")
@example("retry_pause", 0)
def test_a_keyword_of_the_policy_is_refused_where_the_policy_refuses_it(name: str, value: Any) -> None:
    """And the error names the setting, not the policy's argument."""
    allowed = accepts(Backoff, **{name.removeprefix("retry_"): value})

    assert accepts(Settings, **{name: value}) == allowed
    if not allowed:
        assert refused(Settings, **{name: value}).field in (name, "retry_cap")


@pytest.mark.parametrize(
    ("name", "value", "way_out"),
    [
        ("open_timeout", 0.0, "take more than 0 seconds, or None"),
        ("alert_interval", None, "take seconds"),
        ("alert_interval", -1.0, "take more than 0 seconds"),
        ("max_size", 0, "1 or more, or None"),
        ("max_age_jitter", 1.1, "take a fraction from 0 to 1"),
        ("final_close_codes", [1000], "take one of close codes, (1000,)"),
        ("final_close_codes", (5000,), "take 1000 to 4999"),
        ("retry_strategy", "linear", "'exponential', 'fixed', 'immediate', None"),
        ("retry_jitter", "equal", "'full', 'none'"),
        ("retry_factor", 0.5, "1 or more"),
        ("queue_maxsize", 0, "take a number of values, 1 or more"),
        ("queue_maxsize", True, "take a number of values, 1 or more"),
        ("queue_maxsize", 2.0, "take a number of values, 1 or more"),
        ("queue_overflow", None, "'error', 'drop_oldest', 'drop_newest', 'latest'"),
    ],
)
def test_a_keyword_that_makes_no_sense_is_refused(name: str, value: Any, way_out: str) -> None:
    """It is named, with its value and with what would do; alone and by `load`."""
    error = refused(Settings, **{name: value})

    assert error.field == name
    assert way_out in error.message
    assert str(refused(load, **{name: value})) == str(error)


def test_a_keyword_that_is_no_number_is_refused_by_every_number() -> None:
    """Text and NaN alike."""
    for name in RANGED:
        for wrong in (nan, "5"):
            assert refused(Settings, **{name: wrong}).field == name


# The policy


def test_the_strategies_are_the_policies_of_that_name() -> None:
    """With what they share: how often, how long a connection must stay, and the pause."""
    shared: dict[str, Any] = {"retry_max_attempts": 7, "retry_stable_after": 20.0}
    common: dict[str, Any] = {"max_attempts": 7, "stable_after": 20.0}

    growing = Settings(retry_initial=2.0, retry_factor=3.0, retry_cap=9.0, retry_jitter="none", **shared)
    assert growing.backoff() == Backoff(2.0, 3.0, 9.0, "none", **common)
    fixed = Settings(retry_strategy="fixed", retry_initial=90.0, **shared)
    assert fixed.backoff() == Backoff(90.0, 1.0, 90.0, "none", pause=90.0, **common)
    at_once = Settings(retry_strategy="immediate", **shared)
    assert at_once.backoff() == Backoff(0.0, 1.0, 0.0, "none", pause=30.0, **common)
    assert Settings(retry_strategy=None).options()["retry"] is None


@pytest.mark.parametrize("strategy", FIELDS["retry_strategy"].choices)
def test_a_pause_of_ones_own_goes_before_the_policies(strategy: Any) -> None:
    """Whatever the delays are."""
    policy = Settings(retry_strategy=strategy, retry_pause=45.0).backoff()

    assert policy is not None
    assert policy.pause == 45.0


def test_only_what_grows_needs_its_cap_above_its_first_delay() -> None:
    """The error names both, and where they come from."""
    assert Settings(retry_strategy="fixed", retry_initial=61.0).retry_cap == 60.0
    assert Settings(retry_initial=60.0).retry_cap == 60.0

    environ = {"RXWS_RETRY_INITIAL": "61"}
    error = refused(load, "[rxws]\nretry_cap = 50\nmax_age = 60", environ)
    assert error.field == "retry_cap"
    assert "50.0 is less than retry_initial=61.0; take at least as much (retry_cap is from " in error.message
    assert error.message.endswith("app.toml [rxws]; retry_initial is from RXWS_RETRY_INITIAL)")
    assert refused(load, None, environ).message.endswith("(retry_initial is from RXWS_RETRY_INITIAL)")
    assert refused(load, retry_initial=61.0).message.endswith("take at least as much")
    assert refused(load, preset="trading", retry_initial=61.0).message.endswith(
        "(retry_cap is from the preset trading)"
    )


# Who goes before whom


@pytest.mark.parametrize("name", FIELDS)
@examples(max_examples=25)  # of each setting
@given(data=st.data())
def test_a_keyword_goes_before_the_environment_before_the_file_before_the_preset(
    name: str, data: st.DataObject
) -> None:
    """For every setting, and whichever of them hold it."""
    preset, file, environ, keyword = (
        {name: value} if given else {}
        for value, given in data.draw(st.lists(st.tuples(within(name), st.booleans()), min_size=4, max_size=4))
    )
    default = {name: getattr(Settings(), name)}

    with patch("rxws.settings.PRESETS", {"ours": preset}):
        loaded = load(lines(file), variables(environ), preset="ours", **keyword)

    assert getattr(loaded, name) == {**default, **preset, **file, **environ, **keyword}[name]
    assert {**held(loaded), **default} == held(Settings())


def test_the_environment_is_that_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of the import; only where none is given."""
    monkeypatch.setenv("RXWS_MAX_AGE", "3600")

    assert Settings.load().max_age == 3600.0
    assert Settings.load(environ={}).max_age is None


def test_a_prefix_of_ones_own_is_all_that_is_looked_at() -> None:
    """Others' variables may begin with RXWS_ then; with an empty prefix all would be ours, so that is refused."""
    environ = {"APP_MAX_AGE": "60", "RXWS_MAX_AGE": "90", "RXWS_PORT": "tcp://10.0.0.1", "PATH": "/bin"}

    assert load(None, environ, prefix="APP_").max_age == 60.0
    assert refused(load, None, environ, prefix="").field == "prefix"


def test_an_empty_variable_is_as_one_that_is_not_there() -> None:
    """It switches nothing off, and does not hide what the file says."""
    assert load("[rxws]\nping_interval = 30", {"RXWS_PING_INTERVAL": "", "RXWS_MAX_AGE": "  "}) == Settings(
        ping_interval=30.0
    )


@pytest.mark.parametrize("name", FIELDS)
def test_none_is_a_word_where_the_setting_takes_it(name: str) -> None:
    """In a variable and in a file; elsewhere it is refused as any other word."""
    text, environ = f'[rxws]\n{name} = "none"', {f"RXWS_{name.upper()}": " None "}

    if FIELDS[name].optional:
        assert getattr(load(text), name) is None
        assert getattr(load(None, environ), name) is None
    elif name == "retry_jitter":
        assert load(text).retry_jitter == "none"
    else:
        assert refused(load, text).field == name
        assert accepts(load, None, environ) == (name == "final_close_codes")


def test_close_codes_of_a_variable_are_parted_by_commas() -> None:
    """With or without spaces; "none" is none of them, whatever the file says."""
    file = "[rxws]\nfinal_close_codes = [1000]"

    assert load(file).final_close_codes == (1000,)
    assert load(file, {"RXWS_FINAL_CLOSE_CODES": "4001,4002 , 4003"}).final_close_codes == (4001, 4002, 4003)
    assert load(file, {"RXWS_FINAL_CLOSE_CODES": "none"}).final_close_codes == ()


@given(settings())
def test_what_is_written_is_what_is_read(settings: Settings) -> None:
    """As variables, as a file, and as whatever msgspec writes."""
    told: list[Clamped] = []

    assert load(None, variables(held(settings)), clamped=told.append) == settings
    assert load(lines(held(settings)), clamped=told.append) == settings
    assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings
    assert told == []


def test_msgspec_refuses_what_is_no_setting_too() -> None:
    """Settings that come by another way are not read past a name that is wrong."""
    with pytest.raises(msgspec.ValidationError, match="unknown field `max_aged`"):
        msgspec.convert({"max_aged": 5.0}, Settings)


# Hard ranges


def makes_sense(name: str, value: float) -> bool:
    """Tell what a keyword may be, where only its own sense counts."""
    least_included = {"retry_initial": 0.0, "retry_stable_after": 0.0, "retry_pause": 0.0, "retry_cap": 0.0}
    least_included |= {"retry_factor": 1.0, "max_age_jitter": 0.0, "max_size": 1, "retry_max_attempts": 1}
    least_included |= {"queue_maxsize": 1}
    above = value >= least_included[name] if name in least_included else value > 0.0
    return above and isfinite(value) and not (name == "max_age_jitter" and value > 1.0)


@pytest.mark.parametrize("name", RANGED)
@examples(max_examples=25)  # of each setting
@given(value=NUMBERS, in_file=st.booleans())
@example(value=10**300, in_file=True)
@example(value=10**300, in_file=False)
@example(value=inf, in_file=True)
@example(value=-inf, in_file=False)
def test_what_is_out_of_range_is_clamped_and_told(name: str, value: float, in_file: bool) -> None:
    """Once, with what stood where; a keyword is taken as it is, or refused where it makes no sense."""
    hard, whole = RANGED[name], isinstance(RANGED[name].least, int)
    assume(not whole or isfinite(value))
    value = int(value) if whole else float(value)
    assume(not hard.least <= value <= hard.most)
    given = {name: value}
    told: list[Clamped] = []

    loaded = load(
        lines(given) if in_file else None,
        {} if in_file else variables(given),
        clamped=told.append,
        retry_strategy="fixed",  # under which no field depends on another
    )

    end = hard.least if value < hard.least else hard.most
    assert loaded == Settings(**{name: end}, retry_strategy="fixed")  # type: ignore[arg-type]
    (one,) = told
    assert (one.field, one.value, one.used) == (name, value, end)
    assert one.source.endswith("app.toml [rxws]") if in_file else one.source == f"RXWS_{name.upper()}"
    assert accepts(load, clamped=told.append, retry_strategy="fixed", **given) == makes_sense(name, value)
    assert told == [one]


def test_each_end_of_a_range_is_in_it() -> None:
    """It is taken and not told of; so are all defaults and all presets."""
    told: list[Clamped] = []
    for name, hard in RANGED.items():
        for end in (hard.least, hard.most):
            loaded = load(None, variables({name: end}), clamped=told.append, retry_strategy="fixed")
            assert getattr(loaded, name) == end
    for values in (held(Settings()), *PRESETS.values()):
        load(lines(values), clamped=told.append)

    assert told == []


def test_what_a_keyword_takes_the_place_of_is_not_told() -> None:
    """Nor what the environment does: only what is used counts."""
    told: list[Clamped] = []
    text = "[rxws]\nping_interval = 1\nping_timeout = 1"

    load(text, {"RXWS_PING_TIMEOUT": "7"}, clamped=told.append, ping_interval=2.0)

    assert told == []


def test_whom_it_is_told_when_nobody_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The logger "rxws", a warning each."""
    with caplog.at_level(logging.DEBUG, "rxws"):
        load(None, {"RXWS_PING_INTERVAL": "1", "RXWS_QUEUE_MAXSIZE": "0"})

    assert caplog.record_tuples == [
        ("rxws", logging.WARNING, "ping_interval: 1.0 in RXWS_PING_INTERVAL is out of range; 5.0 is used"),
        ("rxws", logging.WARNING, "queue_maxsize: 0 in RXWS_QUEUE_MAXSIZE is out of range; 1 is used"),
    ]


def test_who_is_told_may_refuse() -> None:
    """What it raises goes through, as it is."""

    def strict(clamped: Clamped) -> None:
        raise ValueError(clamped)

    with pytest.raises(ValueError, match="1.0 in RXWS_MAX_AGE"):
        load(None, {"RXWS_MAX_AGE": "1"}, clamped=strict)


# What is wrong, and where


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("wrong", [f'"{SECRET}"', "true", "nan", "2026-07-08", "{ a = 1 }", f'["{SECRET}"]'])
def test_a_wrong_value_of_a_file_is_told_with_its_place(name: str, wrong: str) -> None:
    """The setting, the file, the table and what would do; the value not, which may be anything."""
    error = refused(load, f"[rxws]\n{name} = {wrong}")

    assert error.field == name
    assert "app.toml [rxws] will not do; take " in error.message
    assert SECRET not in "".join(traceback.format_exception(error))


def test_a_number_of_a_file_is_not_written_as_text() -> None:
    """TOML has numbers; only variables have nothing but text."""
    for name in RANGED:
        assert refused(load, f'[rxws]\n{name} = "60"').field == name


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("wrong", [SECRET, "true", "nan", "1 000", "1_0", "0x10", "1e999", "9" * 5000, "[4001]", "5,"])
def test_a_wrong_variable_is_told(name: str, wrong: str) -> None:
    """By its own name, with what would do, and not by its value."""
    variable = f"RXWS_{name.upper()}"
    error = refused(load, None, {variable: wrong})

    assert error.field == name
    assert f"what stands in {variable} will not do; take " in error.message
    assert wrong not in str(error).replace(variable, "").replace("`", "")
    assert SECRET not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("ping_interval", 'take a number from 5 to 60 (seconds), or "none"'),
        ("retry_factor", "take a number from 1 to 10 (times)"),
        ("retry_strategy", 'take one of exponential, fixed, immediate, or "none"'),
        ("retry_jitter", "take one of full, none"),
        ("final_close_codes", "take whole numbers"),
    ],
)
def test_what_would_do_is_told(name: str, right: str) -> None:
    """The range with its unit, or the choices; None where it is one of them."""
    assert refused(load, None, {f"RXWS_{name.upper()}": SECRET}).message.endswith(right)


def test_what_is_wrong_is_refused_also_where_it_has_no_effect() -> None:
    """Else it would be found on the day when what hides it goes."""
    text = "[rxws]\nmax_age = true"

    assert refused(load, text, {"RXWS_MAX_AGE": "60"}, max_age=60.0).field == "max_age"
    assert refused(load, None, {"RXWS_MAX_AGE": "soon"}, max_age=60.0).field == "max_age"


def test_a_close_code_that_is_none_is_told_with_its_place() -> None:
    """No range stands for it, so it is not clamped."""
    error = refused(load, None, {"RXWS_FINAL_CLOSE_CODES": "4001,99"})

    assert str(error) == (
        "final_close_codes: 99 is no close code; take 1000 to 4999 (final_close_codes is from RXWS_FINAL_CLOSE_CODES)"
    )


def test_a_name_that_is_no_setting_is_refused() -> None:
    """In each place, with the nearest name as it would be written there; the value is not told."""
    in_file = refused(load, f'[rxws]\nping_intervall = "{SECRET}"')
    assert in_file.field == "ping_intervall"
    assert "app.toml [rxws]; did you mean 'ping_interval'?" in in_file.message

    in_environment = refused(load, None, {"RXWS_PING_INTERVALL": SECRET})
    assert str(in_environment) == (
        "RXWS_PING_INTERVALL: no such setting in the environment; did you mean 'RXWS_PING_INTERVAL'?"
    )

    assert str(refused(load, ping_intervall=5.0)) == "ping_intervall: no such setting; did you mean 'ping_interval'?"
    assert refused(load, xyz=5.0).message.startswith("no such setting; there are alert_interval, check_interval, ")
    assert SECRET not in str(in_file)


def test_urls_and_headers_are_no_settings() -> None:
    """They may hold secrets; what was tried is not told."""
    for name in ("url", "headers", "token"):
        assert SECRET not in str(refused(load, None, {f"RXWS_{name.upper()}": f"wss://me:{SECRET}@venue.example"}))
        assert SECRET not in str(refused(load, f'[rxws]\n{name} = "{SECRET}"'))


def test_a_preset_that_does_not_exist_is_refused() -> None:
    """With those that do."""
    assert str(refused(load, preset="fast")) == "preset: 'fast' is unknown; take one of monitoring, trading"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """One that is not there, and a folder."""
    for path in (tmp_path / "gone.toml", tmp_path):
        error = refused(Settings.load, path, environ={})
        assert error.field == "file"
        assert error.message.startswith(f"{path} cannot be read: ")
        assert isinstance(error.__cause__, OSError)


@pytest.mark.parametrize("content", [b"[rxws", b"[rxws]\nmax_age = \xff", b"[rxws]\nmax_age = " + b"9" * 5000])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, content: bytes) -> None:
    """Of whatever kind the trouble is."""
    path = tmp_path / "app.toml"
    path.write_bytes(content)
    error = refused(Settings.load, str(path), environ={})

    assert error.field == "file"
    assert error.message.startswith(f"{path} is no TOML: ")


def test_the_table_may_stand_in_another() -> None:
    """As in pyproject.toml; what stands beside it is others'."""
    text = '[project]\nname = "x"\n[tool.rxws]\nmax_age = 60\n[tool.other]\nx = 1'

    assert load(text, table="tool.rxws").max_age == 60.0
    assert "app.toml [tool.rxws]" in refused(load, "[tool.rxws]\nmax_age = true", table="tool.rxws").message


@pytest.mark.parametrize("text", ["", "[rwxs]\nmax_age = 60", "rxws = 5", "[other.rxws]\nmax_age = 60"])
def test_a_file_without_the_table_is_refused(text: str) -> None:
    """Else a slip in its name would set nothing, in silence."""
    error = refused(load, text)

    assert error.field == "table"
    assert "app.toml has no table [rxws]" in error.message


# Presets and the page


def test_a_preset_is_what_it_says() -> None:
    """Each number arrives, and all else is as it was."""
    for name, values in PRESETS.items():
        assert load(preset=name) == Settings(**values)  # type: ignore[arg-type]


def test_trading_finds_a_loss_within_ten_seconds_and_dials_no_more_than_a_venue_takes() -> None:
    """What its comments promise: the mean of full jitter is half of each delay."""
    trading = load(preset="trading")
    policy = trading.backoff()

    assert trading.ping_interval is not None and trading.ping_timeout is not None
    assert trading.ping_interval + trading.ping_timeout <= 10.0
    assert policy is not None and policy.jitter == "full"
    dials = list(accumulate((policy.delay(failures) / 2 for failures in range(1, 1000)), initial=0.0))
    assert sum(at < 600.0 for at in dials) == 125
    assert sum(300.0 <= at < 360.0 for at in dials) == 12
    assert policy.pause == 30.0


def test_the_file_of_the_page_is_one() -> None:
    """docs/settings.md shows a file that sets what it shows, and nothing in it is out of range."""
    (shown,) = (block for block in snippets(ROOT / "docs" / "settings.md") if block.language == "toml")
    told: list[Clamped] = []

    assert load(shown.source, clamped=told.append) == Settings(
        ping_interval=15.0,
        idle_timeout=30.0,
        max_age=82_800.0,
        final_close_codes=(4001,),
        retry_initial=0.5,
        retry_cap=30.0,
        queue_maxsize=10_000,
        queue_overflow="drop_oldest",
    )
    assert told == []
