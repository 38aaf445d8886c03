"""The one place where orders change: facts in, rows and events out, all in one transaction.

`record` locks the orders, folds the facts with the domain's `apply`, and persists what comes
back. Whoever learns a fact may record it. Decisions (intents, cancels, moves) name the version
they were made on and are dropped when the order has moved on meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from app.domain.execution import Execution
from app.domain.fact import Fact, Filled, Intended, OrderFact
from app.domain.fold import apply, apply_to_child
from app.store import rows
from app.store.database import Connection
from app.store.journal_write import Draft, persist

Contradiction = asyncpg.IntegrityConstraintViolationError
"""What the database says to a row that must never be."""

OPEN = "status NOT IN ('filled', 'canceled', 'expired', 'rejected')"
LIVE = "status NOT IN ('filled', 'canceled', 'rejected', 'expired')"


@dataclass(frozen=True, slots=True)
class Entry:
    """Facts about one order, in the order they happened.

    `version` is the one a decision was made on (None: facts from outside, always booked).
    `why` explains intents, by child id. `attention` asks the desk to look.
    """

    order_id: str
    facts: Sequence[Fact]
    version: int | None = None
    why: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attention: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """An order after its facts. `stale` means nothing was recorded: the version had moved on."""

    order_id: str
    execution: Execution
    version: int
    stale: bool = False
    booked: tuple[Filled, ...] = ()


async def record(
    connection: Connection,
    *,
    account: str,
    broker: str,
    entries: Sequence[Entry],
    epoch: int = 0,
) -> list[Recorded]:
    """Fold facts into orders and persist what follows. Must run inside a transaction.

    A fill already booked is skipped; only an inserted one moves child, order, position and
    event. Returns one result an entry, in the same order; an entry whose order does not exist
    raises KeyError.
    """
    decided = [entry for entry in entries if entry.version is not None]
    assert not any(isinstance(f, Filled) for e in decided for f in e.facts), "fills are no choice"
    drafts = await _lock(connection, account, entries)
    fresh = await _insert_fills(connection, account, broker, entries, drafts)
    results = []
    for entry in entries:
        draft = drafts[entry.order_id]
        stale = entry.version is not None and entry.version != draft.row["version"]
        booked = () if stale else _fold(draft, entry, fresh)
        results.append((entry, stale, booked))
    touched = [draft for draft in drafts.values() if draft.events]
    attention = {e.order_id for e in entries if e.attention}
    await persist(connection, account, epoch, touched, attention)
    return [
        Recorded(
            order_id=entry.order_id,
            execution=drafts[entry.order_id].execution,
            version=drafts[entry.order_id].row["version"]
            + (1 if drafts[entry.order_id].events else 0),
            stale=stale,
            booked=booked,
        )
        for entry, stale, booked in results
    ]


async def load(
    connection: Connection, *, account: str, order_ids: Sequence[str], lock: bool = False
) -> dict[str, tuple[Execution, int]]:
    """Executions and their versions; with `lock`, held until the transaction ends."""
    drafts = await _drafts(connection, account, list(order_ids), [], lock=lock)
    return {order_id: (d.execution, d.row["version"]) for order_id, d in drafts.items()}


async def _lock(connection: Connection, account: str, entries: Sequence[Entry]) -> dict[str, Draft]:
    named = [fact.child_id for e in entries for fact in e.facts if not isinstance(fact, OrderFact)]
    ids = sorted({e.order_id for e in entries})
    drafts = await _drafts(connection, account, ids, named, lock=True)
    missing = set(ids) - set(drafts)
    if missing:
        raise KeyError(f"no order {missing.pop()} in account {account}")
    return drafts


async def _drafts(
    connection: Connection,
    account: str,
    order_ids: list[str],
    child_ids: list[str],
    *,
    lock: bool,
) -> dict[str, Draft]:
    # In key order, so that two writers of the same orders never wait for each other.
    orders = await connection.fetch(
        "SELECT * FROM orders WHERE account = $1 AND id = ANY($2) ORDER BY id"
        + (" FOR UPDATE" if lock else ""),
        account,
        order_ids,
    )
    children = await connection.fetch(
        "SELECT * FROM children WHERE account = $1 AND order_id = ANY($2)"
        f" AND ({LIVE} OR id = ANY($3)) ORDER BY number",
        account,
        order_ids,
        child_ids,
    )
    drafts = {}
    for row in orders:
        own = [c for c in children if c["order_id"] == row["id"]]
        drafts[row["id"]] = Draft(
            row=row,
            execution=rows.execution(row, own),
            children={c["id"]: rows.child(c) for c in own},
        )
    return drafts


async def _insert_fills(
    connection: Connection,
    account: str,
    broker: str,
    entries: Sequence[Entry],
    drafts: Mapping[str, Draft],
) -> set[str]:
    fills = [(e.order_id, f) for e in entries for f in e.facts if isinstance(f, Filled)]
    if not fills:
        return set()
    inserted = await connection.fetch(
        "INSERT INTO fills (account, broker, execution_id, order_id, child_id, symbol, side, qty,"
        " price, fee, liquidity, at)"
        " SELECT $1, $2, * FROM unnest($3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],"
        " $8::numeric[], $9::numeric[], $10::numeric[], $11::text[], $12::timestamptz[])"
        " ON CONFLICT DO NOTHING RETURNING execution_id",
        account,
        broker,
        [f.execution_id for _, f in fills],
        [order_id for order_id, _ in fills],
        [f.child_id for _, f in fills],
        [drafts[order_id].row["symbol"] for order_id, _ in fills],
        [drafts[order_id].row["side"] for order_id, _ in fills],
        [f.qty for _, f in fills],
        [f.price for _, f in fills],
        [f.fee for _, f in fills],
        [f.liquidity for _, f in fills],
        [f.at for _, f in fills],
    )
    return {row["execution_id"] for row in inserted}


def _fold(draft: Draft, entry: Entry, fresh: set[str]) -> tuple[Filled, ...]:
    booked = []
    draft.why = {**draft.why, **entry.why}
    for fact in entry.facts:
        if isinstance(fact, Filled):
            if fact.execution_id not in fresh:
                continue
            fresh.discard(fact.execution_id)
            booked.append(fact)
        _fold_one(draft, fact)
    return tuple(booked)


def _fold_one(draft: Draft, fact: Fact) -> None:
    before = draft.execution
    if isinstance(fact, OrderFact):
        draft.execution = apply(before, fact)
    elif isinstance(fact, Intended):
        draft.execution = apply(before, fact)
        intended = draft.execution.child(fact.child_id)
        assert intended is not None, "an intent makes a child"
        draft.children[intended.id] = draft.changed[intended.id] = intended
    else:
        old = draft.children[fact.child_id]
        draft.execution, child = apply_to_child(before, fact, old)
        if child == old:
            return  # Heard before: a repeated report is no event.
        draft.children[child.id] = draft.changed[child.id] = child
    draft.events.append((fact, draft.execution))
