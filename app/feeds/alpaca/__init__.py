"""Alpaca's market data: trades and quotes of US stocks as they happen, and what was before.

The free feed (`iex`) sees one exchange, some per cent of the volume: how much is measured from
history, symbol by symbol, and carried along as `volume_coverage`.
"""

from collections.abc import Mapping
from typing import Any

from app.feeds.alpaca.feed import NAME, AlpacaFeed
from app.feeds.alpaca.options import read_options
from app.ports import Calendar, Feed

FEED = NAME


def open_feed(calendar: Calendar, options: Mapping[str, Any]) -> Feed:
    """Opens the feed; it connects when the first symbol is watched.

    Options are those of `options.Options`; `key_id` and `secret_key` are needed. Alpaca has a
    calendar of its own: `calendar` is not read. Raises ValueError.
    """
    return AlpacaFeed(read_options(options))
