"""From what a signal means and what the gates said to a size: the last word is the mode's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from app.domain.mode import CANARY, Mode
from app.domain.quantity import ZERO, Side, floor_to
from app.domain.ruling import Decision, Outcome
from app.domain.scene import Scene
from app.domain.strategy import Strategy

_FINE = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Meant:
    """What a signal comes to before the gates: a side and a quantity in whole lots.

    `back` of it takes back what is held, and no more: that part is nobody's to reduce or refuse
    for what it is worth. `covered`: our own fills hold that much. `recall` are open orders that
    would go on against the trade, `exits` those of brackets that would take back the same;
    `scaled`: the mode's share is taken already.
    """

    side: Side
    qty: Decimal
    back: Decimal = ZERO
    covered: bool = False
    recall: tuple[str, ...] = ()
    exits: tuple[str, ...] = ()
    scaled: bool = False

    @property
    def opens(self) -> Decimal:
        """What goes beyond the position that is held."""
        return self.qty - self.back

    @property
    def only_back(self) -> bool:
        return not self.opens


@dataclass(frozen=True, slots=True)
class Closed:
    """A signal that asks for nothing, or for something too late: decided without any gate."""

    reason: str
    said: str
    gate: str = "sequence"


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision on its way into its row. `verdicts` are those of gates, in their order.
    `only_back`: it opens nothing, and `reduce_only`: its order is held to that by our own fills.
    `recall` has to end before it is entered."""

    decision: Outcome
    reason: str | None
    verdicts: Sequence[Mapping[str, Any]]
    side: Side | None = None
    qty: Decimal | None = None
    final: Decimal | None = None
    reduce_only: bool = False
    only_back: bool = False
    recall: tuple[str, ...] = ()

    @property
    def goes(self) -> bool:
        return self.decision in (Outcome.EXECUTE, Outcome.REDUCE)


def sized(
    decision: Decision | None,
    verdicts: list[dict[str, Any]],
    meant: Meant,
    strategy: Strategy,
    scene: Scene,
) -> Judged:
    """The final size: what is taken back, and what the gates and the mode let through beyond it.

    `decision` is that on the part that opens, None where there is none.
    """
    lot = scene.instrument.lot
    smallest = max(scene.instrument.min_qty, lot)
    opens, led = ZERO, None
    if decision is not None:
        if refuses(decision) and not meant.back:
            assert decision.decisive is not None, "somebody said no"
            reason = decision.decisive.gate
            return Judged(decision.outcome, reason, verdicts, meant.side, meant.qty, ZERO)
        led = decision.decisive.gate if decision.decisive is not None else None
        opens = ZERO if refuses(decision) else decision.size(meant.opens, lot)
    canary = strategy.mode is Mode.CANARY
    if canary and opens and not meant.scaled:
        opens = shared(opens, lot)
    if opens < smallest and meant.back:
        led, opens = led or ("too_small" if meant.opens else None), ZERO
    final = meant.back + opens
    shares = canary and (meant.scaled or bool(meant.opens))
    verdicts.append(_mode(strategy.mode, final, shares=shares))
    ends_only = bool(meant.recall) and not meant.qty
    if final < smallest and not ends_only:
        return Judged(Outcome.REJECT, "too_small", verdicts, meant.side, meant.qty, ZERO)
    led = led or ("mode" if shares else None)
    outcome = Outcome.EXECUTE if led is None else Outcome.REDUCE
    back = bool(meant.back) and not opens
    return Judged(
        outcome,
        led,
        verdicts,
        meant.side,
        meant.qty,
        final,
        reduce_only=back and meant.covered,
        only_back=back,
        recall=meant.recall if back else (*meant.recall, *meant.exits),
    )


def refuses(decision: Decision) -> bool:
    return decision.outcome in (Outcome.REJECT, Outcome.DEFER)


def shared(qty: Decimal, lot: Decimal) -> Decimal:
    """What a canary sends of a quantity."""
    return floor_to((qty * CANARY).quantize(_FINE, ROUND_FLOOR), lot)


def _mode(mode: Mode, qty: Decimal, *, shares: bool) -> dict[str, Any]:
    said = {
        Mode.SHADOW: "decided and recorded, nothing is sent",
        Mode.PAPER: "sent to a paper broker",
        Mode.CANARY: f"{CANARY:%} of the size is sent" if shares else "taken back whole",
        Mode.LIVE: "sent",
    }
    return {
        "gate": "mode",
        "verdict": "reduce" if shares else "pass",
        "factor": format(CANARY, "f") if shares else "1",
        "inputs": {"mode": mode.value, "qty": format(qty, "f")},
        "reason": said[mode],
    }
