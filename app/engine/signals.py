"""A signal becomes a decision, and where the decision is yes, an order in the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant, rfc3339
from app.domain.quantity import Side
from app.domain.refusal import Conflict, Refusal
from app.domain.request import AUTO, Request
from app.domain.task import Urgency
from app.engine.accept import Given, accept
from app.engine.ids import new_id
from app.engine.quotes import scene_for
from app.engine.service import Caller, Service
from app.store import signals
from app.store.doorbell import EVENTS


@dataclass(frozen=True, slots=True)
class Signal:
    """What a strategy says. `price` is its reference price, not a limit; `confidence` in [0, 1]."""

    account: str
    source: str
    signal_id: str | None
    symbol: str
    side: Side
    size: Decimal
    price: Decimal | None = None
    confidence: float | None = None
    limit_price: Decimal | None = None
    urgency: Urgency = Urgency.NORMAL
    strategy: str | None = None


async def receive(service: Service, caller: Caller, signal: Signal, body: Mapping[str, Any]) -> Any:
    """The signal's row with its decision. The same signal again: the same decision.

    Raises Refusal for what is no usable signal (nothing is stored), Conflict for a signal id
    that stands for another body. A refusal by risk is a decision and is kept.
    """
    given = Given(body)
    # First: what was decided once stands, even where it could no longer be decided today.
    earlier = await _earlier(service, signal, given)
    if earlier is not None:
        return earlier
    row_id = new_id()
    scene = await scene_for(service, signal.symbol)
    row = _row(signal, row_id, given, body, scene.now)
    verdicts = [_confidence(signal, service.signal_confidence_min)]
    if verdicts[0]["verdict"] == "reject":
        return await _store(service, row, "reject", "low_confidence", verdicts)
    decided = row | {"decision": "execute", "reason": None, "verdicts": verdicts}
    try:
        await accept(service, caller, _request(signal, row_id), given, signal=decided)
    except Refusal as refusal:
        if not refusal.code.startswith("risk."):
            raise
        verdicts.append({"gate": "risk", "verdict": "reject", **refusal.detail})
        return await _store(service, row, "reject", refusal.code, verdicts)
    async with service.database.connection() as connection:
        return await signals.find(
            connection, account=signal.account, source=signal.source, signal_id=row["signal_id"]
        )


async def _earlier(service: Service, signal: Signal, given: Given) -> Any | None:
    """The decision there is on this very signal. Raises Conflict for an id of another body."""
    if signal.signal_id is None:
        return None
    async with service.database.connection() as connection:
        row = await signals.find(
            connection, account=signal.account, source=signal.source, signal_id=signal.signal_id
        )
    if row is not None and row["body_sha256"] != bytes.fromhex(given.sha256.removeprefix("\\x")):
        raise _duplicate()
    return row


def _duplicate() -> Conflict:
    return Conflict("duplicate_signal", "this signal id came before with another body", field="id")


def _request(signal: Signal, row_id: str) -> Request:
    return Request(
        account=signal.account,
        symbol=signal.symbol,
        side=signal.side,
        qty=signal.size,
        algo=AUTO,
        limit_price=signal.limit_price,
        urgency=signal.urgency,
        strategy=signal.strategy,
        client_order_id=f"signal-{row_id}",
    )


def _row(
    signal: Signal, row_id: str, given: Given, body: Mapping[str, Any], now: Instant
) -> dict[str, Any]:
    return {
        "account": signal.account,
        "id": row_id,
        "source": signal.source,
        "signal_id": signal.signal_id or row_id,
        "body_sha256": given.sha256,
        "body": dict(body),
        "at": rfc3339(now),
    }


def _confidence(signal: Signal, least: float) -> dict[str, Any]:
    """The one gate there is so far. No confidence given means nothing to hold against it."""
    low = signal.confidence is not None and signal.confidence < least
    return {
        "gate": "confidence",
        "verdict": "reject" if low else "pass",
        "input": signal.confidence,
        "threshold": least,
    }


async def _store(
    service: Service, row: dict[str, Any], decision: str, reason: str, verdicts: list[Any]
) -> Any:
    """Keep a decision that made no order."""
    decided = row | {"decision": decision, "reason": reason, "verdicts": verdicts}
    async with service.database.transaction() as connection:
        kept = await signals.keep(connection, decided)
        if kept is None:
            raise _duplicate()
    service.doorbell.ring(EVENTS)
    return kept
