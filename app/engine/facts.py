"""From a decision to the facts and the explanation that are written down."""

from typing import Any, assert_never

from app.domain.actions import Action, Cancel, Decision, Move, Replan, Send
from app.domain.fact import ChildCancelRequested, Fact, Intended, Moved, Replanned
from app.domain.identity import child_id
from app.domain.instant import Instant, rfc3339
from app.domain.market import Market
from app.engine.working import Working
from app.store.journal import Entry


def entry(order: Working, decision: Decision, now: Instant) -> Entry:
    """The journal entry of a decision, valid only for the version it was made on."""
    facts: list[Fact] = []
    why: dict[str, dict[str, Any]] = {}
    number = order.execution.next_child
    for action in decision.actions:
        fact = _fact(order, action, number, now)
        facts.append(fact)
        if isinstance(fact, Intended):
            why[fact.child_id] = explain(order, decision, order.market, now)
            number += 1
    return Entry(order.order_id, facts, version=order.version, why=why)


def _fact(order: Working, action: Action, number: int, now: Instant) -> Fact:
    match action:
        case Move():
            return Moved(now, action.status, action.reason)
        case Replan():
            return Replanned(now, action.done, action.reason)
        case Cancel():
            return ChildCancelRequested(now, action.child_id, action.reason)
        case Send():
            return Intended(
                at=now,
                child_id=child_id(order.order_id, number),
                number=number,
                side=action.side,
                qty=action.qty,
                price=action.price,
                purpose=action.purpose,
                time_in_force=action.time_in_force,
                quote_at=action.quote_at,
            )
        case _:
            assert_never(action)


def explain(order: Working, decision: Decision, market: Market, now: Instant) -> dict[str, Any]:
    """Inputs, envelope and binding guard: enough to make the same decision again."""
    execution, envelope, quote = order.execution, decision.envelope, market.quote
    explained: dict[str, Any] = {
        "now": rfc3339(now),
        "version": order.version,
        "bound": decision.bound,
        "anchor": {"at": rfc3339(execution.anchor.at), "done": execution.anchor.done},
        "filled": execution.filled,
        "working": execution.working,
        "unknown": execution.unknown,
        "market_volume": market.volume,
        "last": market.last,
    }
    if envelope is not None:
        explained["envelope"] = {
            "must": envelope.must,
            "may": envelope.may,
            "next_at": rfc3339(envelope.next_at) if envelope.next_at is not None else None,
        }
    if quote is not None:
        explained["quote"] = {
            "bid": quote.bid,
            "ask": quote.ask,
            "bid_size": quote.bid_size,
            "ask_size": quote.ask_size,
            "bid_at": rfc3339(quote.bid_at),
            "ask_at": rfc3339(quote.ask_at),
        }
    return explained
