"""Step three of the order path: a child's row is committed before the child leaves."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from app.domain.fact import Intended
from app.failpoints import reach
from app.store import controls, halts, leases, positions
from app.store.database import Connection, Database
from app.store.drafts import Known, take_turns
from app.store.journal import Entry, Recorded, record
from app.store.leases import Lease
from app.store.runaway import check_ledger


class PositionMoved(Exception):
    """A fill was booked by somebody else: what an order may reduce has to be decided anew."""


async def intend(
    database: Database,
    *,
    account: str,
    broker: str,
    lease: Lease,
    entries: Sequence[Entry],
    symbols: Mapping[str, str],
    strategies: Mapping[str, str | None],
    flattening: Collection[str] = (),
    reducing: Collection[str] = (),
    held: Mapping[str, Decimal] | None = None,
    known: Known | None = None,
) -> tuple[list[Recorded], dict[str, str]]:
    """Record decisions of a desk's owner, fenced by its lease and the halts.

    Returns what was recorded and, by order id, the halt that kept new children from being
    recorded; moves and cancels pass every halt.
    `symbols` and `strategies` are those of the orders; `known` as in `journal.record`. Orders in
    `flattening` pass every halt, while a switch that flattens bears on them; those in `reducing`
    never turn a position. `held` is what these were decided on, by symbol. Raises leases.Lost, and
    PositionMoved where the account holds something else by now, Runaway where the ledger of fills
    knows more of an order than it is worth; nothing is recorded then.
    """
    async with halts.intending(database, account=account, lease=lease) as (connection, halted):
        reach("intent.locked")
        sending = {e.order_id for e in entries if any(isinstance(f, Intended) for f in e.facts)}
        stopped = {
            one: reason
            for one in sending.difference(flattening)
            if (
                reason := halts.halt_for(
                    halted, symbol=symbols[one], strategy=strategies[one], reduces=one in reducing
                )
            )
        }
        if flattening:
            stopped |= await _released(connection, account, flattening, symbols, strategies)
        recorded = await record(
            connection,
            account=account,
            broker=broker,
            entries=[e for e in entries if e.order_id not in stopped],
            epoch=lease.epoch,
            known=known,
        )
        if held:
            await _check_held(connection, account, held)
        sent = [r.order_id for r in recorded if not r.stale and r.order_id in sending]
        if sent:
            await check_ledger(connection, account=account, order_ids=sent)
    reach("intent.committed")
    return recorded, stopped


async def _released(
    connection: Connection,
    account: str,
    flattening: Collection[str],
    symbols: Mapping[str, str],
    strategies: Mapping[str, str | None],
) -> dict[str, str]:
    """Those of the orders that no switch asks for any more, under the lock of the switches."""
    standing = await controls.thrown(connection, accounts=[account])
    asked = [s for s in standing if s.level is controls.Level.FLATTEN]
    return {
        order_id: "released"
        for order_id in flattening
        if not any(
            s.bears_on(account=account, symbol=symbols[order_id], strategy=strategies[order_id])
            for s in asked
        )
    }


async def _check_held(connection: Connection, account: str, held: Mapping[str, Decimal]) -> None:
    # After the orders are locked: no fill of theirs, nor anybody's in the symbol, slips between.
    found = await positions.quantities(connection, account=account, symbols=held, still=True)
    if found != dict(held):
        raise PositionMoved(f"{held} was decided on, the account holds {found}")


async def conclude(
    database: Database,
    *,
    account: str,
    broker: str,
    lease: Lease,
    entries: Sequence[Entry],
    known: Known | None = None,
) -> list[Recorded]:
    """Record what a desk's owner concludes without being told: absence, a call for an operator,
    a restart policy. Fenced, as a choice of its owner, and booked whatever happened meanwhile.

    Raises leases.Lost.
    """
    async with database.transaction() as connection:
        # Before the lease's row gives this transaction an id: see `take_turns`.
        await take_turns(connection, sorted({entry.order_id for entry in entries}))
        await leases.hold(connection, lease)
        return await record(
            connection,
            account=account,
            broker=broker,
            entries=entries,
            epoch=lease.epoch,
            known=known,
        )
