"""Order flow and regime of watched symbols, told for who asked for them lately."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.flow.record import Flow, flow_to_json
from app.domain.regime.record import Regime, regime_to_json
from app.store.database import Connection

ASKED_SECONDS = 3600.0
"""For so long after somebody asked they go on being told."""


@dataclass(frozen=True, slots=True)
class Leaning:
    """What is told of one symbol; None: not known."""

    symbol: str
    flow: Flow
    regime: Regime | None


async def ask(connection: Connection, symbol: str) -> None:
    """Ask the feed's owner for a watched symbol's order flow and regime, for an hour."""
    await connection.execute(
        "UPDATE watches SET flow_asked_at = clock_timestamp() WHERE symbol = $1", symbol
    )


async def asked(connection: Connection) -> list[str]:
    """The symbols for which somebody asked within the hour."""
    records = await connection.fetch(
        "SELECT symbol FROM watches WHERE error IS NULL"
        " AND flow_asked_at > clock_timestamp() - $1 * interval '1 second' ORDER BY symbol",
        ASKED_SECONDS,
    )
    return [r["symbol"] for r in records]


async def tell(connection: Connection, leanings: Sequence[Leaning]) -> None:
    await connection.executemany(
        "UPDATE watches SET flow = $2, regime = $3 WHERE symbol = $1",
        [
            (of.symbol, flow_to_json(of.flow), regime_to_json(of.regime) if of.regime else None)
            for of in leanings
        ],
    )
