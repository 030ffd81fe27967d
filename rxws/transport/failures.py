"""What a failed dial means: the library's errors made into ours, without secrets."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from reactivex import abc
from websockets.exceptions import InvalidProxy, InvalidStatus, InvalidURI

from rxws.errors import ConnectionFailed, Disconnected, HandshakeRejected
from rxws.redaction import masked, masked_text

__all__ = ["failure", "retry_after"]


def failure(error: Exception, url: str, scheduler: abc.SchedulerBase) -> Disconnected:
    """Turn what websockets or the system raised while opening into our own error, raised from it."""
    failed: ConnectionFailed
    if isinstance(error, InvalidStatus):
        response = error.response
        asked = [retry_after(header, scheduler) for header in response.headers.get_all("Retry-After")]
        wait = max((seconds for seconds in asked if seconds is not None), default=None)
        failed = HandshakeRejected(url, response.status_code, wait, bytes(response.body))
    else:
        failed = ConnectionFailed(url, 1, _discreet(error))
    failed.__cause__ = error
    return failed


def retry_after(header: str, scheduler: abc.SchedulerBase) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110, section 10.2.3)."""
    if header.strip().isdecimal():
        return float(header)
    try:
        date = parsedate_to_datetime(header)
        return max(0.0, (date - scheduler.now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, or one without a time zone
        return None


def _discreet(error: Exception) -> Exception:
    # A traceback shows the cause too, and websockets' words hold the whole URL of a redirect or of a proxy.
    if isinstance(error, InvalidURI):
        error.uri = masked(error.uri)
        error.args = (error.uri, error.msg)
    elif isinstance(error, InvalidProxy):
        error.proxy = masked(error.proxy)
        error.args = (error.proxy, error.msg)
    else:
        error.args = tuple(masked_text(word) if isinstance(word, str) else word for word in error.args)
    return error
