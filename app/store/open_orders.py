"""What a desk loads: its open orders, and those somebody asks it to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.execution import Execution
from app.domain.instant import Instant
from app.domain.market import Traded
from app.domain.task import OnRestart
from app.store import journal
from app.store.database import NEED_NOT_LAST, Connection


@dataclass(frozen=True, slots=True)
class Loaded:
    """One order as the journal has it, with what its desk wants to remember."""

    execution: Execution
    version: int
    strategy: str | None
    arrival_mid: Decimal | None
    filled_notional: Decimal
    on_restart: OnRestart
    priority: int = 0
    role: str = "single"
    group_id: str | None = None


async def all_open(connection: Connection, *, account: str, broker: str) -> list[str]:
    """The id of every order of the desk that is not finished."""
    found = await connection.fetch(
        f"SELECT id FROM orders WHERE broker = $2 AND account = $1 AND {journal.OPEN} ORDER BY id",
        account,
        broker,
    )
    return [row["id"] for row in found]


async def versions(connection: Connection, *, account: str, broker: str) -> dict[str, int]:
    """The version of every open order, to find what a desk has not heard of."""
    found = await connection.fetch(
        f"SELECT id, version FROM orders WHERE broker = $2 AND account = $1 AND {journal.OPEN}",
        account,
        broker,
    )
    return {row["id"]: row["version"] for row in found}


async def fingerprint(connection: Connection, *, account: str, broker: str) -> tuple[int, int]:
    """What `fingerprint_of` makes of the versions of every open order: compared where they are, for
    thousands of rows on their way hold up whoever waits for them."""
    row = await connection.fetchrow(
        "SELECT count(*) AS orders,"
        " coalesce(sum(('x' || right(id::text, 8))::bit(32)::bigint * version), 0) AS sum"
        f" FROM orders WHERE broker = $2 AND account = $1 AND {journal.OPEN}",
        account,
        broker,
    )
    assert row is not None, "a count is always there"
    return row["orders"], int(row["sum"])


def fingerprint_of(versions: Mapping[str, int]) -> tuple[int, int]:
    """How many orders, and their versions weighed by what is random of their ids: where one order
    or version is another, so is this, but for a chance of one in four thousand millions."""
    return len(versions), sum(int(name[-8:], 16) * version for name, version in versions.items())


async def last_fill_at(connection: Connection, *, account: str) -> Instant | None:
    """When the latest booked fill happened."""
    at: Instant | None = await connection.fetchval(
        "SELECT max(at) FROM fills WHERE account = $1", account
    )
    return at


async def take_attention(
    connection: Connection, *, account: str, broker: str, at_most: int | None = None
) -> list[str]:
    """Ids of orders that were accepted or changed from outside, the oldest first; the flag is
    cleared."""
    # Locked in key order, as the journal does: nobody waits in a circle.
    found = await connection.fetch(
        "UPDATE orders SET attention = false WHERE account = $1 AND id = ANY (ARRAY("
        # An id is never null; with these words the index of the flagged alone has this order.
        "SELECT id FROM orders WHERE broker = $2 AND account = $1 AND attention"
        " ORDER BY id NULLS FIRST LIMIT $3 FOR UPDATE)) RETURNING id",
        account,
        broker,
        at_most,
    )
    return sorted(row["id"] for row in found)


async def load(connection: Connection, *, account: str, order_ids: Sequence[str]) -> list[Loaded]:
    """Orders by id, in that order."""
    if not order_ids:
        return []
    executions = await journal.load(connection, account=account, order_ids=order_ids)
    rows = await connection.fetch(
        "SELECT id, strategy, (arrival_bid + arrival_ask) / 2 AS mid, filled_notional, on_restart,"
        " priority, role, group_id"
        " FROM orders WHERE account = $1 AND id = ANY($2) ORDER BY id",
        account,
        list(order_ids),
    )
    return [
        Loaded(
            *executions[row["id"]],
            strategy=row["strategy"],
            arrival_mid=row["mid"],
            filled_notional=row["filled_notional"],
            on_restart=OnRestart(row["on_restart"]),
            priority=row["priority"],
            role=row["role"],
            group_id=row["group_id"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the market traded since an order's start, up to a moment; `own_included`: our own
    fills are counted."""

    order_id: str
    traded: Traded
    to: Instant
    own_included: bool = False


async def measure(
    connection: Connection, *, account: str, measured: Sequence[Measured], again: bool = False
) -> None:
    """Keep the market's interval volume and notional; a measure never goes back in time.

    `again`: they are measured again in a moment, so those that somebody holds are left out, and
    the rest is not waited for on disk.
    """
    held, at_the_end = ("SKIP LOCKED", f"RETURNING {NEED_NOT_LAST}") if again else ("", "")
    await connection.execute(
        # Locked in key order, as the journal does: nobody waits in a circle.
        "WITH held AS (SELECT id FROM orders WHERE account = $1 AND id = ANY($2) ORDER BY id"
        f" FOR UPDATE {held}) UPDATE orders o SET market_volume = m.volume,"
        " market_notional = m.notional, measured_to = m.upto, own_volume_included = m.own"
        " FROM unnest($2::uuid[], $3::numeric[], $4::numeric[], $5::timestamptz[], $6::boolean[])"
        " AS m(id, volume, notional, upto, own) JOIN held USING (id)"
        " WHERE o.account = $1 AND o.id = m.id"
        f" AND (o.measured_to IS NULL OR o.measured_to <= m.upto) {at_the_end}",
        account,
        [m.order_id for m in measured],
        [m.traded.volume for m in measured],
        [m.traded.notional for m in measured],
        [m.to for m in measured],
        [m.own_included for m in measured],
    )
