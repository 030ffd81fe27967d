"""The arithmetic of the summary."""

from __future__ import annotations

from rxws.cli.summary import Account, Numbers, failures, summary
from rxws.events import DisconnectReason

SPOT = Account(
    name="spot",
    reasons={DisconnectReason.SERVER_CLOSED: 3, DisconnectReason.CONNECTION_LIMIT: 1, DisconnectReason.IDLE_TIMEOUT: 1},
    refused=2,
    came=1_000,
    written=1_004,
    missed=70,
)
USDM = Account(name="usdm", reasons={DisconnectReason.SCHEDULED: 1}, down=1, came=500, written=500, missed=5)


def test_numbers_tell_what_came_twice_or_out_of_order() -> None:
    """A number that is not higher than all before it is astray; a gap is none."""
    numbers = Numbers()
    for number in (3, 4, 9, 9, 5, 10):
        numbers.take(number)

    assert (numbers.came, numbers.last, numbers.astray) == (6, 10, 2)


def test_the_summary_adds_up() -> None:
    """Ends by kind and reason, what came and what was lost, by exchange and in all."""
    text = summary([SPOT, USDM], 20.04)
    rows = {row[:40].strip(): [int(each.replace(",", "")) for each in row[40:].split()] for row in text[3:13]}

    assert text[0] == "5 disconnects survived in 20.0 s."
    assert rows == {
        "proactive disconnects (we ended it)": [1, 1, 2],
        "connection limit": [1, 0, 1],
        "scheduled": [0, 1, 1],
        "reactive disconnects (it ended on us)": [4, 0, 4],
        "idle timeout": [1, 0, 1],
        "server closed": [3, 0, 3],
        "attempts that got no connection": [2, 0, 2],
        "messages that came": [1_000, 500, 1_500],
        "messages lost between two connections": [70, 5, 75],
        "": [],
    }
    assert text[14:] == [
        "1,500 messages came, each once and in order;",
        "75 were sent while no working connection was there to get them.",
        "4 more were on their way as a connection was reset, or left by plan.",
    ]
    assert max(map(len, text)) < 80


def test_a_pipeline_that_has_not_survived_fails() -> None:
    """Each thing that must not be has its sentence; what there was no time for is none."""
    astray = Account(name="spot", came=10, astray=2, written=8)

    assert failures([SPOT]) == []
    assert failures([USDM, Account(name="late")], over=False) == []
    assert failures([USDM]) == ["usdm was still down when the time was up"]
    assert failures([Account(name="spot")]) == ["no message came from spot"]
    assert failures([astray]) == ["2 messages of spot came twice or out of order"]
    assert failures([SPOT], ValueError("a bug")) == ["the pipeline ended with ValueError: a bug"]
    assert astray.unread == 0
