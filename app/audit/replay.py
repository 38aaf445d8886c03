"""Every order's events, folded again and held against its rows."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.audit import pace, rebuilt
from app.audit.findings import Findings
from app.audit.fold import Illegal, Order, fold
from app.audit.records import Fault
from app.audit.rule import Connection
from app.audit.stories import Story, stories

TOLD = ("qty", "filled", "working", "unknown", "unsent", "canceled", "excess")
KEPT = ("qty", "filled", "working", "unknown", "canceled", "excess")
CLAIMED = ("filled", "working", "unknown")

# The same few quantities come over and over.
_decimal = lru_cache(maxsize=65_536)(Decimal)


async def replay(connection: Connection, part: int = 0, parts: int = 1) -> Findings:
    """One of `parts` of the orders, a batch at a time, in the connection's transaction."""
    findings = Findings()
    async for story in stories(connection, part, parts):
        findings.count(story)
        _number(story, findings)
        order = _fold(story, findings)
        if order is not None:
            _compare(story, order, findings)
            _decisions(story, findings)
            _rest(story, findings)
    return findings


def _rest(story: Story, findings: Findings) -> None:
    """What stands in the events and rows beside the sums."""
    looks: tuple[tuple[Callable[[Story], Iterable[Fault]], list[Fault]], ...] = (
        (pace.beyond_envelope, findings.beyond),
        (pace.off_the_line, findings.lines),
        (pace.bursts, findings.bursts),
        (rebuilt.order_faults, findings.terms),
        (rebuilt.child_faults, findings.child_terms),
    )
    for look, found in looks:
        try:
            found += look(story)
        except (KeyError, TypeError, ValueError, ArithmeticError) as what:
            found.append(Fault(story.name, f"cannot be read: {what!r}"))


def _number(story: Story, findings: Findings) -> None:
    numbers = [event["seq"] for event in story.events]
    wanted = list(range(1, story.row["seq"] + 1))
    if numbers == wanted:
        return
    missing = sorted(set(wanted) - set(numbers))
    said = f"the order is at {story.row['seq']}, {len(numbers)} events"
    shown = ", ".join(map(str, missing[:5])) + (" …" if len(missing) > 5 else "")
    gap = f"; missing {shown}" if missing else "; some twice or beyond"
    findings.numbering.append(Fault(story.name, said + gap))


def _fold(story: Story, findings: Findings) -> Order | None:
    """The order as its events tell it; None where they stop making sense."""
    if not story.events or story.events[0]["type"] != "order.accepted":
        findings.moves.append(Fault(story.name, "its first event is not order.accepted"))
        return None
    order = Order(Decimal(story.events[0]["data"]["order"]["qty"]))
    wrong, latest = False, story.events[0]["at"]
    for event in story.events:
        try:
            if event["type"] != "order.accepted":
                fold(order, event["type"], event["data"])
            told = _told(event["data"]["order"])
            differs = _differences(order, told, event["data"]["order"]["status"])
        except (Illegal, KeyError, ArithmeticError) as what:
            why = str(what) if isinstance(what, Illegal) else f"cannot be read: {what!r}"
            findings.moves.append(Fault(f"{story.name} #{event['seq']}", why))
            return None
        if differs and not wrong:
            # What follows from a wrong sum is wrong as well: the first one is told.
            wrong = True
            findings.sums.append(Fault(f"{story.name} #{event['seq']} {event['type']}", differs))
        if told["filled"] + told["working"] + told["unknown"] > told["qty"] + told["excess"]:
            findings.claims.append(Fault(f"{story.name} #{event['seq']}", _text(told.values())))
        if event["at"] < latest:
            back = f"{event['type']} of {event['at']} follows on {latest}"
            findings.times.append(Fault(f"{story.name} #{event['seq']}", back))
        latest = max(latest, event["at"])
    findings.sends += [Fault(story.name, why) for why in order.trespasses]
    findings.crowds += [Fault(story.name, why) for why in order.crowds]
    findings.unproven += [Fault(story.name, why) for why in order.unproven]
    return order


def _told(sums: dict[str, str]) -> dict[str, Decimal]:
    return {name: _decimal(sums[name]) for name in TOLD}


def _differences(order: Order, told: dict[str, Decimal], status: str) -> str:
    """What an event says differently from its fold."""
    sums = order.sums()
    if told == sums and status == order.status and min(sums.values()) >= 0:
        return ""
    wrong = [
        f"{name} is {told[name]}, the events give {sums[name]}"
        for name in TOLD
        if told[name] != sums[name]
    ]
    if status != order.status:
        wrong.append(f"status is {status}, the events give {order.status}")
    if min(sums.values()) < 0:
        wrong.append("a quantity is below zero")
    return "; ".join(wrong)


def _compare(story: Story, order: Order, findings: Findings) -> None:
    row, sums = story.row, order.sums()
    wrong = [f"{n} is {row[n]}, the events give {sums[n]}" for n in KEPT if row[n] != sums[n]]
    if row["status"] != order.status:
        wrong.append(f"status is {row['status']}, the events give {order.status}")
    if wrong:
        findings.rows.append(Fault(story.name, "; ".join(wrong)))
    told = {
        name: (c.number, c.qty, c.price, c.status, c.filled) for name, c in order.children.items()
    }
    kept = {
        c["id"]: (c["number"], c["qty"], c["price"], c["status"], c["filled"])
        for c in story.children
    }
    findings.child_rows += _unlike(story.name, told, kept)
    booked = {
        f["execution_id"]: (
            "void" if f["busted_at"] else "booked", f["child_id"], f["qty"], f["price"], f["fee"],
        )
        for f in story.fills
    }  # fmt: skip
    said = {name: ("booked", *booking) for name, booking in order.fills.items()}
    said |= {name: ("void", *booking) for name, booking in order.void.items()}
    for name in booked.keys() - said.keys():
        if booked[name][0] == "void":
            # Told to be void before it was told: it never counted, and no event says it did.
            del booked[name]
    findings.fill_rows += _unlike(story.name, said, booked)


def _decisions(story: Story, findings: Findings) -> None:
    """Every child was decided on the sums that its intent met.

    Intents of one decision follow each other, each with the reasons of the first.
    """
    why = {c["id"]: c["why"] for c in story.children if not c["adopted"]}
    before, ahead, version = None, Decimal(0), None
    for event in story.events:
        if event["type"] == "child.intended" and before is not None:
            reasons = why.get(event["data"]["child_id"]) or {}
            if reasons.get("version") != version:
                ahead, version = Decimal(0), reasons.get("version")
            if "working" in reasons:
                thought = [Decimal(reasons[name]) for name in CLAIMED]
                met = [Decimal(before[name]) for name in CLAIMED]
                met[1] -= ahead
                if thought != met:
                    findings.decisions.append(
                        Fault(
                            f"{story.name} #{event['seq']}",
                            f"decided on {_text(thought)}, it met {_text(met)}",
                        )
                    )
            ahead += Decimal(event["data"]["qty"])
        else:
            ahead = Decimal(0)
        before = event["data"]["order"]


def _unlike(name: str, told: dict[str, Any], kept: dict[str, Any]) -> list[Fault]:
    """Where the events and the rows differ."""
    if told == kept:
        return []
    return [
        Fault(f"{name} {key}", f"the events say {_text(told.get(key))}, the row {_text(row)}")
        for key in sorted(told.keys() | kept.keys())
        if (row := kept.get(key)) != told.get(key)
    ]


def _text(values: Any) -> str:
    return " ".join(map(str, values)) if values else "nothing"
