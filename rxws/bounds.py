"""What a connection is given: timeouts, sizes, a limit of what is sent, and the transport's options, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rxws.arguments import seconds, size
from rxws.errors import ConfigError
from rxws.limits import SendLimit

__all__ = ["Bounds"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection is given: seconds, and bytes; None: no limit, no pings."""

    open_timeout: float | None
    ping_interval: float | None
    ping_timeout: float | None
    close_timeout: float | None
    max_size: int | None
    send_limit: SendLimit | None = None
    options: Mapping[str, object] = field(default_factory=dict, repr=False)  # a proxy's password may be in them

    def __post_init__(self) -> None:
        if not (self.send_limit is None or isinstance(self.send_limit, SendLimit)):
            raise ConfigError("send_limit", f"{self.send_limit!r} is no SendLimit; take a SendLimit(…), or None")
        for name in ("open_timeout", "ping_interval", "ping_timeout", "close_timeout"):
            seconds(name, getattr(self, name))
        size("max_size", self.max_size)
