"""How an account of the venue behaves; all of it can be changed at any moment."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

Span = tuple[int, int]
"""From and to, in milliseconds; drawn evenly."""

FAULTS = (
    # An order comes in.
    "cut_before",  # not taken, the connection is closed
    "hang_before",  # not taken, and no answer
    "503_before",
    "429_before",
    "linger",  # it waits on its way, up to the quarantine, and is taken then
    "refuse",  # definitely refused: insufficient_funds
    # It was taken.
    "cut_after",
    "hang_after",
    "503_after",
    "429_after",
    "garbage_after",  # the answer cannot be read
    "ack_delay",
    "ack_reorder",  # the answer comes after the fills
    "ack_duplicate",  # told by the stream, twice, as well
    "refuse_later",  # acknowledged, and rejected after all
    "cancel_unasked",  # the venue cancels it by itself
    # A cancel comes in.
    "cancel_ignored",  # and answered as if it were not
    "cancel_cut",  # taken, the connection is closed
    "cancel_delay",  # taken later
    # What happened is told.
    "report_drop",
    "report_delay",
    "report_duplicate",
    "report_reorder",
    "report_garbage",  # told in a way that cannot be read
    # What should not happen.
    "late_fill",  # after a confirmed cancel
    "over_fill",  # beyond the quantity
    "bust",
    "correct",
    # Questions and the stream.
    "stream_cut",
    "question_cut",
    "question_503",
    "question_delay",
    "list_omits",  # the list of open orders leaves one out
    "list_shows_closed",
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`chances` are the probabilities of FAULTS; what is not named never happens.

    `partial` is how often a match fills only a part; `misses` how often an order finds nobody: an
    IOC order ends unfilled, a resting one waits for its cancel. `work_ms`: until an order that
    crosses is matched; `rest_ms`: until a resting one is, each time; `delay_ms`: how long a late
    answer or report is held; `after_ms`: how long after the facts comes what should not happen.

    `requests_per_minute`, `ids` and `activity_ids` are for the Alpaca face: its rate limit over all
    requests, ids as it gives them, and whether an execution has the same id in the list of
    activities as in the stream.

    How it treats orders with a stop, on the Alpaca face as well: the limit is told to have `ended`
    as canceled or replaced when its stop is set off; the cancel of what the other ended is `unsaid`
    by the stream; both fill (`both_fill`); what is left of a leg whose limit filled in part is
    `put_anew` under another id; and a leg whose limit is over is not in the list of open orders
    (`unlisted`), or an order that is over is told without its legs (`bare`).
    Whatever meets an open stop on the other side of its symbol, and a stop that meets anything
    there, is refused as a `wash` trade.

    `touch` gives symbols a market that stands still, best bid and offer: what does not reach it
    finds nobody, what does fills there. Orders in other symbols bring their price with them.
    """

    id_scope: str = "ever"  # ever | open_only | window | none
    window_ms: int = 60_000
    lookup: str = "all"  # all | open_only | none
    lookup_lag_ms: int = 0
    quarantine_ms: int = 0
    deadline_ms: int | None = None
    orders_per_second: int | None = None
    cancels_per_second: int | None = None
    lookback_ms: int = 86_400_000
    requests_per_minute: int | None = None
    execution_ids: str = "account"  # account | symbol
    ids: str = "short"  # short | uuid
    activity_ids: str = "execution"  # execution | own
    symbols: tuple[str, ...] | None = None
    closed: bool = False
    tick: str = "0.01"
    lot: str = "1"
    fee_per_share: str = "0"
    partial: float = 0.0
    misses: float = 0.0
    work_ms: Span = (1, 10)
    rest_ms: Span = (50, 300)
    delay_ms: Span = (20, 200)
    after_ms: Span = (50, 500)
    day_ms: int | None = None
    ended: str = "canceled"  # canceled | replaced
    unsaid: bool = False
    both_fill: bool = False
    put_anew: bool = False
    unlisted: bool = False
    bare: bool = False
    wash: bool = False
    touch: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    chances: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


ONE_OF = {
    "id_scope": ("ever", "open_only", "window", "none"),
    "lookup": ("all", "open_only", "none"),
    "execution_ids": ("account", "symbol"),
    "ids": ("short", "uuid"),
    "activity_ids": ("execution", "own"),
    "ended": ("canceled", "replaced"),
}


def read_behaviour(given: Mapping[str, Any]) -> Behaviour:
    """A behaviour from JSON. Raises ValueError naming what is wrong: a typo must not pass for a
    fault that never happens."""
    known = {f.name for f in fields(Behaviour)}
    if strange := sorted(set(given) - known):
        raise ValueError(f"a behaviour has no {strange[0]!r}")
    values = dict(given)
    for name in ("work_ms", "rest_ms", "delay_ms", "after_ms", "symbols"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    behaviour = Behaviour(**values)
    _check(behaviour)
    return behaviour


def _check(behaviour: Behaviour) -> None:
    for name, allowed in ONE_OF.items():
        if getattr(behaviour, name) not in allowed:
            raise ValueError(f"{name} is one of {', '.join(allowed)}")
    if strange := sorted(set(behaviour.chances) - set(FAULTS)):
        raise ValueError(f"there is no fault {strange[0]!r}")
    chances = {**behaviour.chances, "partial": behaviour.partial, "misses": behaviour.misses}
    for name, chance in chances.items():
        if not 0 <= chance <= 1:
            raise ValueError(f"{name} is a probability, not {chance}")
    for step in (behaviour.tick, behaviour.lot):
        if not Decimal(step) > 0:
            raise ValueError(f"{step} is no step")
