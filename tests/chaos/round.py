"""One round: a house under fire until enough were killed, then at rest, then audited."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import asyncpg

from tests.chaos.house import House
from tests.chaos.killer import Killer
from tests.chaos.operator import decide
from tests.chaos.owners import Owners
from tests.chaos.rest import settle, untold
from tests.chaos.scene import Scene
from tests.chaos.subscriber import Subscriber
from tests.chaos.terms import Terms
from tests.chaos.trader import Trader
from tests.postgres import PostgresServer


@dataclass(slots=True)
class Outcome:
    """What a round came to. Lengths are seconds; `faults` has rows by what is wrong with them."""

    seed: str
    lease: float
    kills: int = 0
    under_fire: float = 0.0
    at_rest: float = 0.0
    blows: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    desks: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    drawn: Counter[str] = field(default_factory=Counter)
    did: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Why orders needed an operator."""
    decisions: Counter[str] = field(default_factory=Counter)
    complaints: Counter[str] = field(default_factory=Counter)
    takeovers: list[float] = field(default_factory=list)
    takeovers_disturbed: list[float] = field(default_factory=list)
    database_away: list[float] = field(default_factory=list)
    line_back: list[float] = field(default_factory=list)
    """From a cut of the line to the first news over it, and `mended`, from when it was whole."""
    line_mended: list[float] = field(default_factory=list)
    line_back_disturbed: list[float] = field(default_factory=list)
    own_deaths: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        # Not asdict: it makes counters of pairs.
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class Stage:
    """What is hit, and by whom."""

    house: Callable[[Path, PostgresServer, Terms], Any]
    killer: Callable[[Any, Owners, Subscriber, Trader], Killer]


ALONE = Stage(House, Killer)
"""One server at a venue that misbehaves."""


async def play(folder: Path, server: PostgresServer, terms: Terms, stage: Stage = ALONE) -> Outcome:
    """Play one round in a database of its own, named as the folder."""
    house: Scene = stage.house(folder, server, terms)
    subscriber, owners = Subscriber(house), Owners(house)
    tasks: list[asyncio.Task[None]] = []
    try:
        await house.open()
        trader = Trader(house, subscriber)
        killer = stage.killer(house, owners, subscriber, trader)
        begun = time.monotonic()
        tasks += [asyncio.create_task(task.run()) for task in (subscriber, owners)]
        loading = asyncio.create_task(trader.run())
        tasks.append(loading)
        await _until(killer, tasks)
        fired = time.monotonic()
        loading.cancel()
        await house.whole()
        if terms.random("rest").random() < 0.5:
            await trader.cancel_all()
        outcome = Outcome(terms.seed, terms.lease, killer.killed, fired - begun)
        await _rest(outcome, house, subscriber, trader)
        outcome.at_rest = time.monotonic() - fired
        await trader.close()
        await _tell(outcome, house, killer, owners, subscriber, trader)
        return outcome
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await house.close()


async def _until(killer: Killer, others: list[asyncio.Task[None]]) -> None:
    """Until the killer is done; a task of ours that fails ends the round."""
    killing = asyncio.create_task(killer.run())
    await asyncio.wait({killing, *others}, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        if task.done():
            killing.cancel()
            task.result()
    await killing


async def _rest(outcome: Outcome, house: Scene, subscriber: Subscriber, trader: Trader) -> None:
    books = await settle(house)
    outcome.reasons = books.reasons
    if books.reasons and not books.faults:
        outcome.decisions = await decide(house, trader)
        books = await settle(house)
    faults = books.faults
    faults |= {"events": await untold(house, subscriber)}
    faults |= {"over_reserved": subscriber.over_reserved, "parents": list(trader.wrong)}
    faults["parents"] += await _parents(house, trader)
    faults["audit"] = []
    for report in await house.audits():
        compared = report.get("compared", {})
        outcome.counts += Counter({f"audited {name}": n for name, n in compared.items()})
        if report["code"] != 0:
            failed = [check for check in report.get("checks", []) if check["total_faults"]]
            faults["audit"] += [json.dumps(check) for check in failed] or [str(report)]
    outcome.faults = {name: rows for name, rows in faults.items() if rows}


async def _parents(house: Scene, trader: Trader) -> list[str]:
    """Orders that were answered and are not there, or are there and were refused."""
    connection = await asyncpg.connect(house.url)
    try:
        rows = await connection.fetch("SELECT client_order_id, id::text FROM orders")
    finally:
        await connection.close()
    there = {row["client_order_id"]: row["id"] for row in rows}
    wrong = [
        f"{name}: answered {order_id}, there is {there.get(name)}"
        for name, order_id in trader.entered.items()
        if there.get(name) != order_id
    ]
    return wrong + [f"{n}: refused ({why})" for n, why in trader.refused.items() if n in there]


async def _tell(
    outcome: Outcome,
    house: Scene,
    killer: Killer,
    owners: Owners,
    subscriber: Subscriber,
    trader: Trader,
) -> None:
    counts, outcome.drawn = await house.tally()
    outcome.blows, outcome.moments, outcome.did = killer.blows, killer.moments, trader.did
    outcome.desks = killer.desks
    outcome.takeovers, outcome.takeovers_disturbed = owners.takeovers, owners.disturbed
    outcome.database_away = killer.database_away
    outcome.line_back, outcome.line_back_disturbed = killer.line_back, killer.line_back_disturbed
    outcome.line_mended = killer.line_mended
    outcome.own_deaths = house.own_deaths
    outcome.complaints = _complaints(house.folder)
    outcome.counts += Counter({"orders": len(trader.entered)})
    outcome.counts += counts
    outcome.counts += Counter({"events": len(subscriber.seen), "subscriptions": subscriber.resumed})
    outcome.counts += Counter({f"started {r}": n for r, n in house.restarts.items()})


def _complaints(folder: Path) -> Counter[str]:
    """What the processes said that was worse than a warning, and tracebacks, by what they say."""
    said: Counter[str] = Counter()
    for path in folder.rglob("*.log"):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("Traceback"):
                said[f"{path.stem.partition('-')[0]}: traceback"] += 1
            with suppress(json.JSONDecodeError, TypeError, AttributeError):
                entry = json.loads(line)
                if entry.get("level") in ("error", "critical"):
                    said[f"{path.stem.partition('-')[0]}: {entry['event']}"] += 1
    return said
