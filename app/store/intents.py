"""Step three of the order path: a child's row is committed before the child leaves."""

from collections.abc import Mapping, Sequence

from app.domain.fact import Intended
from app.failpoints import reach
from app.store import controls, leases
from app.store.database import Database
from app.store.drafts import Known
from app.store.journal import Entry, Recorded, record
from app.store.leases import Lease


async def intend(
    database: Database,
    *,
    account: str,
    broker: str,
    lease: Lease,
    entries: Sequence[Entry],
    symbols: Mapping[str, str],
    strategies: Mapping[str, str | None],
    known: Known | None = None,
) -> tuple[list[Recorded], dict[str, str]]:
    """Record decisions of a desk's owner, fenced by its lease and the halts.

    Returns what was recorded and, by order id, the halt that kept new children from being
    recorded; moves and cancels pass every halt.
    `symbols` and `strategies` are those of the orders; `known` as in `journal.record`. Raises
    leases.Lost.
    """
    async with database.transaction() as connection:
        reach("intent.begun")
        halted = await controls.halts(connection, account=account, lock=True)
        await leases.hold(connection, lease)
        reach("intent.locked")
        stopped = {
            e.order_id: reason
            for e in entries
            if any(isinstance(fact, Intended) for fact in e.facts)
            and (
                reason := controls.halt_for(
                    halted, symbol=symbols[e.order_id], strategy=strategies[e.order_id]
                )
            )
        }
        recorded = await record(
            connection,
            account=account,
            broker=broker,
            entries=[e for e in entries if e.order_id not in stopped],
            epoch=lease.epoch,
            known=known,
        )
    reach("intent.committed")
    return recorded, stopped
