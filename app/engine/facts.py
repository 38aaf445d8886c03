"""From a decision to the facts and the explanation that are written down."""

from typing import Any

from app.domain.actions import Decision
from app.domain.consequence import facts_of
from app.domain.fact import Intended
from app.domain.instant import Instant, rfc3339
from app.engine.working import Working
from app.store.inputs import FORM, desk_to_json, envelope_to_json, market_to_json
from app.store.journal import Entry


def entry(order: Working, decision: Decision, now: Instant) -> Entry:
    """The journal entry of a decision, valid only for the version it was made on."""
    facts = facts_of(order.execution, decision, now)
    explained = explain(order, decision, now)
    why = {fact.child_id: explained for fact in facts if isinstance(fact, Intended)}
    saw = None if why else explained
    return Entry(order.order_id, facts, version=order.version, why=why, saw=saw)


def explain(order: Working, decision: Decision, now: Instant) -> dict[str, Any]:
    """All that a decision saw, its envelope and binding guard: enough to make it again.

    Where no plan was asked, the order's own state, the desk and `now` said everything.
    """
    explained: dict[str, Any] = {"form": FORM, "now": rfc3339(now), "version": order.version}
    if len(decision.actions) > 1:
        explained["actions"] = len(decision.actions)
    if desk := desk_to_json(order.desk):
        explained["desk"] = desk
    if decision.envelope is None:
        return explained
    execution = order.execution
    explained |= {
        "bound": decision.bound,
        "anchor": {"at": rfc3339(execution.anchor.at), "done": execution.anchor.done},
        "filled": execution.filled,
        "working": execution.working,
        "unknown": execution.unknown,
        "envelope": envelope_to_json(decision.envelope),
    }
    return explained | market_to_json(order.market, execution.task.session, order.kept)
