"""What each account has gained or lost: told by its desk, met by limits on loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import Instant
from app.store.database import Connection


@dataclass(frozen=True, slots=True)
class Lost:
    """Money, positive = lost: since the day (UTC) began, and since the best moment there was."""

    account: str
    today: Decimal
    drawdown: Decimal


async def tell(connection: Connection, accounts: Sequence[str], now: Instant) -> None:
    """Value positions at the middle of the quote, else at the last trade, and keep what came of
    it: realised and unrealised, after fees. A position without any price counts as bought; what
    comes of that may be worse than what was told before, but never better, and is no best moment:
    a price that is lost must not make a loss vanish.
    """
    await connection.execute(
        "WITH priced AS (SELECT p.*, coalesce(CASE WHEN w.bid > 0 AND w.ask >= w.bid"
        " THEN (w.bid + w.ask) / 2 END, w.last) AS price"
        " FROM positions p LEFT JOIN watches w USING (symbol) WHERE p.account = ANY($1)),"
        " worth AS (SELECT a.account, coalesce(sum(p.realised - p.fees"
        " + p.qty * (coalesce(p.price, p.average_price) - p.average_price)), 0) AS now,"
        " coalesce(bool_or(p.qty <> 0 AND p.price IS NULL), false) AS blind"
        " FROM unnest($1::text[]) AS a(account) LEFT JOIN priced p USING (account)"
        " GROUP BY a.account),"
        " told AS (SELECT account, CASE WHEN blind THEN least(now, old.latest) ELSE now END"
        " AS latest, CASE WHEN blind THEN coalesce(old.best, now) ELSE now END AS best"
        " FROM worth LEFT JOIN profits old USING (account))"
        " INSERT INTO profits (account, day, opened, best, latest)"
        " SELECT account, $2::timestamptz::date, latest, best, latest FROM told ORDER BY account"
        " ON CONFLICT (account) DO UPDATE SET"
        " opened = CASE WHEN excluded.day > profits.day THEN profits.latest"
        " ELSE profits.opened END, day = greatest(profits.day, excluded.day),"
        " best = greatest(profits.best, excluded.best), latest = excluded.latest,"
        " told_at = clock_timestamp()",
        list(accounts),
        now,
    )


async def all_lost(connection: Connection) -> list[Lost]:
    """What every account has lost, as its desk last told it."""
    found = await connection.fetch(
        "SELECT account, opened - latest AS today, best - latest AS drawdown FROM profits"
    )
    return [Lost(r["account"], r["today"], r["drawdown"]) for r in found]
