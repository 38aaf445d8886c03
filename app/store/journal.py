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
from app.domain.fact import (
    Adopted,
    Amended,
    Busted,
    Command,
    ExitForced,
    Fact,
    Filled,
    Intended,
    OrderFact,
    StopHit,
)
from app.domain.fold import apply, apply_to_child
from app.failpoints import reach
from app.store import fill_ledger
from app.store.database import Connection
from app.store.drafts import Known, drafts_of
from app.store.fill_ledger import Void
from app.store.journal_write import Draft, persist, upsert_children
from app.store.rows import terms_to_json

Unwritable = asyncpg.DataError
"""What it says to a value it cannot hold; what the driver cannot even send is a ValueError."""

Contradiction = asyncpg.IntegrityConstraintViolationError
"""What the database says to a row that must never be."""

HOUSE = "slipstream"
"""Who gives a command that nobody outside gave."""

OPEN = "status NOT IN ('filled', 'canceled', 'expired', 'rejected')"


@dataclass(frozen=True, slots=True)
class Entry:
    """Facts about one order, in the order they happened.

    `version` is the one a decision was made on (None: facts from outside, always booked).
    `why` explains intents, by child id; `saw` a decision that intends no child. `attention` asks
    the desk to look. `voids` are executions of the order that the broker declared void. `by` is
    whose command it is: a key's id, or what of the house acted by itself.
    """

    order_id: str
    facts: Sequence[Fact]
    version: int | None = None
    why: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attention: bool = False
    voids: Sequence[Void] = ()
    saw: Mapping[str, Any] | None = None
    by: str = HOUSE


@dataclass(frozen=True, slots=True)
class Recorded:
    """An order after its facts. `stale` means nothing was recorded: the version had moved on."""

    order_id: str
    execution: Execution
    version: int
    stale: bool = False
    booked: tuple[Filled, ...] = ()
    busted: tuple[Busted, ...] = ()


async def record(
    connection: Connection,
    *,
    account: str,
    broker: str,
    entries: Sequence[Entry],
    epoch: int = 0,
    known: Known | None = None,
) -> list[Recorded]:
    """Fold facts into orders and persist what follows. Must run inside a transaction.

    A fill already booked is skipped; only an inserted one moves child, order, position and
    event. `known` are orders as the caller remembers them: one whose version is still the same
    need not be read again. Returns one result an entry, in the same order; an entry whose order
    does not exist raises KeyError.
    """
    decided = [entry for entry in entries if entry.version is not None]
    assert not any(isinstance(f, Filled) for e in decided for f in e.facts), "fills are no choice"
    drafts = await _lock(connection, account, entries, known or {})
    reach("facts.locked")
    fresh, busted = await _enter(connection, account, broker, entries, drafts)
    results = [_fold(drafts[entry.order_id], entry, fresh, busted) for entry in entries]
    reach("facts.folded")
    touched = [draft for draft in drafts.values() if draft.events]
    attention = {e.order_id for e in entries if e.attention}
    await persist(connection, account, epoch, touched, attention)
    reach("facts.persisted")
    return [
        Recorded(
            order_id=entry.order_id,
            execution=(draft := drafts[entry.order_id]).execution,
            version=draft.row["version"] + (1 if draft.events else 0),
            stale=result.stale,
            booked=tuple(result.booked),
            busted=tuple(result.busted),
        )
        for entry, result in zip(entries, results, strict=True)
    ]


async def load(
    connection: Connection, *, account: str, order_ids: Sequence[str], lock: bool = False
) -> dict[str, tuple[Execution, int]]:
    """Executions and their versions; with `lock`, held until the transaction ends."""
    drafts = await drafts_of(connection, account, list(order_ids), [], {}, lock=lock)
    return {order_id: (d.execution, d.row["version"]) for order_id, d in drafts.items()}


async def _lock(
    connection: Connection, account: str, entries: Sequence[Entry], known: Known
) -> dict[str, Draft]:
    named = [
        fact.child_id
        for e in entries
        for fact in e.facts
        if not isinstance(fact, OrderFact | Intended)
    ]
    named += [v.child_id for e in entries for v in e.voids]
    ids = sorted({e.order_id for e in entries})
    drafts = await drafts_of(connection, account, ids, named, known, lock=True)
    missing = set(ids) - set(drafts)
    if missing:
        raise KeyError(f"no order {missing.pop()} in account {account}")
    return drafts


async def _enter(
    connection: Connection,
    account: str,
    broker: str,
    entries: Sequence[Entry],
    drafts: Mapping[str, Draft],
) -> tuple[set[str], dict[str, list[Busted]]]:
    """The fills that are new, and what turned out void, by order id.

    Children that are adopted in this transaction come first: a fill names a child's row.
    """
    await _adopt(connection, account, entries, drafts)
    fills = [(e.order_id, f) for e in entries for f in e.facts if isinstance(f, Filled)]
    voids = [void for e in entries for void in e.voids]
    rows = {order_id: draft.row for order_id, draft in drafts.items()}
    inserted = await fill_ledger.insert(connection, account, broker, fills, rows)
    await fill_ledger.remember_voids(connection, account, broker, voids)
    busted = await fill_ledger.void(
        connection,
        account,
        broker,
        execution_ids={v.execution_id for v in voids} | inserted.void,
        order_ids=list(drafts),
    )
    return inserted.fresh, busted


async def _adopt(
    connection: Connection, account: str, entries: Sequence[Entry], drafts: Mapping[str, Draft]
) -> None:
    for entry in entries:
        draft = drafts[entry.order_id]
        for fact in entry.facts:
            if isinstance(fact, Adopted) and fact.child_id not in draft.children:
                draft.adopt(fact)
    adopting = [draft for draft in drafts.values() if draft.adopted]
    if adopting:
        await upsert_children(connection, account, 0, adopting)


@dataclass(slots=True)
class _Folded:
    stale: bool = False
    booked: list[Filled] = field(default_factory=list)
    busted: list[Busted] = field(default_factory=list)


def _fold(draft: Draft, entry: Entry, fresh: set[str], busted: dict[str, list[Busted]]) -> _Folded:
    if entry.version is not None and entry.version != draft.row["version"]:
        return _Folded(stale=True)
    folded = _Folded()
    draft.why = {**draft.why, **entry.why}
    first = len(draft.events)
    for fact in entry.facts:
        if isinstance(fact, Filled):
            if fact.execution_id not in fresh:
                continue
            fresh.discard(fact.execution_id)
            folded.booked.append(fact)
        if isinstance(fact, Command):
            draft.commanded[len(draft.events)] = entry.by
        _fold_one(draft, fact)
    if entry.saw is not None and len(draft.events) > first:
        draft.notes[first] = {**draft.notes.get(first, {}), **entry.saw}
    # After the fills: what is void was booked before, or just now.
    folded.busted = busted.pop(entry.order_id, [])
    for fact in folded.busted:
        _fold_one(draft, fact)
    return folded


def _fold_one(draft: Draft, fact: Fact) -> None:
    before = draft.execution
    if isinstance(fact, OrderFact):
        draft.execution = apply(before, fact)
        if isinstance(fact, Amended | StopHit | ExitForced):
            draft.notes[len(draft.events)] = {"before": terms_to_json(before.task)}
    elif isinstance(fact, Adopted):
        return  # Taken in before the fills: see `_adopt`.
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
