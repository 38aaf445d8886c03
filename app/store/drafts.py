"""Orders as a transaction finds them: locked, and read only as far as nobody remembers them."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.execution import Execution
from app.domain.fold_children import BAD_STOP
from app.store import rows
from app.store.columns import CHILDREN, ORDERS
from app.store.database import Connection
from app.store.journal_write import Draft

Known = Mapping[str, tuple[int, Execution]]
"""What a caller remembers of orders: version and state, by order id."""

_TURNS = (
    "SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS key"
    " FROM unnest({}::uuid[]) AS id ORDER BY key) AS keys"
)
_BRIEF = "SELECT id, version, seq, symbol, side FROM orders WHERE account = $1 AND id = ANY($2)"
_LOCKED = (
    f"WITH turns AS MATERIALIZED ({_TURNS.format('$2')}) {_BRIEF}"
    # Asked once, before a row is looked at: the turns are taken then. A row that changed while
    # we waited is locked, and told, as it is now.
    " AND (SELECT count(*) FROM turns) > 0 ORDER BY id FOR UPDATE"
)
_LIVE = "status NOT IN ('filled', 'canceled', 'rejected', 'expired')"
_LAST_RESTED = (
    "id = ANY (ARRAY(SELECT last.id FROM unnest($2::uuid[]) AS o (id) CROSS JOIN LATERAL"
    " (SELECT id FROM children WHERE account = $1 AND order_id = o.id AND purpose = 'rest'"
    " ORDER BY number DESC LIMIT 1) AS last))"
)
_REFUSED_WITH_STOP = f"status = 'rejected' AND stop_price IS NOT NULL AND reason = '{BAD_STOP}'"


async def drafts_of(
    connection: Connection,
    account: str,
    order_ids: list[str],
    child_ids: Sequence[str],
    known: Known,
    *,
    lock: bool,
) -> dict[str, Draft]:
    """Orders by id, each with its live children, the last that rested, those refused with their
    stop, and those of `child_ids` that are its own.

    With `lock` in key order, so that two writers of the same orders never wait for each other.
    """
    if not known.keys() >= set(order_ids):
        if lock:
            await take_turns(connection, order_ids)
        return await _read(connection, account, order_ids, child_ids, lock=lock)
    brief = await connection.fetch(_LOCKED if lock else _BRIEF, account, order_ids)
    same = [row for row in brief if row["version"] == known[row["id"]][0]]
    moved_on = [row["id"] for row in brief if row["version"] != known[row["id"]][0]]
    drafts = {row["id"]: _remembered(row, known[row["id"]][1]) for row in same}
    live = {child_id for draft in drafts.values() for child_id in draft.children}
    await _add_finished(connection, account, drafts, [c for c in child_ids if c not in live])
    if moved_on:
        # Locked already: what is read now stays as it is.
        drafts |= await _read(connection, account, moved_on, child_ids, lock=False)
    return drafts


async def take_turns(connection: Connection, order_ids: list[str]) -> None:
    """Wait for other writers of these orders before this transaction has an id of its own.

    Readers follow the log by transaction id. A row lock gives a transaction its id at once: one
    that locked a first order, then waited for a second, would write that one's next event under
    an older id than the event before it. These locks give no id.
    """
    await connection.execute(_TURNS.format("$1"), order_ids)


def _remembered(row: rows.Row, execution: Execution) -> Draft:
    return Draft(row=row, execution=execution, children={c.id: c for c in execution.children})


async def _add_finished(
    connection: Connection, account: str, drafts: Mapping[str, Draft], child_ids: Sequence[str]
) -> None:
    if not child_ids:
        return
    found = await connection.fetch(
        f"SELECT {CHILDREN} FROM children WHERE account = $1 AND id = ANY($2)",
        account,
        list(child_ids),
    )
    for row in found:
        draft = drafts.get(row["order_id"])
        if draft is not None:
            draft.children[row["id"]] = rows.child(row)


async def _read(
    connection: Connection,
    account: str,
    order_ids: list[str],
    child_ids: Sequence[str],
    *,
    lock: bool,
) -> dict[str, Draft]:
    orders = await connection.fetch(
        f"SELECT {ORDERS} FROM orders WHERE account = $1 AND id = ANY($2) ORDER BY id"
        + (" FOR UPDATE" if lock else ""),
        account,
        order_ids,
    )
    children = await connection.fetch(
        f"SELECT {CHILDREN} FROM children WHERE account = $1 AND order_id = ANY($2)"
        f" AND ({_LIVE} OR id = ANY($3) OR {_LAST_RESTED} OR {_REFUSED_WITH_STOP})"
        " ORDER BY number",
        account,
        order_ids,
        list(child_ids),
    )
    own: dict[str, list[Any]] = {}
    for child in children:
        own.setdefault(child["order_id"], []).append(child)
    return {
        row["id"]: Draft(
            row=row,
            execution=rows.execution(row, own.get(row["id"], ())),
            children={c["id"]: rows.child(c) for c in own.get(row["id"], ())},
        )
        for row in orders
    }
