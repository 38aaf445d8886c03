"""A signal becomes a decision, and where the decision is yes, an order in the same transaction."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.instant import rfc3339
from app.domain.mode import Mode
from app.domain.quantity import ZERO, Side
from app.domain.refusal import Conflict, Refusal
from app.domain.request import Request
from app.domain.risk.judge import check as check_limits
from app.domain.ruling import Outcome
from app.domain.scene import Scene
from app.domain.strategy import Strategy
from app.engine.accept import accept
from app.engine.given import Given
from app.engine.ids import new_id
from app.engine.judging import NEEDS_FLOW, Asked, Ceiling, judge
from app.engine.preview import preview
from app.engine.quotes import leaning_scene, scene_for
from app.engine.recalling import Recall, recall, still_to_end
from app.engine.service import Caller, Service
from app.engine.signal import Signal
from app.engine.sizing import Judged
from app.store import signals
from app.store.database import Connection
from app.store.doorbell import EVENTS


async def receive(
    service: Service,
    caller: Caller,
    signal: Signal,
    body: Mapping[str, Any],
    *,
    ceiling: Ceiling | None = None,
) -> Any:
    """The signal's row with its decision. The same signal again: the same decision; only one that
    was deferred is judged anew.

    Raises Refusal for what is no usable signal (nothing is stored), Conflict for a signal id
    that stands for another body. A refusal by risk is a decision and is kept.
    """
    given = Given.of(body)
    async with service.turns.here(signal.account, signal.symbol):
        # First: what was decided once stands, even where it could no longer be decided today.
        earlier = await _earlier(service, signal, given)
        if earlier is not None and earlier["decision"] != Outcome.DEFER:
            return earlier
        strategy = await service.strategies.of(signal.account, signal.strategy)
        signal = _bracketed(signal, strategy)
        leans = any(name in NEEDS_FLOW for name, _ in strategy.gates)
        recalled: frozenset[str] = frozenset()
        while True:
            scene = await (leaning_scene if leans else scene_for)(service, signal.symbol)
            asked = Asked(signal, strategy, scene, ceiling, recalled)
            decided = await _decide(service, caller, asked, given, body)
            if not isinstance(decided, Recall):
                return decided
            await recall(service, caller, signal.account, decided.order_ids)
            recalled |= frozenset(decided.order_ids)


def _bracketed(signal: Signal, strategy: Strategy) -> Signal:
    """The signal, whose exits are held to what its strategy's gate asks, or to more."""
    asked = next((p for name, p in strategy.gates if name == "reward_risk"), {}).get("minimum")
    if signal.bracket is None or asked is None:
        return signal
    least = max(Decimal(str(asked)), signal.min_reward_risk or ZERO)
    return replace(signal, bracket=replace(signal.bracket, minimum=least))


async def _decide(
    service: Service, caller: Caller, asked: Asked, given: Given, body: Mapping[str, Any]
) -> Any | Recall:
    signal, strategy = asked.signal, asked.strategy
    async with service.turns.everywhere(signal.account, signal.symbol) as connection:
        earlier = await _found(connection, signal, given)
        if earlier is not None and earlier["decision"] != Outcome.DEFER:
            return earlier
        row_id = earlier["id"] if earlier is not None else new_id()
        row = _row(signal, row_id, given, body, strategy, asked.scene)
        request = await service.strategies.applied(_request(signal, row_id))
        judged = await judge(service, connection, asked, request)
        told = row | _columns(judged)
        if judged.goes and judged.final and strategy.mode is Mode.SHADOW:
            return await _store(service, await _imagined(service, caller, request, judged, told))
        if judged.goes and strategy.mode is not Mode.SHADOW:
            if judged.recall and (found := still_to_end(judged, asked)) is not None:
                return found
            if judged.final:
                return await _enter(service, caller, request, judged, given, told)
        return await _store(service, told)


async def _enter(
    service: Service,
    caller: Caller,
    request: Request,
    judged: Judged,
    given: Given,
    row: dict[str, Any],
) -> Any:
    """Make the order, and with it the row; a refusal by risk is kept as a rejection."""
    try:
        await accept(service, caller, _ordered(request, judged), given, signal=row)
    except Refusal as refusal:
        return await _store(service, _refused(refusal, judged, row))
    async with service.database.connection() as connection:
        return await signals.find(
            connection, account=row["account"], source=row["source"], signal_id=row["signal_id"]
        )


async def _imagined(
    service: Service, caller: Caller, request: Request, judged: Judged, row: dict[str, Any]
) -> dict[str, Any]:
    """The row of a decision that sends nothing, with what risk would have said to its order."""
    try:
        seen = await preview(service, caller, _ordered(request, judged))
        check_limits(seen.verdicts, "size")
    except Refusal as refusal:
        return _refused(refusal, judged, row)
    return row


def _ordered(request: Request, judged: Judged) -> Request:
    """The request with the size that was decided."""
    assert judged.side is not None, "only sized signals are entered"
    assert judged.final is not None, "only sized signals are entered"
    request = request._replace(side=judged.side, qty=judged.final)
    if not judged.only_back:
        return request
    # What only takes back has no exits of its own.
    return request._replace(bracket=None, reduce_only=judged.reduce_only)


def _refused(refusal: Refusal, judged: Judged, row: dict[str, Any]) -> dict[str, Any]:
    """The row of what risk refuses; raises any other refusal on."""
    if not refusal.code.startswith("risk."):
        raise refusal
    said = {"gate": "risk", "verdict": "reject", "reason": str(refusal), **refusal.detail}
    return row | {
        "decision": Outcome.REJECT.value,
        "reason": refusal.code,
        "verdicts": [*judged.verdicts, said],
        "final_qty": ZERO,
    }


async def _earlier(service: Service, signal: Signal, given: Given) -> Any | None:
    if signal.signal_id is None:
        return None
    async with service.database.connection() as connection:
        return await _found(connection, signal, given)


async def _found(connection: Connection, signal: Signal, given: Given) -> Any | None:
    """The decision there is on this very signal. Raises Conflict for an id of another body."""
    if signal.signal_id is None:
        return None
    row = await signals.find(
        connection, account=signal.account, source=signal.source, signal_id=signal.signal_id
    )
    if row is not None and row["body_sha256"] != given.digest:
        raise _duplicate()
    return row


def _duplicate() -> Conflict:
    return Conflict("duplicate_signal", "this signal id came before with another body", field="id")


def _request(signal: Signal, row_id: str) -> Request:
    """All of its order but side and quantity."""
    return Request(
        account=signal.account,
        symbol=signal.symbol,
        side=Side.BUY,
        algo=signal.algo,
        params=signal.params,
        limit_price=signal.limit_price,
        duration=signal.duration,
        max_participation=signal.max_participation,
        urgency=signal.urgency,
        strategy=signal.strategy,
        bracket=signal.bracket,
        client_order_id=f"signal-{row_id}",
    )


def _row(
    signal: Signal,
    row_id: str,
    given: Given,
    body: Mapping[str, Any],
    strategy: Strategy,
    scene: Scene,
) -> dict[str, Any]:
    return {
        "account": signal.account,
        "id": row_id,
        "source": signal.source,
        "signal_id": signal.signal_id or row_id,
        "body_sha256": given.sha256,
        "body": dict(body),
        "at": rfc3339(scene.now),
        "strategy": signal.strategy,
        "symbol": signal.symbol,
        "mode": strategy.mode.value,
        "strategy_version": strategy.version,
        "made_at": rfc3339(signal.at) if signal.at is not None else None,
    }


def _columns(judged: Judged) -> dict[str, Any]:
    return {
        "decision": str(judged.decision),
        "reason": judged.reason,
        "verdicts": list(judged.verdicts),
        "side": judged.side.value if judged.side is not None else None,
        "qty": judged.qty,
        "final_qty": judged.final,
    }


async def _store(service: Service, row: dict[str, Any]) -> Any:
    """Keep a decision that made no order."""
    async with service.database.transaction() as connection:
        kept = await signals.keep(connection, row)
    if kept is None:
        raise _duplicate()
    service.doorbell.ring(EVENTS)
    return kept
