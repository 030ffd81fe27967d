"""The tables of the docs are those of the code."""

from __future__ import annotations

from pathlib import Path

from rxws import errors, events, operators
from rxws.events import TRANSITIONS, ConnectionState, DisconnectReason, Trigger

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
