"""Puts on the audit trail who told an order what."""

from dataclasses import fields, replace

from app.domain.fact import Amended, OrderFact
from app.domain.task import Task
from app.engine.service import Caller
from app.store import trail
from app.store.database import Connection
from app.store.frames import fact_data


async def tell_command(
    connection: Connection, caller: Caller, before: Task, fact: OrderFact
) -> None:
    """In the transaction that records the command; `before` is what the order asked for."""
    amended = fact if isinstance(fact, Amended) else None
    await trail.add(
        connection,
        actor=caller.key_id,
        action=fact.type,
        target=before.order_id,
        account=before.account,
        before=fact_data(_as_it_was(before, amended)) if amended else None,
        after=fact_data(amended) if amended else None,
        reason=getattr(fact, "reason", None),
    )


def _as_it_was(before: Task, fact: Amended) -> Amended:
    """The amendment that would undo this one, as far as there was something before."""
    named = {
        f.name: getattr(before, f.name)
        for f in fields(fact)
        if f.name not in ("at", "params") and getattr(fact, f.name) is not None
    }
    params = None
    if fact.params is not None:
        params = {name: before.params[name] for name in fact.params if name in before.params}
    return replace(Amended(fact.at), **named, params=params)
