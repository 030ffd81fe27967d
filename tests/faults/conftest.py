"""What the faults share: who knows what the client leaves behind, and what the loop's exception handler hears."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.faults.leftovers import Leftovers
from tests.faults.watching import Watch


@pytest.fixture
async def leftovers() -> Leftovers:
    """Know what the client makes from here on."""
    return Leftovers()


@pytest.fixture
def watch(leftovers: Leftovers) -> Any:
    """Make a `Watch`: the stream under test, its settings given."""

    def make(*args: Any, **settings: Any) -> Watch:
        return Watch(leftovers, *args, **settings)

    return make


@pytest.fixture(autouse=True)
async def unheard() -> Any:
    """What the loop's exception handler hears; a test that expects none must have none."""
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    expected: list[BaseException] = []
    yield expected
    assert [context.get("exception") for context in heard] == expected, heard
