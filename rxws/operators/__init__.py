"""Operators for connections and their messages, beside reactivex's own: ``from rxws import operators as wsops``."""

from __future__ import annotations

from rxws.operators.after import after
from rxws.operators.close_candles import close_candles
from rxws.operators.closed_kline import closed_kline
from rxws.operators.conflate import conflate
from rxws.operators.connect_while import connect_while
from rxws.operators.data_only import data_only
from rxws.operators.decode import decode
from rxws.operators.dedupe import dedupe
from rxws.operators.detect_gaps import detect_gaps
from rxws.operators.disconnect_alerts import disconnect_alerts
from rxws.operators.fill_gaps import fill_gaps
from rxws.operators.filter_kline import filter_kline
from rxws.operators.flatten import flatten
from rxws.operators.fresh import fresh
from rxws.operators.heartbeat import heartbeat
from rxws.operators.idle_timeout import idle_timeout
from rxws.operators.match import match
from rxws.operators.max_age import max_age
from rxws.operators.messages import messages
from rxws.operators.order_book import order_book
from rxws.operators.overflow import overflow
from rxws.operators.reconnect import reconnect
from rxws.operators.record_stats import record_stats
from rxws.operators.reopen import reopen
from rxws.operators.repeat_when import repeat_when
from rxws.operators.retry_when import retry_when
from rxws.operators.rotate import rotate
from rxws.operators.route import route
from rxws.operators.send_subscriptions import send_subscriptions
from rxws.operators.share_live import share_live
from rxws.operators.take_until import take_until
from rxws.operators.topic_timeout import topic_timeout

__all__ = [
    "after",
    "close_candles",
    "closed_kline",
    "conflate",
    "connect_while",
    "data_only",
    "decode",
    "dedupe",
    "detect_gaps",
    "disconnect_alerts",
    "fill_gaps",
    "filter_kline",
    "flatten",
    "fresh",
    "heartbeat",
    "idle_timeout",
    "match",
    "max_age",
    "messages",
    "order_book",
    "overflow",
    "reconnect",
    "record_stats",
    "reopen",
    "repeat_when",
    "retry_when",
    "rotate",
    "route",
    "send_subscriptions",
    "share_live",
    "take_until",
    "topic_timeout",
]
