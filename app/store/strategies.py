"""Settings of strategies, and what is on record of them."""

from collections.abc import Sequence
from typing import Any

from app.domain.gate import StrategyKind
from app.domain.instant import Instant, Micros
from app.domain.mode import Mode, Record
from app.domain.strategy import ANY, Strategy
from app.store import trail
from app.store.database import Connection
from app.store.rows import Row


async def listed(connection: Connection, accounts: Sequence[str] | None) -> list[Strategy]:
    found = await connection.fetch(
        "SELECT * FROM strategies WHERE $1::text[] IS NULL OR account = ANY($1)"
        " ORDER BY account, name",
        list(accounts) if accounts is not None else None,
    )
    return [_strategy(row) for row in found]


async def find(connection: Connection, account: str, name: str) -> Strategy | None:
    """What is set under this very name."""
    row = await connection.fetchrow(
        "SELECT * FROM strategies WHERE account = $1 AND name = $2", account, name
    )
    return _strategy(row) if row is not None else None


async def lock(connection: Connection, account: str, name: str) -> None:
    """Be the only one who changes this strategy, until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('strategy:' || $1 || ':' || $2, 0))",
        account,
        name,
    )


async def seen_since(connection: Connection, strategy: Strategy) -> Instant | None:
    """When the first of a strategy's signals came, of those in its mode since that began; now,
    where none came since. None: none ever came, and nobody set the mode."""
    found: Instant | None = await connection.fetchval(
        "SELECT coalesce(min(received_at), CASE WHEN $4::timestamptz IS NOT NULL"
        " THEN clock_timestamp() END) FROM signals WHERE account = $1 AND mode = $3"
        " AND ($2 = '*' OR strategy = $2) AND ($4::timestamptz IS NULL OR received_at >= $4)",
        strategy.account,
        strategy.name,
        strategy.mode.value,
        strategy.mode_since,
    )
    return found


async def put(
    connection: Connection, before: Strategy | None, after: Strategy, *, reason: str, by: str
) -> Strategy:
    """Set a strategy; the caller holds its lock and knows what was set before. `mode_since` counts
    for one that nothing was set for."""
    row = await connection.fetchrow(
        "INSERT INTO strategies"
        " (account, name, kind, mode, gates, smart, changed_by, mode_since, paper)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, clock_timestamp()), $9)"
        " ON CONFLICT (account, name) DO UPDATE SET"
        " kind = $3, mode = $4, gates = $5, smart = $6, changed_by = $7, paper = $9,"
        " changed_at = clock_timestamp(), version = strategies.version + 1,"
        " mode_since = CASE WHEN strategies.mode = $4 THEN strategies.mode_since"
        " ELSE clock_timestamp() END RETURNING *",
        after.account,
        after.name,
        after.kind.value if after.kind is not None else None,
        after.mode.value,
        _gates(after),
        after.smart,
        by,
        after.mode_since,
        after.paper,
    )
    assert row is not None, "the upsert returns its row"
    kept = _strategy(row)
    await trail.add(
        connection,
        actor=by,
        action="strategy.set",
        target=after.name,
        account=after.account,
        before=_plain(before) if before is not None else None,
        after=_plain(kept),
        reason=reason,
    )
    return kept


COUNTED = 10_000
"""More signals than this nobody asks for: they are not counted."""


async def record(connection: Connection, strategy: Strategy) -> Record:
    """What is on record of a strategy in its present mode, by the machine's time: signals that
    would have become orders (at most `COUNTED`), and how long ago the first of them came. `*`
    counts those for which nothing else is set."""
    # Only what is asked: a condition that may be none at all is no bound for an index.
    whose = "strategy = $2"
    if strategy.name == ANY:
        whose = "NOT EXISTS (SELECT FROM strategies o WHERE o.account = $1 AND o.name = s.strategy)"
    counted = (
        "SELECT received_at FROM signals s WHERE account = $1 AND mode = $3"
        f" AND decision IN ('execute', 'reduce') AND {whose}"
        " AND received_at >= coalesce($4::timestamptz, '-infinity') ORDER BY received_at"
    )
    row = await connection.fetchrow(
        f"SELECT (SELECT count(*) FROM ({counted} DESC LIMIT {COUNTED}) c) AS signals,"
        f" coalesce((extract(epoch FROM clock_timestamp() - ({counted} LIMIT 1))"
        " * 1000000)::bigint, 0) AS time,"
        " (SELECT count(*) FROM alerts WHERE account = $1 AND severity = 'critical'"
        " AND acknowledged_at IS NULL) AS alerts,"
        " EXISTS (SELECT FROM controls WHERE halted AND (scope = 'all'"
        " OR scope = 'account' AND name = $1 OR scope = 'strategy' AND name = $2)) AS halted",
        strategy.account,
        strategy.name,
        strategy.mode.value,
        strategy.mode_since,
    )
    assert row is not None, "aggregates return a row"
    time: Micros = row["time"]
    return Record(row["signals"], time, row["alerts"], row["halted"])


def _gates(strategy: Strategy) -> list[dict[str, Any]]:
    return [{"gate": name, "params": dict(params)} for name, params in strategy.gates]


def _plain(strategy: Strategy) -> dict[str, Any]:
    return {
        "kind": strategy.kind.value if strategy.kind is not None else None,
        "mode": strategy.mode.value,
        "paper": strategy.paper,
        "gates": _gates(strategy),
        "smart": strategy.smart,
        "version": strategy.version,
    }


def _strategy(row: Row) -> Strategy:
    return Strategy(
        account=row["account"],
        name=row["name"],
        mode=Mode(row["mode"]),
        kind=StrategyKind(row["kind"]) if row["kind"] is not None else None,
        gates=tuple((gate["gate"], gate["params"]) for gate in row["gates"]),
        smart=row["smart"],
        version=row["version"],
        mode_since=row["mode_since"],
        paper=row["paper"],
    )
