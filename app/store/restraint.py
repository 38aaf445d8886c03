"""Holds arriving orders against the limits in the transaction that enters them.

What was checked on arrival may have changed since, and what is counted is only true under the
lock that everybody who counts must hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from app.domain.risk.bound import Bound, held_against
from app.domain.risk.judge import Outcome, Usages, Verdict, judge
from app.domain.risk.limit import Held, Unit
from app.domain.risk.usage import Proposal
from app.store import limits, trail
from app.store.database import Connection
from app.store.usage import longest_duplicate, same_age, usages


class Checked(NamedTuple):
    """An order as limits see it. `house` are bounds that settings give; `version` is that of the
    others when they were looked at, `counted` whether one of them counts the order with others.
    `was`: how an order that is to be changed stands, `by` the key that changes it."""

    proposal: Proposal
    house: tuple[Bound, ...] = ()
    confirmed: frozenset[str] = frozenset()
    version: int = 0
    counted: bool = False
    was: Proposal | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """At least one limit does not let the order in."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Beyond:
    """Soft limits that the order goes beyond as confirmed, and what it comes to in each."""

    values: Mapping[str, str]


async def restrain(
    connection: Connection, arrivals: Mapping[int, Checked]
) -> dict[int, Refused | Beyond]:
    """Those that a limit keeps out, and those that needed their confirmation, each judged with
    all before it entered.

    The transaction must hold the limits (`limits.hold`).
    """
    if not arrivals:
        return {}
    known = await limits.bounds(connection)
    bearing = {i: (*one.house, *_on(known.bounds, one.proposal)) for i, one in arrivals.items()}
    counting = {i: held_against(bounds, Held.USAGE) for i, bounds in bearing.items()}
    if any(counting.values()) and not any(one.counted for one in arrivals.values()):
        # Set since they arrived: the lock was not asked for, and none may follow this one.
        await limits.hold(connection, counting=True)
    used: Usages = await usages(
        connection,
        [bound for bounds in counting.values() for bound in bounds],
        {one.proposal.account for one in arrivals.values()},
    )
    told: dict[int, Refused | Beyond] = {}
    entered: list[Proposal] = []
    for i, one in arrivals.items():
        mine = await _with_same(connection, one.proposal, counting[i], used, entered)
        verdicts = judge(one.proposal, bearing[i], mine, one.confirmed)
        if any(v.outcome in (Outcome.REFUSE, Outcome.CONFIRM) for v in verdicts):
            told[i] = Refused(verdicts)
            continue
        if beyond := _beyond(verdicts):
            told[i] = beyond
        entered.append(one.proposal)
        used = _counted(used, counting[i], one.proposal)
    return told


def _beyond(verdicts: Sequence[Verdict]) -> Beyond | None:
    """The names that were needed of those confirmed; of several bounds the largest value."""
    found: dict[str, Decimal] = {}
    for verdict in verdicts:
        if verdict.outcome is Outcome.CONFIRMED and verdict.value is not None:
            name = verdict.bound.limit.name
            found[name] = max(verdict.value, found.get(name, verdict.value))
    told = {name: format(value, "f") for name, value in sorted(found.items())}
    return Beyond(told) if told else None


async def tell_confirmed(
    connection: Connection, *, account: str, order_id: str, by: str, beyond: Beyond
) -> None:
    """Who goes beyond a limit is on record by name."""
    await trail.add(
        connection,
        actor=by,
        action="order.confirmed",
        target=order_id,
        account=account,
        after=beyond.values,
    )


async def verdicts_now(connection: Connection, one: Checked) -> tuple[Verdict, ...]:
    """What each limit would say of an order at this moment; nothing is held, nothing changed."""
    known = await limits.bounds(connection)
    bearing = (*one.house, *_on(known.bounds, one.proposal))
    counting = held_against(bearing, Held.USAGE)
    used = await usages(connection, counting, {one.proposal.account})
    mine = await _with_same(connection, one.proposal, counting, used, ())
    return judge(one.proposal, bearing, mine, one.confirmed)


_COUNTS_ORDERS = frozenset({"max_open_orders", "duplicate_seconds"}) | frozenset(
    {"max_orders_1s", "max_orders_10s", "max_orders_1m"}
)


@dataclass(frozen=True, slots=True)
class Restrained:
    """What limits of this version say."""

    verdicts: tuple[Verdict, ...]
    version: int

    @property
    def beyond(self) -> Beyond | None:
        return _beyond(self.verdicts)


async def restrain_more(
    connection: Connection, whole: Checked, more: Proposal | None
) -> Restrained:
    """What limits say of an order that is changed to `whole`, `more` of it than was entered.

    It is no further order: what counts orders does not count it again. Holds the limits.
    """
    await limits.hold(connection, counting=more is not None)
    known = await limits.bounds(connection)
    bearing = (*whole.house, *_on(known.bounds, whole.proposal))
    if whole.by != whole.proposal.key:
        others = _on(known.bounds, whole.proposal._replace(key=whole.by))
        bearing += tuple(bound for bound in others if bound not in bearing)
    verdicts = judge(whole.proposal, bearing, None, whole.confirmed, whole.was)
    if more is None:
        return Restrained(verdicts, known.version)
    counting = [
        bound
        for bound in held_against(bearing, Held.USAGE)
        if bound.limit.name not in _COUNTS_ORDERS
    ]
    used = await usages(connection, counting, {more.account})
    verdicts += judge(more, counting, used, whole.confirmed)
    return Restrained(verdicts, known.version)


async def keep_restrained(
    connection: Connection, account: str, order_id: str, held: Restrained
) -> None:
    """As of which version of the limits an order is what it is, and all that it ever took a
    confirmation for."""
    await connection.execute(
        "UPDATE orders SET limits_version = $3, confirmed = (SELECT"
        " jsonb_agg(DISTINCT name ORDER BY name) FROM (SELECT unnest($4::text[]) UNION ALL"
        " SELECT jsonb_array_elements_text(CASE jsonb_typeof(confirmed) WHEN 'array' THEN confirmed"
        " ELSE '[]' END)) AS named(name))"
        " WHERE account = $1 AND id = $2",
        account,
        order_id,
        held.version,
        sorted(held.beyond.values) if held.beyond is not None else [],
    )


def _on(bounds: Sequence[Bound], proposal: Proposal) -> tuple[Bound, ...]:
    return tuple(
        b
        for b in bounds
        if b.bears_on(
            account=proposal.account,
            key=proposal.key,
            strategy=proposal.strategy,
            symbol=proposal.symbol,
        )
    )


async def _with_same(
    connection: Connection,
    proposal: Proposal,
    bounds: Sequence[Bound],
    used: Usages,
    entered: Sequence[Proposal],
) -> Usages:
    """The usage, with the time since an order that looks the same where a limit asks for it."""
    within = longest_duplicate(bounds)
    if not within:
        return used
    here = any(_same(one, proposal) for one in entered)
    age = 0 if here else await same_age(connection, proposal, within)
    places = {(b.scope, b.name) for b in bounds if b.limit.unit is Unit.SECONDS}
    return {
        place: replace(usage, same_age=age) if place in places else usage
        for place, usage in used.items()
    }


def _same(one: Proposal, other: Proposal) -> bool:
    return (one.account, one.symbol, one.side, one.qty) == (
        other.account,
        other.symbol,
        other.side,
        other.qty,
    )


def _counted(used: Usages, bounds: Sequence[Bound], proposal: Proposal) -> Usages:
    places = {(b.scope, b.name) for b in bounds}
    return {
        place: usage.with_order(proposal) if place in places else usage
        for place, usage in used.items()
    }
