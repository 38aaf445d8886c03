"""The sandbox broker: for rehearsing against a venue that misbehaves on purpose.

It speaks a small HTTP interface (orders, cancels, look-ups, lists, a long-polled stream) of a venue
in another process that lives in machine time and has a ledger of its own. No money is behind it;
what it proves is that this house tells honestly what such a venue did: which answers are definite,
which are not, and what was missed while the line was down.
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.brokers.sandbox.broker import SandboxBroker
from app.brokers.sandbox.options import read_options
from app.brokers.sandbox.profile import ask_profile
from app.domain.tape import Tape
from app.ports import Broker

BROKER = "sandbox"
PAPER = True


def open_broker(account: str, tape: Callable[[str], Tape], options: Mapping[str, Any]) -> Broker:
    """Open the account at the venue of the option `url`, asking it how the account behaves.

    The venue's market is its own: `tape` is not read. Options are those of `options.Options`.
    Raises ValueError for options that cannot be used, ConnectionError when the venue cannot be
    asked within `open_timeout_ms`: without its answer nobody knows how to recover.
    """
    read = read_options(options)
    return SandboxBroker(BROKER, account, read, ask_profile(read, account))
