"""One day drawn from a seed: the broker it meets, what is ordered, and what goes wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import MINUTE, SECOND, Instant, Micros
from app.domain.quantity import Side
from app.domain.recovery import QUARANTINE_DEFAULT, IdScope, Lookup, Means
from app.domain.task import Policy, Task, Urgency
from tests.simulation.faults import PLACES, Kind
from tests.simulation.market import OPEN, SESSION, SYMBOLS, Walk, curve, instrument, walk
from tests.simulation.names import order_name

POLICY = Policy(max_quote_age=60 * SECOND, collar=Decimal("0.2"))
FAULTS = 84
REDUCING = 4
"""One order of so many only reduces."""

ALGORITHMS = (
    "twap",
    "twap",
    "vwap",
    "limit",
    "market",
    "pov",
    "is",
    "iceberg",
    "smart_limit",
    "bracket",
)

WINDOW = 30 * SECOND
"""How long a broker of the `window` class remembers an id."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a client asks of an order that is at work."""

    at: Instant
    order: str
    verb: str
    share: float


@dataclass(frozen=True, slots=True)
class Fault:
    """Armed at a moment; it happens at the next chance. `size` is a share of what it may be."""

    at: Instant
    kind: Kind
    place: str
    size: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that is drawn before a day begins."""

    means: Means
    longest: Micros
    """How long a request may be under way, as the broker declares it."""
    walks: dict[str, Walk]
    tasks: tuple[tuple[Instant, Task], ...]
    commands: tuple[Command, ...]
    faults: tuple[Fault, ...]
    most_working: int | None
    priorities: dict[str, int]


def draw(rng: Random) -> Scenario:
    means = _means(rng)
    tasks = _tasks(rng)
    commands = tuple(_command(rng, task) for _, task in tasks for _ in range(rng.choice((0, 1, 1))))
    return Scenario(
        means=means,
        longest=_longest(means),
        walks={symbol: walk(rng) for symbol in SYMBOLS},
        tasks=tasks,
        commands=commands,
        faults=_faults(rng, means),
        most_working=rng.choice((None, None, 3, 5)),
        priorities={task.order_id: rng.choice((0, 0, 0, 4, 9)) for _, task in tasks},
    )


def _tasks(rng: Random) -> tuple[tuple[Instant, Task], ...]:
    """Orders by age; so are their ids."""
    drawn = sorted((_task(rng) for _ in range(rng.randint(10, 12))), key=lambda task: task[0])
    return tuple((at, task._replace(order_id=order_name(k))) for k, (at, task) in enumerate(drawn))


def _means(rng: Random) -> Means:
    scope = rng.choice(tuple(IdScope))
    lookup = Lookup.ALL
    if scope is IdScope.NONE:
        lookup = rng.choice(tuple(Lookup))
    elif scope is not IdScope.EVER and rng.random() < 0.15:
        lookup = Lookup.OPEN_ONLY
    lag = rng.choice((0, 300_000, 3 * SECOND, 15 * SECOND))
    quarantine = rng.choice((2, 5, 20)) * SECOND
    if scope is not IdScope.EVER and rng.random() < 0.5:
        quarantine = 0
    deadline = rng.choice((None, 3 * SECOND, 10 * SECOND))
    return Means(scope, lookup, lag, quarantine, deadline)


def _longest(means: Means) -> Micros:
    if means.deadline is not None:
        # The broker refuses what is later: a request may be under way as long as it likes.
        return 3 * MINUTE
    return means.quarantine or (0 if means.id_scope is IdScope.EVER else QUARANTINE_DEFAULT)


def _task(rng: Random) -> tuple[Instant, Task]:
    algo = rng.choice(ALGORITHMS)
    symbol, side = rng.choice(SYMBOLS), rng.choice(tuple(Side))
    lot = rng.choice((1, 1, 10))
    accepted_at = OPEN + rng.randint(-MINUTE, 16 * MINUTE)
    start = max(accepted_at + rng.choice((0, 0, rng.randint(0, 90 * SECOND))), OPEN)
    end = min(start + rng.randint(40 * SECOND, 8 * MINUTE), SESSION.closes_at)
    limit: Decimal | None = None
    if BY_NAME[algo].needs_limit_price or rng.random() < 0.4:
        limit = Decimal(10_000 + side.sign * rng.randint(-900, 1200)) / 100
    seed = rng.getrandbits(32)
    task = Task(
        order_id="",
        account="a1",
        instrument=instrument(symbol, lot),
        side=side,
        qty=Decimal(rng.randint(3, 60) * 10),
        algo=algo,
        start=start,
        end=end,
        session=SESSION,
        curve=curve(),
        seed=str(seed),
        reduce_only=seed % REDUCING == 0,
        policy=POLICY,
        limit_price=limit,
        max_participation=Decimal(rng.choice((5, 10, 30))) / 100 if rng.random() < 0.3 else None,
        urgency=rng.choice(tuple(Urgency)),
        params=complete(BY_NAME[algo], _params(rng, algo)),
    )
    return accepted_at, task


def _params(rng: Random, algo: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        "placement": rng.choice(
            ("cross", "rest_then_cross", "peg", "step_up")[: 3 + (algo != "pov")]
        ),
        "jitter": rng.choice((0, 10)),
        "slices": rng.randint(2, 5),
        "reprice_pause": rng.choice((0, 1, 5)),
        "rate": rng.choice(("0.1", "0.3")),
        "completion": rng.choice(("finish", "leave")),
    }
    for name, value in (("max_child", 100), ("min_child", 20), ("display", 50), ("child", 40)):
        if rng.random() < 0.3:
            params[name] = value
    if algo == "bracket" and rng.random() < 0.8:
        params["stop"] = Decimal(10_000 + rng.randint(-900, 900)) / 100
    if rng.random() < 0.2:
        params["would_price"] = Decimal(10_000 + rng.randint(-900, 900)) / 100
    return {k: v for k, v in params.items() if BY_NAME[algo].parameter(k) is not None}


def _command(rng: Random, task: Task) -> Command:
    verb = rng.choice(("cancel", "pause", "pause", "amend_qty", "amend_limit", "amend_end"))
    at = rng.randint(task.start - 10 * SECOND, task.end)
    return Command(at, task.order_id, verb, rng.random())


KINDS = (
    *Kind,
    Kind.CRASH,
    Kind.CRASH,
    Kind.CRASH,
    Kind.ACK_LOST,
    Kind.FILL_LOST,
    Kind.FILL_LATE,
    Kind.FREEZE,
)
AT_REST = (Kind.LATE_START, Kind.VENUE_AWAY)
"""While these last nothing else can go wrong: no day is made of them alone."""


def _faults(rng: Random, means: Means) -> tuple[Fault, ...]:
    # What a restore took back must be seen by who asks: not so where look-ups lag.
    kinds = [kind for kind in KINDS if kind is not Kind.RESTORED or not means.lookup_lag]
    drawn = [_fault(rng, kinds) for _ in range(FAULTS)]
    resting = [fault for fault in drawn if fault.kind in AT_REST]
    return tuple(fault for fault in drawn if fault not in resting[2:])


def _fault(rng: Random, kinds: Sequence[Kind]) -> Fault:
    at = OPEN + rng.randint(0, 18 * MINUTE)
    return Fault(at, rng.choice(kinds), rng.choice(PLACES), rng.random())
