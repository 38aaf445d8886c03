"""Alpaca: a real broker, on paper or with money.

Orders go out as limit orders over REST, and come back as trade updates over a WebSocket. Keys come
with the options and go nowhere but to Alpaca: no file, no log, no error, no answer holds them; a
key that may only trade is enough. What was and was not tried is written in docs/brokers.md.
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.brokers.alpaca.broker import AlpacaBroker
from app.brokers.alpaca.options import PAPER_URL, read_options
from app.domain.tape import Tape
from app.ports import Broker

BROKER = "alpaca"
CLOSING_AUCTION = True
EXTENDED_HOURS = True


def PAPER(url: str) -> bool:  # noqa: N802 - stated like the constants beside it
    """Whether the money there is not real: only at Alpaca's own paper address is that certain."""
    return url.rstrip("/") == PAPER_URL


def open_broker(account: str, tape: Callable[[str], Tape], options: Mapping[str, Any]) -> Broker:
    """Open the account that the keys belong to; nothing is asked yet.

    The market is Alpaca's own: `tape` is not read, and `account` is our name for it. Options are
    those of `options.Options`. Raises ValueError for options that cannot be used.
    """
    return AlpacaBroker(BROKER, read_options(options))
