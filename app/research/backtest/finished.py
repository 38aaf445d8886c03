"""A finished order out of the database, for its replay."""

from app.domain.refusal import Missing
from app.research.backtest.what_if import Finished
from app.store import views
from app.store.database import Connection

LOOKED = ("order.scheduled", "order.working", "order.closing")
"""The first of these came of the first look at the order."""


async def load(connection: Connection, order_id: str) -> Finished:
    """Raises Missing."""
    row = await views.find_order(connection, order_id, None)
    if row is None:
        raise Missing("unknown_order", f"no order {order_id}")
    task, _ = views.task_of(row)
    really = await views.worked_order(connection, row)
    events = await views.first_events(connection, row)
    return Finished(
        task=task,
        accepted_at=row["accepted_at"],
        decision=really.decision,
        really=really,
        begins=min((events[type] for type in LOOKED if type in events), default=row["accepted_at"]),
        event_types=frozenset(events),
    )
