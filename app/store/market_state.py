"""What the owner of the feed tells everybody: market time, quotes, sessions, curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.extended_hours import TradingDay
from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.market import Bar, Quote
from app.domain.session import Session
from app.domain.volume import VolumeCurve
from app.store import rows
from app.store.database import Connection
from app.store.journal import OPEN
from app.store.leases import Lease, Lost


@dataclass(frozen=True, slots=True)
class ClockRow:
    """Market time. `speed` is market seconds a second (0: as fast as possible), `held`: stopped.

    `age_seconds` is how long ago the owner last told it.
    """

    feed: str
    now: Instant
    stepped: bool
    speed: Decimal
    held: bool
    age_seconds: float


async def clock(connection: Connection) -> ClockRow | None:
    """Market time, None before any worker has told it."""
    row = await connection.fetchrow(
        "SELECT feed, now, stepped, speed, held,"
        " extract(epoch FROM clock_timestamp() - told_at)::float8 AS age FROM market_clock"
    )
    if row is None:
        return None
    return ClockRow(row["feed"], row["now"], row["stepped"], row["speed"], row["held"], row["age"])


async def machine_time(connection: Connection) -> float:
    """The database's own clock, in seconds since 1970."""
    found: float = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    return found


async def start_clock(
    connection: Connection, *, feed: str, now: Instant, stepped: bool, speed: Decimal, held: bool
) -> None:
    """Begin to tell market time; a clock that was told before keeps its speed and hold."""
    await connection.execute(
        "INSERT INTO market_clock (feed, now, stepped, speed, held) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (one) DO UPDATE SET feed = $1, now = $2, stepped = $3,"
        " told_at = clock_timestamp()",
        feed,
        now,
        stepped,
        speed,
        held,
    )


async def need_not_last(connection: Connection) -> None:
    """What this transaction tells is told again in a moment: do not wait for the disk."""
    await connection.execute("SET LOCAL synchronous_commit = off")


async def tell_clock(
    connection: Connection, now: Instant, lease: Lease | None = None
) -> tuple[Decimal, bool]:
    """Tell market time, never an earlier one than was told; returns the speed and hold that
    somebody may have set meanwhile. Raises Lost when `lease` is not ours any more."""
    row = await connection.fetchrow(
        "UPDATE market_clock SET now = greatest(now, $1), told_at = clock_timestamp()"
        " WHERE $2::text IS NULL OR EXISTS (SELECT 1 FROM leases WHERE name = $2 AND epoch = $3"
        " AND until > clock_timestamp()) RETURNING speed, held",
        now,
        lease.name if lease else None,
        lease.epoch if lease else None,
    )
    if row is None and lease is not None:
        raise Lost(lease.name)
    assert row is not None, "the clock was started before it is told"
    return row["speed"], row["held"]


async def set_speed(connection: Connection, *, speed: Decimal | None, held: bool | None) -> None:
    """Change how fast stepped market time runs; None leaves it."""
    await connection.execute(
        "UPDATE market_clock SET speed = coalesce($1, speed), held = coalesce($2, held)",
        speed,
        held,
    )


async def last_market_time(connection: Connection) -> Instant | None:
    """The latest market time that any fact carries: a restarted clock never goes behind it.

    A kill switch may be thrown before there is market time, and is told by the machine's then.
    """
    latest: Instant | None = await connection.fetchval(
        "SELECT greatest((SELECT now FROM market_clock), (SELECT max(at) FROM"
        " (SELECT at FROM events WHERE type <> 'control.changed' ORDER BY id DESC LIMIT 1000)"
        " latest))"
    )
    return latest


async def ask(connection: Connection, symbol: str) -> None:
    """Ask the feed's owner to watch a symbol; asking again after a refusal asks anew."""
    await connection.execute(
        "INSERT INTO watches (symbol) VALUES ($1) ON CONFLICT (symbol) DO UPDATE"
        " SET requested_at = clock_timestamp(), error = NULL WHERE watches.error IS NOT NULL",
        symbol,
    )


async def unanswered(connection: Connection) -> list[str]:
    """Symbols somebody asked for that nobody watches yet."""
    records = await connection.fetch(
        "SELECT symbol FROM watches WHERE watched_at IS NULL AND error IS NULL ORDER BY symbol"
    )
    return [r["symbol"] for r in records]


async def asked_symbols(connection: Connection) -> list[str]:
    """Symbols that were watched before, and those open orders need."""
    records = await connection.fetch(
        "SELECT symbol FROM watches WHERE error IS NULL"
        f" UNION SELECT symbol FROM orders WHERE {OPEN} ORDER BY symbol"
    )
    return [r["symbol"] for r in records]


async def forget_watches(connection: Connection) -> None:
    """A new owner of the feed starts from what orders need; all else is asked for again."""
    await connection.execute("UPDATE watches SET watched_at = NULL, error = NULL")


async def refuse(connection: Connection, symbol: str, error: str) -> None:
    """Say why a symbol is not watched; refusals that were told long ago are forgotten, but not the
    last price of what somebody holds."""
    await connection.execute(
        "UPDATE watches SET watched_at = NULL, error = $2 WHERE symbol = $1", symbol, error
    )
    await connection.execute(
        "DELETE FROM watches w WHERE error IS NOT NULL"
        " AND requested_at < clock_timestamp() - interval '1 minute' AND NOT EXISTS (SELECT"
        " FROM positions p WHERE p.symbol = w.symbol AND (p.qty <> 0 OR p.outside <> 0))"
    )


async def tell_watched(
    connection: Connection,
    instrument: Instrument,
    sessions: Sequence[Session],
    curve: VolumeCurve | None,
    daily_volume: Decimal | None,
    volatility: float | None = None,
    days: Sequence[TradingDay] = (),
) -> None:
    """A symbol is watched now. Must run in a transaction with its first quote."""
    await connection.execute(
        "INSERT INTO instruments (symbol, tick, lot, min_qty, calendar, currency)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (symbol) DO UPDATE SET tick = $2, lot = $3,"
        " min_qty = $4, calendar = $5, currency = $6",
        instrument.symbol,
        instrument.tick,
        instrument.lot,
        instrument.min_qty,
        instrument.calendar,
        instrument.currency,
    )
    await connection.execute(
        "INSERT INTO watches (symbol, watched_at, sessions, curve, daily_volume, volatility, days)"
        " VALUES ($1, clock_timestamp(), $2, $3, $4, $5, $6) ON CONFLICT (symbol) DO UPDATE"
        " SET watched_at = clock_timestamp(), error = NULL, sessions = $2, curve = $3,"
        " daily_volume = $4, volatility = $5, days = $6",
        instrument.symbol,
        rows.sessions_to_json(sessions),
        rows.curve_to_json(curve) if curve else None,
        daily_volume,
        volatility,
        rows.days_to_json(days),
    )


@dataclass(frozen=True, slots=True)
class Ticked:
    """A symbol's latest quote and trade, to be told."""

    symbol: str
    quote: Quote | None
    last: Decimal | None
    last_at: Instant | None
    last_size: Decimal | None = None
    minute: Bar | None = None


async def tell_quotes(connection: Connection, ticks: Sequence[Ticked]) -> None:
    await connection.executemany(
        "UPDATE watches SET bid = $2, ask = $3, bid_size = $4, ask_size = $5, bid_at = $6,"
        " ask_at = $7, last = $8, last_at = $9, last_size = $10,"
        " minute_bar = coalesce($11, minute_bar) WHERE symbol = $1",
        [
            (
                t.symbol,
                *(
                    (q.bid, q.ask, q.bid_size, q.ask_size, q.bid_at, q.ask_at)
                    if (q := t.quote)
                    else (None,) * 6
                ),
                t.last,
                t.last_at,
                t.last_size,
                rows.bar_to_json(t.minute) if t.minute else None,
            )
            for t in ticks
        ],
    )
