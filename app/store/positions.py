"""Positions as our fills make them, beside what the broker holds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.quantity import ZERO
from app.store.database import Connection


@dataclass(frozen=True, slots=True)
class Held:
    """Our own net quantity; `outside` is what the broker held beyond it when first compared."""

    qty: Decimal
    outside: Decimal | None


async def held(connection: Connection, *, account: str) -> dict[str, Held]:
    found = await connection.fetch(
        "SELECT symbol, qty, outside FROM positions WHERE account = $1", account
    )
    return {r["symbol"]: Held(r["qty"], r["outside"]) for r in found}


async def quantities(
    connection: Connection, *, account: str, symbols: Collection[str], still: bool = False
) -> dict[str, Decimal]:
    """Our own net quantity in each of these symbols. `still`: it stays until the transaction ends,
    whoever may have a fill to book; orders are locked before positions, as in the journal."""
    found = await connection.fetch(
        "SELECT symbol, qty FROM positions WHERE account = $1 AND symbol = ANY($2) ORDER BY symbol"
        + (" FOR SHARE" if still else ""),
        account,
        sorted(symbols),
    )
    told = {row["symbol"]: row["qty"] for row in found}
    return {symbol: told.get(symbol, ZERO) for symbol in symbols}


async def moved(
    connection: Connection, *, account: str, symbols: Collection[str]
) -> dict[str, Instant]:
    """When each of these positions was last changed, by the database's clock."""
    found = await connection.fetch(
        "SELECT symbol, updated_at FROM positions WHERE account = $1 AND symbol = ANY($2)",
        account,
        sorted(symbols),
    )
    return {row["symbol"]: row["updated_at"] for row in found}


async def set_outside(
    connection: Connection, *, account: str, outside: Mapping[str, Decimal]
) -> None:
    """Remember what the broker holds beyond our fills; once known it stays.

    Only in symbols that we have traded: a row for every other would raise a break whenever somebody
    trades there beside us, and one without a price would stop every limit on exposure.
    """
    await connection.executemany(
        "UPDATE positions SET outside = $3 WHERE account = $1 AND symbol = $2 AND outside IS NULL",
        [(account, symbol, outside[symbol]) for symbol in sorted(outside)],
    )
