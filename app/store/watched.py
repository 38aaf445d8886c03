"""What is told of one symbol, as whoever enters orders reads it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from app.domain.extended_hours import TradingDay
from app.domain.flow.record import Flow, flow_from_json
from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.regime.record import Regime, regime_from_json
from app.domain.session import Session
from app.domain.volume import VolumeCurve
from app.store import rows
from app.store.database import Connection


@dataclass(frozen=True, slots=True)
class Told:
    """The state of one watched symbol, as its feed's owner last told it."""

    instrument: Instrument
    sessions: tuple[Session, ...]
    curve: VolumeCurve | None
    daily_volume: Decimal | None
    quote: Quote | None
    last: Decimal | None
    last_at: Instant | None
    volatility: float | None = None
    flow: Flow | None = None
    regime: Regime | None = None
    days: tuple[TradingDay, ...] = ()
    flow_asked_seconds: float | None = None
    """How long ago somebody asked for these two; None: nobody ever did."""
    watched_at: Instant | None = field(default=None, compare=False)
    """When what stays the same for long was told: the instrument, its hours and its curve."""


async def sessions_of(
    connection: Connection, symbols: Collection[str]
) -> dict[str, Sequence[Session]]:
    """When each of these symbols is traded, as far as a feed has told it."""
    found = await connection.fetch(
        "SELECT symbol, sessions FROM watches JOIN instruments USING (symbol)"
        " WHERE symbol = ANY($1) AND error IS NULL AND watched_at IS NOT NULL",
        sorted(symbols),
    )
    return {row["symbol"]: rows.sessions_from_json(row["sessions"]) for row in found}


_LASTING = ", ".join(
    f"CASE WHEN w.watched_at IS DISTINCT FROM $2 THEN w.{name} END AS {name}"
    for name in ("sessions", "days", "curve")
)
"""A curve is long, and read many times a second: only what is new is sent and parsed."""

_TOLD = (
    f"SELECT w.symbol, w.error, w.watched_at, {_LASTING}, w.daily_volume, w.volatility, w.bid,"
    " w.ask, w.bid_size, w.ask_size, w.bid_at, w.ask_at, w.last, w.last_at, w.flow, w.regime,"
    " i.tick, i.lot, i.min_qty, i.calendar, i.currency,"
    " extract(epoch FROM clock_timestamp() - w.flow_asked_at)::float8 AS flow_asked_seconds"
    " FROM watches w LEFT JOIN instruments i USING (symbol) WHERE w.symbol = $1"
)


async def told(
    connection: Connection, symbol: str, before: Told | None = None
) -> Told | str | None:
    """What is known of a symbol; a string says why it is not; None: not yet watched. What was told
    `before` and still holds is taken from there."""
    known_at = before.watched_at if before is not None else None
    row = await connection.fetchrow(_TOLD, symbol, known_at)
    if row is None:
        return None
    if row["error"] is not None:
        return str(row["error"])
    if row["watched_at"] is None or row["tick"] is None:
        return None
    if before is None or row["watched_at"] != known_at:
        before = _lasting(row)
    return replace(
        before,
        daily_volume=row["daily_volume"],
        quote=rows.quote(row),
        last=row["last"],
        last_at=row["last_at"],
        volatility=row["volatility"],
        flow=flow_from_json(row["flow"]) if row["flow"] else None,
        regime=regime_from_json(row["regime"]) if row["regime"] else None,
        flow_asked_seconds=row["flow_asked_seconds"],
    )


def _lasting(row: rows.Row) -> Told:
    """What was told when a symbol was watched, without what has been told since."""
    return Told(
        instrument=rows.instrument(row),
        sessions=rows.sessions_from_json(row["sessions"]),
        curve=rows.curve_from_json(row["curve"]) if row["curve"] else None,
        daily_volume=None,
        quote=None,
        last=None,
        last_at=None,
        days=rows.days_from_json(row["days"]),
        watched_at=row["watched_at"],
    )
