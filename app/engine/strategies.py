"""Settings of strategies: shown, changed, and let further only on what is recorded of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.domain.gate import StrategyKind
from app.domain.mode import RANK, Condition, Mode, conditions
from app.domain.refusal import Conflict, Refusal
from app.domain.ruling import choose
from app.domain.strategy import ANY, Strategy
from app.engine.service import Caller, Service
from app.store import strategies
from app.store.database import Connection

Given = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Settings:
    """What somebody wants set; None leaves it as it is."""

    mode: Mode | None = None
    kind: StrategyKind | None = None
    gates: Sequence[Given] | None = None
    smart: bool | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A strategy, and what its next mode takes; empty where there is none."""

    strategy: Strategy
    next_mode: Mode | None
    conditions: tuple[Condition, ...]


async def standing(service: Service, account: str, name: str) -> Standing:
    """What is set for a strategy (or what holds without it), and how far it is from the next."""
    async with service.database.connection() as connection:
        _, strategy = await _found(service, connection, account, name)
        wanted = next((m for m in Mode if RANK[m] == RANK[strategy.mode] + 1), None)
        met = await _conditions(service, connection, strategy, wanted) if wanted else ()
    return Standing(strategy, wanted, met)


async def change(
    service: Service, caller: Caller, account: str, name: str, wanted: Settings, reason: str
) -> Strategy:
    """Set a strategy. Raises Refusal for gates or parameters that there are not, Conflict for a
    mode whose conditions are not met; each is named with what was found."""
    for gate, params in wanted.gates or ():
        choose(gate, params)
    async with service.database.transaction() as connection:
        await strategies.lock(connection, account, name)
        before, now = await _found(service, connection, account, name)
        if wanted.mode is not None:
            await _check_promotion(service, connection, now, wanted.mode)
        after = replace(
            now,
            mode=wanted.mode or now.mode,
            kind=wanted.kind or now.kind,
            gates=now.gates if wanted.gates is None else tuple(wanted.gates),
            smart=now.smart if wanted.smart is None else wanted.smart,
            paper=_money(service, before, wanted.mode or now.mode, account),
            mode_since=now.mode_since if wanted.mode in (None, now.mode) else None,
        )
        kept = await strategies.put(connection, before, after, reason=reason, by=caller.key_id)
    service.strategies.forget()
    return kept


async def _found(
    service: Service, connection: Connection, account: str, name: str
) -> tuple[Strategy | None, Strategy]:
    """What is set under this very name, and what holds."""
    book = service.strategies
    known = await strategies.find(connection, account, name)
    if known is not None:
        return known, book.earned(known)
    any_other = await strategies.find(connection, account, ANY)
    unset = book.earned(book.inherited(name, account, any_other))
    # It has been in its mode since its first signal there.
    return None, replace(unset, mode_since=await strategies.seen_since(connection, unset))


def _money(service: Service, before: Strategy | None, mode: Mode, account: str) -> bool | None:
    """Where the mode was set: here, unless it stays what it was."""
    if before is not None and before.mode is mode:
        return before.paper
    return account in service.strategies.house.paper


async def _check_promotion(
    service: Service, connection: Connection, now: Strategy, wanted: Mode
) -> None:
    if wanted is Mode.PAPER and now.account not in service.strategies.house.paper:
        raise Refusal(
            "no_paper_account",
            f"{service.broker_of[now.account]} is no paper broker: signals of this account go from"
            " shadow to canary",
            field="mode",
        )
    open_ones = [c for c in await _conditions(service, connection, now, wanted) if not c.met]
    if open_ones:
        missing = "; ".join(f"{c.name}: {c.found}, needed {c.needed}" for c in open_ones)
        raise Conflict(
            "promotion_not_ready",
            f"{now.mode} to {wanted} has to wait: {missing}",
            field="mode",
            detail={c.name: c.found for c in open_ones},
        )


async def _conditions(
    service: Service, connection: Connection, now: Strategy, wanted: Mode
) -> tuple[Condition, ...]:
    found = await strategies.record(connection, now)
    met = conditions(now.mode, wanted, found, service.strategies.house.terms)
    skips = now.account not in service.strategies.house.paper
    if skips and (now.mode, wanted) == (Mode.SHADOW, Mode.CANARY):
        # Where money is real there is no paper in between.
        return tuple(c for c in met if c.name != "one_step")
    return met
