"""How much was compared, and what an audit can only mention."""

from collections.abc import Sequence

from app.audit.books import PAPER, PREFIX
from app.audit.ledger import Ledger
from app.audit.rule import Connection

_COUNTED = {
    "orders": "orders",
    "children": "children",
    "adopted_children": "children WHERE adopted",
    "fills": "fills WHERE busted_at IS NULL",
    "void_fills": "fills WHERE busted_at IS NOT NULL",
    "events": "events",
    "quarantined": "quarantine",
    "needs_operator": "orders WHERE status = 'needs_operator'",
    "unknown_children": "children WHERE status = 'unknown'",
}


async def compared(connection: Connection, ledgers: Sequence[Ledger]) -> dict[str, int]:
    """Rows on both sides; a campaign adds them up."""
    counted = {
        name: int(await connection.fetchval(f"SELECT count(*) FROM {rows}"))
        for name, rows in _COUNTED.items()
    }
    ours = [[o for o in led.orders if o.client_id.startswith(PREFIX)] for led in ledgers]
    done = [[e for e in led.executions if e.client_id.startswith(PREFIX)] for led in ledgers]
    return counted | {
        "ledgers": len(ledgers),
        "venue_orders": sum(map(len, ours)),
        "venue_executions": sum(map(len, done)),
        "venue_void": sum(len(ledger.void) for ledger in ledgers),
    }


async def notes(connection: Connection, ledgers: Sequence[Ledger]) -> list[str]:
    paper = [ledger.account for ledger in ledgers if not ledger.machine_time]
    others = [ledger.account for ledger in ledgers if ledger.machine_time]
    rows = await connection.fetch(
        "SELECT DISTINCT broker, account FROM orders WHERE"
        f" NOT CASE broker WHEN '{PAPER}' THEN account = ANY($1) ELSE account = ANY($2) END"
        " ORDER BY 1, 2",
        paper,
        others,
    )
    said = [f"no ledger to compare with: {r['account']} at {r['broker']}" for r in rows]
    for table, where, says in (
        ("quarantine", "true", "executions in quarantine"),
        ("orders", "status = 'needs_operator'", "orders need an operator"),
        ("children", "status = 'unknown'", "children whose state is unknown"),
    ):
        count = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {where}")
        said += [f"{count} {says}"] if count else []
    pending = sum(ledger.pending for ledger in ledgers)
    return [*said, f"{pending} things still to happen at the venue"] if pending else said
