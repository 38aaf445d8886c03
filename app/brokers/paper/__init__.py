"""The paper broker: a simulated venue that lives in its own ledger, as if it were remote."""

from collections.abc import Callable, Mapping
from typing import Any

from app.brokers.paper.broker import PaperBroker
from app.brokers.paper.options import read_options
from app.domain.tape import Tape
from app.ports import Broker

BROKER = "paper"
CLOSING_AUCTION = True
EXTENDED_HOURS = True
PAPER = True


def open_broker(account: str, tape: Callable[[str], Tape], options: Mapping[str, Any]) -> Broker:
    """Open the account at the venue, going on exactly where its ledger stands.

    `tape` may raise KeyError for a symbol nobody watches (yet); options are those of
    `options.Options`. Raises ValueError for options or a ledger that cannot be used.
    """
    return PaperBroker(BROKER, account, tape, read_options(options))
