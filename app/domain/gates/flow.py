"""Does the order flow confirm the signal? No confirmation, no trade.

Six witnesses are heard: the book, three timeframes, the cumulative delta and the footprint. Each is
for the signal, against it, neutral, or not known; what is not known confirms nothing.
"""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from app.domain.algorithm import Kind, Parameter
from app.domain.flow.record import Flow
from app.domain.flow.witnesses import AGAINST, FOR, Rules, Witness, hear
from app.domain.gate import Answer, Case, Gate, Params, Verdict
from app.domain.instant import SECOND, rfc3339, seconds

DEFER, REDUCE, REJECT, PASS = "defer", "reduce", "reject", "pass"


def judge(case: Case, params: Params) -> Answer:
    """Confirmed where enough timeframes are for the signal, and enough more witnesses for it than
    against it."""
    rules = Rules(
        book=float(params["book"]),
        strength=float(params["strength"]),
        trades=float(params["trades"]),
        levels=float(params["levels"]),
        delta=float(params["delta"]),
    )
    need, frames_needed = params["witnesses"], params["frames"]
    threshold = {**asdict(rules), "witnesses": need, "frames": frames_needed}
    flow, stale = _current(case, params)
    witnesses = hear(case.side, case.quote, flow, case.now, rules)
    inputs = _shown(case, flow, witnesses)
    known = [w for w in witnesses if w.vote is not None]
    frames = sum(w.vote == FOR for w in witnesses if w.timeframe)
    lead = sum(w.vote == FOR for w in known) - sum(w.vote == AGAINST for w in known)
    confidence = max(lead, 0) / len(witnesses)
    if stale is not None:
        reason = f"no confirmation: {stale}"
        return _unconfirmed(params["no_data"], reason, inputs, threshold, params, 0.0)
    if frames >= frames_needed and lead >= need:
        reason = f"confirmed by {_named(witnesses, FOR)}"
        return Answer(Verdict.PASS, reason, inputs, threshold, confidence=confidence)
    reason = (
        f"no confirmation: for it {_named(witnesses, FOR)}; against it"
        f" {_named(witnesses, AGAINST)}; not known {_named(witnesses, None)}"
    )
    said = params["unconfirmed"] if any(w.timeframe for w in known) else params["no_data"]
    return _unconfirmed(said, reason, inputs, threshold, params, confidence)


def _current(case: Case, params: Params) -> tuple[Flow | None, str | None]:
    """The flow, and why it says nothing where it does not."""
    if case.flow is None:
        return None, "the order flow is not known"
    age = case.now - case.flow.at
    if age > params["max_age"] * SECOND:
        return None, f"the order flow is known as of {seconds(age):.1f} s ago"
    return case.flow, None


def _unconfirmed(
    said: str,
    reason: str,
    inputs: dict[str, Any],
    threshold: dict[str, Any],
    params: Params,
    confidence: float,
) -> Answer:
    factor: Decimal = params["factor"]
    match said:
        case "pass":
            return Answer(Verdict.PASS, reason, inputs, threshold, confidence=confidence)
        case "defer":
            return Answer(Verdict.DEFER, reason, inputs, threshold, confidence=confidence)
        case "reduce" if factor < 1:
            return Answer(Verdict.REDUCE, reason, inputs, threshold, factor, confidence)
        case "reduce":
            return Answer(Verdict.PASS, reason, inputs, threshold, confidence=confidence)
        case _:
            return Answer(Verdict.REJECT, reason, inputs, threshold, confidence=confidence)


def _named(witnesses: tuple[Witness, ...], vote: str | None) -> str:
    return ", ".join(w.name for w in witnesses if w.vote == vote) or "nothing"


def _shown(case: Case, flow: Flow | None, witnesses: tuple[Witness, ...]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "witnesses": {w.name: {"vote": w.vote, **w.figures} for w in witnesses},
        "at": rfc3339(flow.at) if flow is not None else None,
    }
    if flow is not None and flow.classified is not None:
        shown["classified"] = asdict(flow.classified)
    return shown


def _share(name: str, doc: str, default: str, minimum: str = "0", maximum: int = 1) -> Parameter:
    return Parameter(
        name,
        Kind.DECIMAL,
        doc,
        default=Decimal(default),
        minimum=Decimal(minimum),
        maximum=Decimal(maximum),
    )


def _fallback(name: str, doc: str) -> Parameter:
    return Parameter(name, Kind.CHOICE, doc, default=REJECT, choices=(REJECT, DEFER, REDUCE, PASS))


GATE = Gate(
    name="flow",
    title="Order flow",
    doc="Asks the book and the trades whether they confirm a signal; no confirmation, no trade.",
    version=1,
    judge=judge,
    parameters=(
        _share(
            "book",
            "The signal's own side must be this share of the size at the touch. 0.6 is a queue"
            " imbalance of 0.2.",
            "0.6",
            "0.5",
        ),
        _share(
            "strength",
            "Order-flow imbalance of a timeframe, in standard deviations of a flow without a side.",
            "1",
            maximum=10,
        ),
        _share("trades", "Trade imbalance of a timeframe: (bought − sold) / volume.", "0.2"),
        _share("delta", "The same, for all volume since the cumulative delta began.", "0.05"),
        _share("levels", "Of the footprint's prices, how many more are the signal's.", "0.3"),
        Parameter(
            "frames",
            Kind.INTEGER,
            "So many timeframes must be for the signal.",
            default=2,
            minimum=0,
            maximum=3,
        ),
        Parameter(
            "witnesses",
            Kind.INTEGER,
            "So many more of all six must be for the signal than against it.",
            default=2,
            minimum=-6,
            maximum=6,
        ),
        Parameter(
            "max_age",
            Kind.SECONDS,
            "The oldest that the order flow may be, in market time.",
            default=10,
            minimum=1,
            maximum=3600,
        ),
        _fallback("unconfirmed", "What becomes of a signal that is not confirmed."),
        _fallback("no_data", "What becomes of it where nothing is known to confirm it."),
        _share("factor", "reduce: the share of the size that remains.", "0.5", "0.01"),
    ),
)
