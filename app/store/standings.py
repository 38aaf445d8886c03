"""Where an account, or one strategy of it, stands in a symbol."""

from decimal import Decimal

from app.domain.quantity import ZERO, Side
from app.domain.standing import Pending, Shares, Standing, of_one
from app.store.database import Connection
from app.store.exits import EXIT
from app.store.flatten import ROLE as FLATTEN
from app.store.journal import OPEN

_SIGNED = "CASE side WHEN 'buy' THEN filled ELSE -filled END"


async def standing(
    connection: Connection, *, account: str, symbol: str, strategy: str | None
) -> Standing:
    """What is held in a symbol and open there: of the strategy where others have a part in it, else
    of the whole account."""
    held = await connection.fetchrow(
        "SELECT qty, coalesce(outside, 0) AS outside FROM positions"
        " WHERE account = $1 AND symbol = $2",
        account,
        symbol,
    )
    open_now = await connection.fetch(
        "SELECT id, side, role, reduce_only, strategy, qty - filled AS left FROM orders"
        f" WHERE {OPEN} AND account = $1 AND symbol = $2 ORDER BY id",
        account,
        symbol,
    )
    whole = Standing(
        own=held["qty"] if held is not None else ZERO,
        outside=held["outside"] if held is not None else ZERO,
        pending=tuple(
            Pending(
                str(o["id"]), Side(o["side"]), o["left"], o["role"] != FLATTEN, o["reduce_only"]
            )
            for o in open_now
            if o["role"] != EXIT
        ),
        exits=tuple(str(o["id"]) for o in open_now if o["role"] == EXIT),
    )
    if strategy is None:
        return whole
    # What closes positions for a kill switch concerns whoever holds them.
    mine = {str(o["id"]) for o in open_now if o["strategy"] == strategy or o["role"] == FLATTEN}
    return of_one(whole, await _shares(connection, account, symbol, strategy), mine)


async def _shares(connection: Connection, account: str, symbol: str, strategy: str) -> Shares:
    """Whose orders made what of the position, since a kill switch closed all of it the last time.
    Archived orders are nobody's."""
    found = await connection.fetchrow(
        f"SELECT sum({_SIGNED}) FILTER (WHERE strategy = $3) AS mine,"
        f" sum({_SIGNED}) FILTER (WHERE strategy IS NULL) AS unnamed,"
        f" sum({_SIGNED}) FILTER (WHERE strategy <> $3) AS others"
        " FROM orders WHERE account = $1 AND symbol = $2 AND filled > 0"
        " AND (role <> 'flatten' OR strategy IS NOT NULL)"
        " AND created_at > coalesce((SELECT max(created_at) FROM orders WHERE account = $1"
        " AND symbol = $2 AND role = 'flatten' AND strategy IS NULL AND filled > 0),"
        " '-infinity')",
        account,
        symbol,
        strategy,
    )
    assert found is not None, "a sum is always a row"
    return Shares(found["mine"] or ZERO, found["unnamed"] or ZERO, found["others"] or ZERO)


async def of_strategy(
    connection: Connection, *, account: str, symbol: str, strategy: str | None, side: Side
) -> Decimal:
    """What the fills of one strategy's orders make of the position, with all that is open of them
    on `side`. Archived orders are not counted."""
    # `IS NOT DISTINCT FROM` would use no index.
    whose = "strategy IS NULL" if strategy is None else "strategy = $4"
    found: Decimal | None = await connection.fetchval(
        "SELECT sum(CASE side WHEN 'buy' THEN 1 ELSE -1 END * CASE"
        f" WHEN side = $3 AND role <> 'exit' AND {OPEN} THEN qty ELSE filled END)"
        f" FROM orders WHERE account = $1 AND symbol = $2 AND {whose}",
        account,
        symbol,
        side.value,
        *([strategy] if strategy is not None else []),
    )
    return found if found is not None else ZERO
