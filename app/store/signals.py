"""Signals and the decisions made on them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant, Micros
from app.store import event_log
from app.store.database import Connection, to_json
from app.store.entering import Columns
from app.store.journal import OPEN
from app.store.rows import Row

DECIDED = "signal.decided"


async def find(connection: Connection, *, account: str, source: str, signal_id: str) -> Any:
    """The signal's row, or None."""
    return await connection.fetchrow(
        "SELECT * FROM signals WHERE account = $1 AND source = $2 AND signal_id = $3",
        account,
        source,
        signal_id,
    )


@asynccontextmanager
async def try_turn(connection: Connection, account: str, symbol: str) -> AsyncIterator[bool]:
    """Whether this is the only one who decides on signals of this account and symbol; False at
    once where somebody else is at it. Of the session, not of a transaction: one that stood still
    for as long as an order takes would be ended.

    Where taking it or giving it back does not come to its end, the connection is ended, and the
    lock with it: no connection goes back to the pool with one.
    """
    named = (account, symbol)
    try:
        held = await connection.fetchval(f"SELECT pg_try_advisory_lock({_TURN})", *named)
    except BaseException:
        connection.terminate()
        raise
    try:
        yield held
    finally:
        if held:
            try:
                await connection.execute(f"SELECT pg_advisory_unlock({_TURN})", *named)
            except BaseException:
                connection.terminate()
                raise


_TURN = "hashtextextended('signal:' || $1 || ':' || $2, 0)"


async def latest(
    connection: Connection, *, account: str, symbol: str, strategy: str | None, ahead: Micros
) -> Instant | None:
    """When the latest was made of the signals of a strategy and symbol that were followed. One
    that was made further than `ahead` after it was decided, or was turned away, overtakes nobody.
    """
    # `IS NOT DISTINCT FROM` would use no index.
    whose = "strategy IS NULL" if strategy is None else "strategy = $4"
    found: Instant | None = await connection.fetchval(
        f"SELECT made_at FROM signals WHERE account = $1 AND symbol = $2 AND {whose}"
        # What a target asks for is done already: it was followed as well.
        " AND (decision <> 'reject' OR reason = 'already_there')"
        " AND made_at IS NOT NULL AND made_at <= at + $3::interval ORDER BY made_at DESC LIMIT 1",
        account,
        symbol,
        timedelta(microseconds=ahead),
        *([strategy] if strategy is not None else []),
    )
    return found


async def unfinished(connection: Connection, *, account: str, order_ids: Sequence[str]) -> int:
    """How many of these orders are open."""
    found: int = await connection.fetchval(
        f"SELECT count(*) FROM orders WHERE account = $1 AND id = ANY($2::uuid[]) AND {OPEN}",
        account,
        list(order_ids),
    )
    return found


async def put_aside(connection: Connection, rows: Sequence[Columns]) -> dict[str, str]:
    """Make room for other decisions on signals that were deferred; their events stay. What stood
    there, by signal. Must run in the transaction that writes the others."""
    found = await connection.fetch(
        "DELETE FROM signals s USING unnest($1::text[], $2::uuid[]) AS mine(account, id)"
        " WHERE s.account = mine.account AND s.id = mine.id AND s.decision = 'defer'"
        " AND s.order_id IS NULL RETURNING s.id, to_jsonb(s)::text AS stood",
        [row["account"] for row in rows],
        [row["id"] for row in rows],
    )
    return {str(row["id"]): row["stood"] for row in found}


async def put_back(connection: Connection, stood: Sequence[str]) -> None:
    """Deferred as before: no order came of the decision that was to follow."""
    for row in stood:
        await connection.execute(
            "INSERT INTO signals SELECT *"
            " FROM jsonb_populate_record(NULL::signals, $1::text::jsonb) ON CONFLICT DO NOTHING",
            row,
        )


async def keep(connection: Connection, row: dict[str, Any]) -> Any | None:
    """Store a decided signal without an order; one that is there with the same body is returned.

    None: the id stands for another body. Must run in a transaction.
    """
    await put_aside(connection, [row])
    names = ", ".join(row)
    kept = await connection.fetchrow(
        f"INSERT INTO signals ({names}) SELECT {names}"
        " FROM jsonb_populate_record(NULL::signals, $1::text::jsonb)"
        " ON CONFLICT DO NOTHING RETURNING *",
        to_json(row),
    )
    if kept is not None:
        await tell(connection, kept)
        return kept
    there = await find(
        connection, account=row["account"], source=row["source"], signal_id=row["signal_id"]
    )
    same = there["body_sha256"] == bytes.fromhex(row["body_sha256"].removeprefix("\\x"))
    return there if same else None


async def tell(connection: Connection, row: Row) -> None:
    """The event of a decision that made no order."""
    await event_log.write(
        connection,
        account=row["account"],
        type=DECIDED,
        at=row["at"],
        data=decided(row),
    )


def decided(row: Row) -> dict[str, Any]:
    """What the event of a decision says."""
    return {
        "signal_id": row["signal_id"],
        "id": row["id"],
        "source": row["source"],
        "decision": row["decision"],
        "reason": row["reason"],
        "order_id": row["order_id"],
        "symbol": row["symbol"],
        "strategy": row["strategy"],
        "mode": row["mode"],
        "side": row["side"],
        "qty": _text(row["qty"]),
        "final_qty": _text(row["final_qty"]),
    }


def _text(amount: Decimal | str | None) -> str | None:
    return format(amount, "f") if isinstance(amount, Decimal) else amount
