"""A signal judged: what it comes to, what the gates say to it, and what its order would cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app.domain.admission import admit
from app.domain.cost.calibration import PUBLISHED, Calibration
from app.domain.cost.order import conditions_of, estimate_order
from app.domain.gate import Case, CostAt, ExpectedCost
from app.domain.instant import SECOND, rfc3339
from app.domain.quantity import ZERO, Side, floor_to
from app.domain.refusal import Refusal
from app.domain.request import Request
from app.domain.ruling import Chosen, Decision, Outcome, choose, rule
from app.domain.scene import Rules, Scene, reference_now
from app.domain.strategy import Strategy
from app.engine.costing import calibration_for
from app.engine.meaning import meaning
from app.engine.service import Service
from app.engine.signal import Signal, Sizing
from app.engine.sizing import Closed, Judged, Meant, refuses, sized
from app.store import signals, standings
from app.store.database import Connection

NEEDS_FLOW = frozenset({"flow", "regime"})
"""Gates that look at what only the owner of the feed measures, while somebody asks."""


FRESHNESS = "freshness"
"""The one gate that is asked about what only takes back."""

_AHEAD = 2
"""Seconds that a sender's clock may be ahead of ours, where no gate says."""

Ceiling = Callable[[Meant, Scene], Closed | None]
"""A door's own bound on what one signal may open. Raises Refusal where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A signal with all it is judged by. `recalled` are orders that were told to end for it."""

    signal: Signal
    strategy: Strategy
    scene: Scene
    ceiling: Ceiling | None = None
    recalled: frozenset[str] = frozenset()


async def judge(service: Service, connection: Connection, asked: Asked, request: Request) -> Judged:
    """What is decided on a signal. `request` is all of its order but side and quantity. Raises
    Refusal for a size that is none."""
    gates = chosen(service, asked.strategy)
    late = await _late(connection, asked.signal, gates)
    meant = late or await _meant(service, connection, asked)
    if isinstance(meant, Closed):
        if asked.recalled and meant.reason == "already_there":
            said = {"gate": "sequence", "verdict": "reduce", "reason": f"ended, and {meant.said}"}
            return Judged(Outcome.REDUCE, "recalled", [said], final=ZERO)
        return _closed(meant)
    verdicts = _recalled(meant, asked)
    over = None
    if asked.ceiling is not None and meant.opens:
        over = asked.ceiling(replace(meant, qty=meant.opens, back=ZERO), asked.scene)
    if over is not None and not meant.back:
        return _closed(over)
    if meant.only_back or over is not None:
        fresh = [one for one in gates if one.gate.name == FRESHNESS]
        decision = _ruled(service, asked, meant, meant.back, request, fresh)
        verdicts += [_verdict(over)] if over is not None else []
        verdicts += _said(decision)
        verdicts += [
            {"gate": one.gate.name, "verdict": "not_asked"} for one in gates if one not in fresh
        ]
        beyond = None
    else:
        decision = beyond = _ruled(service, asked, meant, meant.opens, request, gates)
        verdicts += _said(decision)
    if refuses(decision) and _by_freshness(decision):
        return Judged(Outcome.REJECT, FRESHNESS, verdicts, meant.side, meant.qty, ZERO)
    judged = sized(beyond, verdicts, meant, asked.strategy, asked.scene)
    if over is None or not judged.goes:
        return judged
    return replace(judged, decision=Outcome.REDUCE, reason=over.reason)


def _closed(closed: Closed) -> Judged:
    return Judged(Outcome.REJECT, closed.reason, [_verdict(closed)])


def _verdict(closed: Closed) -> dict[str, Any]:
    return {"gate": closed.gate, "verdict": "reject", "reason": closed.said}


def _by_freshness(decision: Decision) -> bool:
    return decision.decisive is not None and decision.decisive.gate == FRESHNESS


def _said(decision: Decision) -> list[dict[str, Any]]:
    shown = [ruling.shown() for ruling in decision.rulings]
    return shown + [{"gate": name, "verdict": "not_asked"} for name in decision.not_asked]


def _recalled(meant: Meant, asked: Asked) -> list[dict[str, Any]]:
    """What is to be known of orders that had to end first."""
    if not asked.recalled:
        return []
    left = len(asked.recalled.intersection((*meant.recall, *meant.exits)))
    ended = f"{len(asked.recalled)} open orders were told to end"
    reason = f"{ended}; {left} of them have not yet" if left else ended
    orders = {"orders": sorted(asked.recalled)}
    return [{"gate": "sequence", "verdict": "pass", "reason": reason, "inputs": orders}]


def _ruled(
    service: Service,
    asked: Asked,
    meant: Meant,
    qty: Decimal,
    request: Request,
    gates: list[Chosen],
) -> Decision:
    # What an order costs does not depend on its exits.
    plain = request._replace(side=meant.side, qty=qty, bracket=None)
    case = case_of(service, asked.signal, meant.side, qty, asked.strategy, asked.scene, plain)
    return rule(case, gates)


async def _late(connection: Connection, signal: Signal, gates: Sequence[Chosen]) -> Closed | None:
    """A signal that was made before one already followed has been overtaken."""
    if signal.at is None:
        return None
    ahead = next((g.params["tolerance"] for g in gates if g.gate.name == FRESHNESS), _AHEAD)
    latest = await signals.latest(
        connection,
        account=signal.account,
        symbol=signal.symbol,
        strategy=signal.strategy,
        ahead=int(ahead * SECOND),
    )
    if latest is None or signal.at >= latest:
        return None
    return Closed(
        "overtaken", f"made at {rfc3339(signal.at)}, and one of {rfc3339(latest)} is decided"
    )


async def _meant(service: Service, connection: Connection, asked: Asked) -> Meant | Closed:
    signal, scene = asked.signal, asked.scene
    side = signal.side
    plain = signal.sizing is not Sizing.TARGET and not signal.only_back
    standing = await standings.standing(
        connection, account=signal.account, symbol=signal.symbol, strategy=signal.strategy
    )
    if side is not None and plain and standing.room(side):
        # Somebody else's position is not this strategy's to take back: it would be its entry.
        mine = await standings.of_strategy(
            connection,
            account=signal.account,
            symbol=signal.symbol,
            strategy=signal.strategy,
            side=side,
        )
        standing = replace(standing, mine=mine)
    money = signal.sizing is Sizing.NOTIONAL
    return meaning(
        signal,
        standing,
        lot=scene.instrument.lot,
        price=reference_now(scene, service.rules.policy) if money else None,
        mode=asked.strategy.mode,
    )


def chosen(service: Service, strategy: Strategy) -> list[Chosen]:
    """The gates that a strategy's signals are asked by, with their parameters."""
    least = service.strategies.house.confidence
    house = {} if least is None else {"confidence": {"least": Decimal(str(least))}}
    return [choose(name, {**house.get(name, {}), **params}) for name, params in strategy.gates]


def case_of(
    service: Service,
    signal: Signal,
    side: Side,
    qty: Decimal,
    strategy: Strategy,
    scene: Scene,
    request: Request,
) -> Case:
    return Case(
        side=side,
        qty=qty,
        now=scene.now,
        strategy=signal.strategy,
        kind=strategy.kind,
        at=signal.at,
        confidence=signal.confidence,
        expected_edge=signal.expected_edge,
        reference=signal.price,
        limit=request.limit_price,
        stop=signal.stop,
        target=signal.target,
        quote=scene.quote,
        flow=scene.flow,
        regime=scene.regime,
        cost_at=cost_of(request, scene, service.rules, calibration_for(service, request.account)),
    )


def cost_of(
    request: Request, scene: Scene, rules: Rules, calibration: Calibration = PUBLISHED
) -> CostAt:
    """What any quantity would cost as it would be executed; asked once for each."""
    known: dict[Decimal, ExpectedCost | None] = {}

    def cost_at(qty: Decimal) -> ExpectedCost | None:
        if qty not in known:
            known[qty] = _cost(request._replace(qty=qty), scene, rules, calibration)
        return known[qty]

    return cost_at


def _cost(
    request: Request, scene: Scene, rules: Rules, calibration: Calibration
) -> ExpectedCost | None:
    assert request.qty is not None, "signals become quantities first"
    whole = max(floor_to(request.qty, scene.instrument.lot), scene.instrument.lot)
    try:
        admitted = admit(request._replace(qty=whole), "preview", scene, rules)
    except Refusal:
        return None
    conditions = conditions_of(admitted.quote, scene.volatility, scene.daily_volume)
    estimate = estimate_order(
        admitted.task, admitted.algorithm, conditions, scene.daily_volume, calibration
    )
    if estimate.total is None:
        return None
    return ExpectedCost(estimate.total, estimate.low, estimate.high)
