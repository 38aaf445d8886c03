"""Reward to risk at the price that the order would really get.

(target − price) / (price − stop) for a buy, mirrored for a sell. The price is the middle of the
quote moved against us by the expected cost: a market order once turned a good setup into 1 : 0.13.
An order whose limit price is better than that fills there or not at all.
"""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from app.domain.algorithm import Kind, Parameter
from app.domain.gate import WHOLE, Answer, Case, Gate, Params, Verdict

RESIZE, REFUSE = "resize", "refuse"

SHARE_STEP = Decimal("0.001")
_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class _Price:
    """What a quantity would pay on average, and how that is known."""

    price: Decimal
    basis: str


@dataclass(frozen=True, slots=True)
class _Setup:
    """A case that can be judged."""

    case: Case
    stop: Decimal
    target: Decimal
    least: Decimal

    def priced(self, qty: Decimal) -> _Price | None:
        return _executable(self.case, qty)

    def ratio(self, price: Decimal) -> Decimal | None:
        """None where the price is at the stop or beyond it: there is no risk left to measure."""
        sign = self.case.side.sign
        risk = sign * (price - self.stop)
        return sign * (self.target - price) / risk if risk > 0 else None

    def holds(self, qty: Decimal) -> bool:
        at = self.priced(qty)
        ratio = self.ratio(at.price) if at is not None else None
        return ratio is not None and ratio >= self.least


def judge(case: Case, params: Params) -> Answer:
    least = params["minimum"]
    threshold: dict[str, Any] = {"minimum": format(least, "f"), "under": params["under"]}
    inputs: dict[str, Any] = {"stop": _text(case.stop), "target": _text(case.target)}
    priced = _executable(case, case.qty)
    if case.stop is None or case.target is None or priced is None:
        verdict = Verdict.PASS if params["unknown"] == "pass" else Verdict.REJECT
        return Answer(verdict, f"cannot judge: {_missing(case)}", inputs, threshold)
    setup = _Setup(case, case.stop, case.target, least)
    inputs |= {"price": format(priced.price, "f"), "basis": priced.basis}
    ratio = setup.ratio(priced.price)
    if ratio is None:
        reason = f"the executable price {priced.price:.4f} is beyond the stop {case.stop:f}"
        return Answer(Verdict.REJECT, reason, inputs, threshold)
    inputs["ratio"] = f"{ratio:.4f}"
    said = f"reward to risk is {ratio:.2f} at {priced.price:.4f}"
    if ratio >= least:
        return Answer(Verdict.PASS, f"{said}, {least:f} is needed", inputs, threshold)
    if params["under"] == REFUSE:
        return Answer(Verdict.REJECT, f"{said}, under {least:f}", inputs, threshold)
    return _resized(setup, params["least_share"], said, inputs, threshold)


def _resized(
    setup: _Setup, smallest: Decimal, said: str, inputs: dict[str, Any], threshold: dict[str, Any]
) -> Answer:
    """The largest share whose cost leaves enough of the reward. Cost falls with size but for the
    spread: where that alone takes too much, no size helps."""
    threshold["least_share"] = format(smallest, "f")
    share = _largest_share(setup, smallest)
    if share is None:
        reason = f"{said}, under {setup.least:f}, and no size would restore it"
        return Answer(Verdict.REJECT, reason, inputs, threshold)
    at = setup.priced(setup.case.qty * share)
    assert at is not None, "this share was priced"
    inputs["resized_price"] = format(at.price, "f")
    reason = f"{said}, under {setup.least:f}; {share:%} of the size restores it"
    return Answer(Verdict.REDUCE, reason, inputs, threshold, factor=share)


def _largest_share(setup: _Setup, smallest: Decimal) -> Decimal | None:
    """By bisection, to a thousandth. What is found was tried: it holds whatever the cost's shape
    is, and is the largest where the cost never falls as the size grows."""
    qty = setup.case.qty
    low = max(smallest // SHARE_STEP, Decimal(1))
    high = WHOLE / SHARE_STEP
    if low >= high or not setup.holds(qty * low * SHARE_STEP):
        return None
    while high - low > 1:
        middle = ((low + high) / 2).to_integral_value(ROUND_FLOOR)
        if setup.holds(qty * middle * SHARE_STEP):
            low = middle
        else:
            high = middle
    return low * SHARE_STEP


def _executable(case: Case, qty: Decimal) -> _Price | None:
    """What the market would ask, or the limit price where that is better."""
    market, limit = _at_market(case, qty), case.limit
    if limit is None or limit <= 0:
        return market
    better = market is None or case.side.sign * (limit - market.price) < 0
    return _Price(limit, "limit price") if better else market


def _at_market(case: Case, qty: Decimal) -> _Price | None:
    quote = case.quote if case.quote is not None and case.quote.uncrossed else None
    base = quote.mid if quote is not None else case.reference
    if base is None or base <= 0:
        return None
    cost = case.cost_at(qty) if case.cost_at is not None else None
    if cost is not None:
        name = "mid" if quote is not None else "reference"
        return _Price(base * (1 + case.side.sign * cost.bps / _BPS), f"{name} and expected cost")
    if quote is not None:
        return _Price(quote.far(case.side), "far touch, the cost is not known")
    return _Price(base, "reference, neither quote nor cost is known")


def _missing(case: Case) -> str:
    absent = [name for name in ("stop", "target") if getattr(case, name) is None]
    if absent:
        return f"the signal gives no {' and no '.join(absent)}"
    return "there is no price"


def _text(amount: Decimal | None) -> str | None:
    return format(amount, "f") if amount is not None else None


GATE = Gate(
    name="reward_risk",
    title="Reward to risk",
    doc="Resizes or rejects a signal whose reward to risk falls under the minimum at the price that"
    " it would get.",
    version=2,
    judge=judge,
    parameters=(
        Parameter(
            "minimum",
            Kind.DECIMAL,
            "The least reward for one unit of risk.",
            default=Decimal(2),
            minimum=Decimal("0.01"),
            maximum=Decimal(1000),
        ),
        Parameter(
            "under",
            Kind.CHOICE,
            "resize: the largest size whose expected cost restores the minimum, if any. refuse:"
            " reject.",
            default=RESIZE,
            choices=(RESIZE, REFUSE),
        ),
        Parameter(
            "least_share",
            Kind.DECIMAL,
            "resize: less than this share of the size is not worth sending.",
            default=Decimal("0.1"),
            minimum=SHARE_STEP,
            maximum=Decimal(1),
        ),
        Parameter(
            "unknown",
            Kind.CHOICE,
            "What becomes of a signal without stop or target, or where there is no price.",
            default="pass",
            choices=("pass", "reject"),
        ),
    ),
)
