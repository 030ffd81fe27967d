"""What the event loop's exception handler hears, for the folders whose tests run clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

__all__ = ["unheard"]


@pytest.fixture(autouse=True)
async def unheard() -> Any:
    """What the loop's exception handler hears; a test that expects none must have none."""
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    expected: list[BaseException] = []
    yield expected
    assert [context.get("exception") for context in heard] == expected, heard
