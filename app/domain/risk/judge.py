"""Holds an order against every limit that bears on it: one verdict each, none left out."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from app.domain.instant import SECOND
from app.domain.quantity import ZERO, Side
from app.domain.refusal import Refusal
from app.domain.risk.bound import Bound
from app.domain.risk.limit import LIMITS, Held, Scope, Unit
from app.domain.risk.usage import Proposal, Usage
from app.domain.risk.values import EASED, ONE, SPARED, VALUES, Unknown

Usages = Mapping[tuple[Scope, str], Usage]
"""What each bound has counted, by its scope and name."""

NO_USAGE = Usage()

NO_WORSE = "makes nothing worse"


class Outcome(StrEnum):
    PASS = "pass"
    CONFIRM = "confirm"
    """Beyond a soft limit: it takes a confirmation that names it."""
    CONFIRMED = "confirmed"
    REFUSE = "refuse"


class Verdict(NamedTuple):
    """What one bound says of an order. `value` None: not known, `reason` says what."""

    bound: Bound
    value: Decimal | None
    outcome: Outcome
    reason: str | None = None


def judge(
    proposal: Proposal,
    bounds: Iterable[Bound],
    usages: Usages | None,
    confirmed: Collection[str] = (),
    was: Proposal | None = None,
) -> tuple[Verdict, ...]:
    """A verdict of each bound that an order can be held against.

    Without `usages` only what concerns the order by itself is judged. `was` is the order as it
    stands, where it is to be changed: what the change makes no worse passes.
    """
    return tuple(
        _verdict(proposal, bound, (usages or {}).get((bound.scope, bound.name)), confirmed, was)
        for bound in bounds
        if bound.limit.held is Held.ORDER or (usages is not None and bound.limit.held is Held.USAGE)
    )


def check(verdicts: Iterable[Verdict], field: str) -> None:
    """Raises Refusal naming `field`, for the first hard limit that is broken, then for all soft
    ones at once that nobody confirmed."""
    verdicts = tuple(verdicts)
    for verdict in verdicts:
        if verdict.outcome is Outcome.REFUSE:
            raise _refusal(verdict, field)
    asking = [v for v in verdicts if v.outcome is Outcome.CONFIRM]
    if asking:
        raise _to_confirm(asking, field)


def _verdict(
    proposal: Proposal,
    bound: Bound,
    usage: Usage | None,
    confirmed: Collection[str],
    was: Proposal | None,
) -> Verdict:
    before = usage or NO_USAGE
    name = bound.limit.name
    if was is not None and bound.limit.held is Held.ORDER and _no_worse(name, proposal, was):
        return Verdict(bound, _known(name, proposal), Outcome.PASS, NO_WORSE)
    if bound.limit.unit is Unit.SECONDS:
        return _since(bound, before, confirmed)
    if name in SPARED and _closes(proposal, before):
        return Verdict(bound, ZERO, Outcome.PASS, "only takes a position back")
    after = before.with_order(proposal) if bound.limit.held is Held.USAGE else before
    try:
        value = VALUES[name](proposal, after)
        if name in EASED and _closes(proposal, before) and value <= _now(proposal, bound, before):
            return Verdict(bound, value, Outcome.PASS, NO_WORSE)
    except Unknown as unknown:
        # What some other symbol is worth must not keep anybody from getting out of this one.
        eased = name in EASED and _closes(proposal, before)
        return Verdict(bound, None, Outcome.PASS if eased else Outcome.REFUSE, str(unknown))
    hard, soft = _most(bound, bound.hard), _most(bound, bound.soft)
    if hard is not None and value > hard:
        return Verdict(bound, value, Outcome.REFUSE)
    if soft is not None and value > soft:
        return Verdict(bound, value, _confirm(bound, confirmed))
    return Verdict(bound, value, Outcome.PASS)


def _no_worse(name: str, proposal: Proposal, was: Proposal) -> bool:
    """Whether an order that is changed is in no way more than it `was` to the limit `name`.

    Where there is no number to compare (a list it is on, a volume that nobody knows), it must be
    no more in any respect.
    """
    if LIMITS[name].unit is Unit.FLAG:
        return _no_more(proposal, was)
    try:
        return VALUES[name](proposal, NO_USAGE) <= VALUES[name](was, NO_USAGE)
    except Unknown:
        return _no_more(proposal, was)


def _no_more(proposal: Proposal, was: Proposal) -> bool:
    limit, before = proposal.limit_price, was.limit_price
    # One that had no limit may have any: it went as far as the market.
    nearer = before is None or (limit is not None and proposal.side.sign * (limit - before) <= 0)
    return proposal.qty <= was.qty and nearer


def _known(name: str, proposal: Proposal) -> Decimal | None:
    try:
        return VALUES[name](proposal, NO_USAGE)
    except Unknown:
        return None


def _most(bound: Bound, value: Decimal | None) -> Decimal | None:
    """A flag that is set allows nothing; one that is set to nought says nothing."""
    if bound.limit.unit is not Unit.FLAG or value is None:
        return value
    return ZERO if value else ONE


def _since(bound: Bound, usage: Usage, confirmed: Collection[str]) -> Verdict:
    """The one limit that is a least: the time since an order that looks the same."""
    if usage.same_age is None:
        return Verdict(bound, None, Outcome.PASS)
    age = Decimal(usage.same_age) / SECOND
    if bound.hard is not None and age < bound.hard:
        return Verdict(bound, age, Outcome.REFUSE)
    if bound.soft is not None and age < bound.soft:
        return Verdict(bound, age, _confirm(bound, confirmed))
    return Verdict(bound, age, Outcome.PASS)


def _confirm(bound: Bound, confirmed: Collection[str]) -> Outcome:
    return Outcome.CONFIRMED if bound.limit.name in confirmed else Outcome.CONFIRM


def _closes(proposal: Proposal, usage: Usage) -> bool:
    """Whether all that is open on the order's side, with it, only takes the position back."""
    if proposal.reduce_only:
        return True
    held = usage.holding(proposal)
    if held is None:
        return False
    if proposal.side is Side.SELL:
        return held.qty > 0 and held.least >= proposal.qty
    return held.qty < 0 and -held.most >= proposal.qty


def _now(proposal: Proposal, bound: Bound, usage: Usage) -> Decimal:
    """Where a limit stands without the order, at the order's own price: two prices of the same
    shares would make an order better or worse than it is."""
    return VALUES[bound.limit.name](proposal, usage.valued(proposal))


def _refusal(verdict: Verdict, field: str) -> Refusal:
    bound, name = verdict.bound, verdict.bound.limit.name
    detail = {"limit": name, "scope": bound.scope.value, "name": bound.name}
    if verdict.value is None:
        return Refusal(f"risk.{name}", f"{name}: {verdict.reason}", field=field, detail=detail)
    limit = bound.hard if bound.hard is not None else ZERO
    numbers = {"limit_value": format(limit, "f"), "order_value": format(verdict.value, "f")}
    if bound.limit.unit is Unit.FLAG:
        message = f"{name} is set for {bound.scope.value} {bound.name}"
    elif bound.limit.unit is Unit.SECONDS:
        message = f"the same order was entered {verdict.value:.1f} s ago; {name} is {limit:f}"
    elif bound.limit.held is Held.ORDER:
        message = f"{name} is {limit:f}; this order has {verdict.value:f}"
    else:
        message = f"{name} is {limit:f}; with this order it would be {verdict.value:f}"
    return Refusal(f"risk.{name}", message, field=field, detail=detail | numbers)


def _to_confirm(asking: list[Verdict], field: str) -> Refusal:
    names = sorted({v.bound.limit.name for v in asking})
    first = asking[0]
    value = f"{first.value:f}" if first.value is not None else "unknown"
    return Refusal(
        "risk.confirmation_needed",
        f"beyond what needs a confirmation: {', '.join(names)}; enter it again with"
        " confirm: [names] if it is meant",
        field=field,
        detail={
            "limit": first.bound.limit.name,
            "scope": first.bound.scope.value,
            "name": first.bound.name,
            "limit_value": f"{first.bound.soft:f}",
            "order_value": value,
            "confirm": ",".join(names),
        },
    )
