"""Positions as our fills make them, beside what the broker holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

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


async def set_outside(
    connection: Connection, *, account: str, outside: Mapping[str, Decimal]
) -> None:
    """Remember what the broker holds beyond our fills; once known it stays."""
    await connection.executemany(
        "UPDATE positions SET outside = $3 WHERE account = $1 AND symbol = $2 AND outside IS NULL",
        [(account, symbol, outside[symbol]) for symbol in sorted(outside)],
    )
