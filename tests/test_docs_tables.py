"""The tables of the docs are those of the code."""

from __future__ import annotations

from pathlib import Path

from rxws import errors, events, operators
from rxws.events import TRANSITIONS, ConnectionState, DisconnectReason, Trigger
from rxws.settings import FIELDS, PRESETS, Settings

DOCS = Path(__file__).parents[1] / "docs"


def row(*cells: str) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def transitions() -> str:
    """States down, triggers across."""
    heads = [trigger.name.lower().replace("_", " ") for trigger in Trigger]
    lines = [row("state", *heads), row(*["---"] * (len(heads) + 1))]
    for state in ConnectionState:
        targets = [TRANSITIONS[state].get(trigger) for trigger in Trigger]
        lines.append(row(f"**{state.name}**", *[target.name if target else "·" for target in targets]))
    return "\n".join(lines)


def verdicts() -> str:
    """What each status, close code and class means by default."""
    lines = [row("error", "verdict"), row("---", "---")]
    for key, verdict in errors.TABLE.items():
        name = f"`{key.__name__}`" if isinstance(key, type) else str(key)
        lines.append(row(name, f"`{verdict!r}`"))
    return "\n".join(lines)


def test_the_table_of_transitions_is_the_codes() -> None:
    """docs/lifecycle.md shows the table by which states change."""
    assert transitions() in (DOCS / "lifecycle.md").read_text(encoding="utf-8")


def test_the_table_of_verdicts_is_the_codes() -> None:
    """docs/lifecycle.md shows what errors mean."""
    assert verdicts() in (DOCS / "lifecycle.md").read_text(encoding="utf-8")


def test_every_reason_event_and_error_is_explained() -> None:
    """docs/lifecycle.md names them all."""
    page = (DOCS / "lifecycle.md").read_text(encoding="utf-8")
    told = [name for name in events.__all__ if name[0].isupper() and name not in ("Trigger", "TRANSITIONS")]
    names = [*told, *(reason.name for reason in DisconnectReason)]
    names += [name for name in errors.__all__ if name not in ("TABLE", "Table", "Verdict", "verdict")]
    assert [name for name in names if f"`{name}" not in page] == []


def test_every_operator_is_explained() -> None:
    """docs/operators.md names them all."""
    page = (DOCS / "operators.md").read_text(encoding="utf-8")
    assert [name for name in operators.__all__ if f"`{name}" not in page] == []


def shown(value: object) -> str:
    """A default, as a page shows it."""
    return {None: "None", (): "empty"}.get(value) or (f"`{value}`" if isinstance(value, str) else str(value))


def settings() -> list[str]:
    """Each setting, but for the last column, which is prose."""
    lines = []
    for name, field in FIELDS.items():
        choices = ", ".join(f"`{choice}`" for choice in field.choices) or "1000 to 4999"
        unit, right = ("", choices)
        if field.range:
            unit, right = field.range.unit, f"{field.range.least} to {field.range.most}"
        default = shown(getattr(Settings(), name))
        lines.append(row(f"`{name}`", f"`RXWS_{name.upper()}`", unit, right, default, "").rstrip("| "))
    return lines


def presets() -> str:
    """Each setting that a preset has, and what it is there."""
    lines = [row("setting", *PRESETS), row(*["---"] * (len(PRESETS) + 1))]
    for name in FIELDS:
        if any(name in preset for preset in PRESETS.values()):
            lines.append(row(f"`{name}`", *(str(preset.get(name, "·")) for preset in PRESETS.values())))
    return "\n".join(lines)


def test_the_table_of_settings_is_the_codes() -> None:
    """docs/settings.md has a line for each setting, in their order, and says something of it."""
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if "`RXWS_" in line and line.startswith("|")]
    assert [line.rpartition(" | ")[0] for line in lines] == settings()
    assert [line for line in lines if len(line.rpartition(" | ")[2]) < 10] == []


def test_the_table_of_presets_is_the_codes() -> None:
    """docs/settings.md shows each number of each preset."""
    assert presets() in (DOCS / "settings.md").read_text(encoding="utf-8")
