"""What brackets have to say to a human."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from app.domain.alert import Alert, Severity
from app.domain.bracket import Duty, shown_ratio
from app.domain.exits import STOP
from app.domain.fact import ChildRejected
from app.domain.fold_children import BAD_STOP
from app.engine.working import Working
from app.store.exits import Group
from app.store.journal import Entry


def found(group: Group, duty: Duty, held: Decimal, *, waits: bool) -> list[Alert]:
    """What is worth an alarm in what was just done for a group. `held` is how much of the account's
    position its exits could take away; `waits`: an exit cannot be entered."""
    alarms = []
    if duty.under is not None:
        alarms.append(_under(group, duty.under))
    if any(leg.forced == STOP and not leg.over for leg in group.legs):
        text = f"the stop of {_named(group)} was hit: it is being closed"
        alarms.append(_alert("stop_hit", group, Severity.WARNING, text, {}))
    bare = min(duty.bare, held)
    if bare > 0:
        text = f"{bare:f} of {_named(group)} stand without an exit: theirs was ended"
        alarms.append(_alert("no_exit", group, Severity.CRITICAL, text, {"qty": format(bare, "f")}))
    if waits and duty.enter is not None:
        qty = duty.enter.qty
        text = f"{qty:f} of {_named(group)} stand without an exit: no session is known for it"
        alarms.append(_alert("no_exit", group, Severity.CRITICAL, text, {"qty": format(qty, "f")}))
    return alarms


def failed(group_id: str, mistake: Exception) -> Alert:
    """A check of ours failed: nobody looks after this group, and it is tried again."""
    text = f"the exits of order {group_id} cannot be kept: {type(mistake).__name__}: {mistake}"
    return Alert("no_exit", group_id, Severity.CRITICAL, text[:500], {}, order_id=group_id)


def refused(entries: Iterable[Entry], orders: Mapping[str, Working]) -> list[Alert]:
    """Exits whose stop the broker does not take: the rest of each goes out without one."""
    return [
        _without_stop(orders[entry.order_id])
        for entry in entries
        if entry.order_id in orders
        and any(isinstance(f, ChildRejected) and f.reason == BAD_STOP for f in entry.facts)
    ]


def _without_stop(order: Working) -> Alert:
    text = (
        f"the broker refused the stop of exit {order.order_id} ({order.symbol}): only this house"
        " watches it from here on"
    )
    return Alert(
        "stop_not_at_broker",
        order.order_id,
        Severity.ERROR,
        text,
        {},
        order_id=order.order_id,
    )


def _under(group: Group, ratio: Decimal) -> Alert:
    entry, bracket = group.entry, group.bracket
    assert entry.average is not None, "judged on a fill"
    average = entry.average.quantize(Decimal("0.0001"))
    done = {"keep": "kept", "resize": "kept, and no more is filled", "close": "closed"}
    text = (
        f"reward to risk of {_named(group)} is {shown_ratio(ratio)} at {average:f}, under"
        f" {bracket.minimum:f}: it is {done[bracket.policy.value]}"
    )
    data = {
        "ratio": shown_ratio(ratio),
        "minimum": format(bracket.minimum, "f"),
        "average_price": format(average, "f"),
        "exit_policy": bracket.policy.value,
    }
    return _alert("reward_risk_after_fill", group, Severity.ERROR, text, data)


def _named(group: Group) -> str:
    return f"{group.row['side']} {group.row['symbol']}"


def _alert(
    rule: str, group: Group, severity: Severity, message: str, data: dict[str, str]
) -> Alert:
    order_id = group.row["id"]
    return Alert(rule, order_id, severity, message, data, order_id=order_id)
