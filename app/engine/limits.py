"""Limits on orders: what they are now, how an order stands to them, and changing them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.admission import Admitted
from app.domain.instant import DAY, SECOND
from app.domain.quantity import ZERO
from app.domain.refusal import Forbidden, Missing, Refusal
from app.domain.request import Request
from app.domain.risk.bound import EVERYTHING, Bound, Bounds
from app.domain.risk.judge import Verdict, judge
from app.domain.risk.limit import CONFIRMABLE, LIMITS, Held, Scope, Unit
from app.domain.risk.usage import Proposal
from app.domain.scene import Scene, reference_now
from app.domain.task import Task
from app.engine.service import Caller, Service
from app.store import limits, names
from app.store.database import Connection
from app.store.restraint import Checked, keep_restrained, restrain_more, tell_confirmed
from app.store.rows import Row
from app.store.usage import tell_increase


@dataclass(frozen=True, slots=True)
class Target:
    """Which limit, counted for whom."""

    scope: Scope
    name: str
    limit: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """A limit's numbers; None: none. Those in `kept` stay as they are, whatever stands here."""

    hard: Decimal | None = None
    soft: Decimal | None = None
    kept: frozenset[str] = field(default=frozenset(), kw_only=True)
    reason: str = field(default="", kw_only=True)


def proposal_of(caller: Caller, request: Request, admitted: Admitted) -> Proposal:
    """An admitted order as limits see it."""
    task = admitted.task
    return Proposal(
        account=task.account,
        key=caller.key_id,
        strategy=request.strategy,
        symbol=task.instrument.symbol,
        side=task.side,
        qty=task.qty,
        reference=admitted.notional / task.qty,
        limit_price=request.limit_price,
        daily_volume=admitted.daily_volume,
        reduce_only=request.reduce_only,
    )


async def checked(
    service: Service, proposal: Proposal, confirmed: frozenset[str]
) -> tuple[Checked, tuple[Verdict, ...]]:
    """An order with the limits that bear on it now, and what they say of it by itself; what counts
    it with others is judged when it is entered.

    Raises Refusal for a confirmation of what is no limit.
    """
    if confirmed:
        check_confirmed(confirmed)
    # Nearly always it is; a coroutine to find that out would take longer than finding it.
    known = service.limits.at_hand()
    if known is None:
        known = await service.limits.look()
    bearing = bearing_on(service, known, proposal)
    counted = any([bound.limit.held is Held.USAGE for bound in bearing])
    one = Checked(proposal, service.limits.house, confirmed, known.version, counted)
    return one, judge(proposal, bearing, None, confirmed)


def check_confirmed(names: Collection[str]) -> None:
    """Raises Refusal: a name with a slip in it confirms nothing, and nobody would see it."""
    unknown = sorted(set(names).difference(CONFIRMABLE))
    if unknown:
        raise Refusal(
            "unknown_limit",
            f"no limit {unknown[0]!r} is to be confirmed; there are: {', '.join(CONFIRMABLE)}",
            field="confirm",
        )


def bearing_on(service: Service, known: Bounds, proposal: Proposal) -> tuple[Bound, ...]:
    """The house's bounds first, then those that are set for the order."""
    if not known.bounds:
        return service.limits.house
    return (
        *service.limits.house,
        *known.on(
            account=proposal.account,
            key=proposal.key,
            strategy=proposal.strategy,
            symbol=proposal.symbol,
        ),
    )


@dataclass(frozen=True, slots=True)
class Amendment:
    """An order's change while it is being worked: from one task to another, by whom, with what
    confirmed."""

    caller: Caller
    before: Task
    after: Task
    confirmed: frozenset[str] = frozenset()


async def hold_amended(
    service: Service, connection: Connection, row: Row, amendment: Amendment, scene: Scene
) -> tuple[Verdict, ...]:
    """What limits say of an order that is changed, at today's price; what they let pass is kept
    with the order. Must run in the transaction that changes it, which is to fail where they
    refuse."""
    before, after = amendment.before, amendment.after
    reference = reference_now(scene, service.rules.policy)
    whole = Proposal(
        account=after.account,
        key=row["key_id"],
        strategy=row["strategy"],
        symbol=after.instrument.symbol,
        side=after.side,
        qty=after.qty,
        reference=reference,
        limit_price=after.limit_price,
        daily_volume=scene.daily_volume,
        reduce_only=row["reduce_only"],
    )
    was = whole._replace(qty=before.qty, limit_price=before.limit_price)
    # What somebody else's order is made into is held against the limits of both keys.
    one = Checked(
        whole, service.limits.house, amendment.confirmed, was=was, by=amendment.caller.key_id
    )
    more = _added(whole, was)
    held = await restrain_more(connection, one, more)
    # Not before: what the order counted for so far is what limits have to add to.
    await keep_restrained(connection, after.account, after.order_id, held)
    if more is not None:
        await tell_increase(connection, after.order_id, more._replace(key=amendment.caller.key_id))
    if held.beyond is not None:
        await tell_confirmed(
            connection,
            account=after.account,
            order_id=after.order_id,
            by=amendment.caller.key_id,
            beyond=held.beyond,
        )
    return held.verdicts


def _added(whole: Proposal, was: Proposal) -> Proposal | None:
    """What an order is made more by: quantity, money, or both. None: nothing."""
    qty, money = max(whole.qty - was.qty, ZERO), max(whole.value - was.value, ZERO)
    return whole._replace(qty=qty, added=money) if qty or money else None


async def change(service: Service, caller: Caller, target: Target, numbers: Numbers) -> int | None:
    """Set a limit, or remove it where no number is given: the number of the change, None where
    nothing changes.

    On return no order that breaks it can be entered any more. Raises Refusal for what is no
    limit, Forbidden for a key of some accounts that reaches beyond them.
    """
    _check_target(service, caller, target)
    _check_numbers(target, numbers)
    if target.scope is Scope.KEY and numbers != Numbers(reason=numbers.reason):
        await _check_key(service, target)
    changed = await limits.change(
        service.database,
        limits.Wanted(
            target.scope, target.name, target.limit, numbers.hard, numbers.soft, numbers.kept
        ),
        reason=numbers.reason,
        by=caller.key_id,
        check=lambda hard, soft: _check_numbers(target, Numbers(hard, soft)),
    )
    service.limits.forget()
    return changed


async def put(service: Service, caller: Caller, target: Target, numbers: Numbers) -> Bound:
    """Set a limit: as it is now. Raises as `change`."""
    await change(service, caller, target, numbers)
    place = (target.scope, target.name, target.limit)
    known = await service.limits.look()
    return next(b for b in known.bounds if (b.scope, b.name, b.limit.name) == place)


def tighter(service: Service, bound: Bound) -> Bound | None:
    """What the settings say, where a number of `bound` lies beyond it and so has no effect."""
    numbers = [number for number in (bound.hard, bound.soft) if number is not None]
    # Settings know hard ones alone, and none of which less is more.
    return next(
        (
            house
            for house in service.limits.house
            if house.limit == bound.limit and house.hard is not None and max(numbers) > house.hard
        ),
        None,
    )


async def is_known(service: Service, target: Target) -> bool:
    """Whether anything here bears the target's name: one with a slip in it limits nothing."""
    async with service.database.connection() as connection:
        return await names.is_known(connection, target.scope.value, target.name)


async def _check_key(service: Service, target: Target) -> None:
    if not await is_known(service, target):
        raise Refusal(
            "unknown_key", f"no key {target.name!r}: give its id, as `keys list` does", field="name"
        )


def nothing_given() -> Refusal:
    return Refusal("nothing_given", "give hard, soft or both", field="hard")


def unknown(target: Target) -> Missing:
    return Missing(
        "unknown_limit", f"no {target.limit} is set for {target.scope.value} {target.name}"
    )


def _check_target(service: Service, caller: Caller, target: Target) -> None:
    limit = LIMITS.get(target.limit)
    if limit is None:
        raise Refusal(
            "unknown_limit",
            f"no limit {target.limit!r}; there are: {', '.join(LIMITS)}",
            field="limit",
        )
    if target.scope not in limit.scopes:
        raise Refusal(
            "wrong_scope",
            f"{limit.name} is not counted by {target.scope.value}, but by "
            + ", ".join(sorted(scope.value for scope in limit.scopes)),
            field="scope",
        )
    if target.scope is not Scope.ALL and target.name == EVERYTHING:
        said = f"say which {target.scope.value}: * is the one name of the scope `all` alone"
        raise Refusal("wrong_name", said, field="name")
    if target.scope is Scope.ALL and target.name != EVERYTHING:
        raise Refusal("wrong_name", "the scope `all` has the one name *", field="name")
    if target.scope is Scope.ACCOUNT and target.name not in service.broker_of:
        raise Refusal("unknown_account", f"no account {target.name!r}", field="name")
    if caller.accounts is not None and (
        target.scope is not Scope.ACCOUNT or target.name not in caller.accounts
    ):
        raise Forbidden(
            "account_not_allowed",
            "your key is bound to accounts, and this limit reaches beyond them",
            field="name",
        )


def _check_numbers(target: Target, numbers: Numbers) -> None:
    limit = LIMITS[target.limit]
    for name, value in (("hard", numbers.hard), ("soft", numbers.soft)):
        if value is None:
            continue
        if value < 0:
            raise Refusal("out_of_range", f"{name} must not be negative", field=name)
        if limit.unit is Unit.FLAG and value not in (0, 1):
            raise Refusal("out_of_range", f"{limit.name} is 1 (set) or 0", field=name)
        if limit.unit is Unit.SECONDS and value * SECOND > DAY:
            raise Refusal("out_of_range", f"{limit.name} reaches back a day at most", field=name)
        if name == "soft" and not limit.asks:
            raise Refusal(
                "out_of_range", f"nobody is asked to confirm {limit.name}: give hard", field=name
            )
    hard, soft = numbers.hard, numbers.soft
    if hard is None or soft is None or limit.unit is Unit.FLAG:
        return
    if (soft < hard) if limit.unit is Unit.SECONDS else (soft > hard):
        raise Refusal("out_of_range", "soft lies beyond hard, and is never reached", field="soft")
