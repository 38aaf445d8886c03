"""From options to a plan; what is wrong names the option."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from app.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from app.domain.instant import Micros
    from app.research.backtest.plan import Choice, ImpactPlan, Plan


@dataclass(frozen=True, slots=True)
class Asked:
    """The options as they were typed."""

    tape: str
    algos: Sequence[str]
    params: Sequence[str]
    parents: int
    days: str | None
    qty: str | None
    participation: str | None
    window: str
    side: str
    seed: str
    latency_ms: float
    impact: str | None
    max_participation: str | None
    fee_per_share: str
    fee_bps: str


def plan_of(asked: Asked) -> "Plan":
    """The plan. Raises Failure."""
    from app.domain.instant import MILLISECOND
    from app.domain.refusal import Refusal
    from app.research.backtest.plan import WHOLE_DAY, Plan, check

    tape, _, symbols = asked.tape.partition(":")
    try:
        return check(
            Plan(
                tape=tape,
                symbols=tuple(s.strip() for s in symbols.split(",") if s.strip()),
                algos=_choices(asked.algos, asked.params),
                parents=asked.parents,
                days=_days(asked.days),
                qty=_number(asked.qty, "--qty"),
                shares=_shares(asked.participation),
                window=None if asked.window == WHOLE_DAY else length(asked.window, "--window"),
                side=asked.side,
                seed=asked.seed,
                latency=round(asked.latency_ms * MILLISECOND),
                impact=_impact(asked.impact),
                max_participation=_number(asked.max_participation, "--max-participation"),
                fee_per_share=_number(asked.fee_per_share, "--fee-per-share") or Decimal(0),
                fee_bps=_number(asked.fee_bps, "--fee-bps") or Decimal(0),
            )
        )
    except Refusal as refusal:
        raise Failure(Exit.USAGE, refusal.message) from None


def _choices(algos: Sequence[str], params: Sequence[str]) -> "tuple[Choice, ...]":
    from app.research.backtest.plan import Choice

    of: dict[str, tuple[str, dict[str, str]]] = {}
    for told in algos:
        label, _, algo = told.partition("=")
        if label in of:
            raise Failure(Exit.USAGE, f"--algo {label} comes twice: name one, as in a={label}")
        of[label] = (algo or label, {})
    for told in params:
        name, given, value = told.partition("=")
        label, dot, key = name.rpartition(".")
        if not given or not dot:
            raise Failure(Exit.USAGE, f"--param {told!r} is not algo.name=value")
        if label not in of:
            raise Failure(Exit.USAGE, f"--param {told!r}: --algo names no {label!r}")
        of[label][1][key] = value
    return tuple(Choice(label, algo, given) for label, (algo, given) in of.items())


def _days(told: str | None) -> tuple[str, str] | None:
    if told is None:
        return None
    first, _, last = told.partition("..")
    return first, last or first


def _shares(told: str | None) -> tuple[Decimal, Decimal] | None:
    if told is None:
        return None
    low, _, high = told.partition("..")
    first, last = _number(low, "--participation"), _number(high or low, "--participation")
    assert first is not None, "a text was given"
    assert last is not None, "a text was given"
    return first, last


def _impact(told: str | None) -> "ImpactPlan | None":
    from app.domain.instant import MINUTE
    from app.research.backtest.plan import ImpactPlan

    if told is None:
        return None
    permanent, *rest = told.split(",")
    if not 1 <= len(rest) <= 2:
        raise Failure(Exit.USAGE, "--impact is PERMANENT,TEMPORARY or with a half life: ,5m")
    parts = [_number(part, "--impact") or Decimal(0) for part in (permanent, rest[0])]
    half_life = length(rest[1], "--impact") if len(rest) == 2 else 5 * MINUTE
    return ImpactPlan(float(parts[0]), float(parts[1]), half_life)


def length(told: str, option: str) -> "Micros":
    """Seconds, or spelled as 90s, 30m, 1h30m. Raises Failure."""
    from app.domain.instant import HOUR, MINUTE, SECOND

    units = {"h": HOUR, "m": MINUTE, "s": SECOND}
    total, digits = 0, ""
    for letter in told if told[-1:].isalpha() else f"{told}s":
        if letter in units and digits:
            total += int((_number(digits, option) or Decimal(0)) * units[letter])
            digits = ""
        elif letter.isdigit() or letter == ".":
            digits += letter
        else:
            raise Failure(Exit.USAGE, f"{option} is a time such as 90s, 30m, 1h30m, not {told!r}")
    return total


def _number(told: str | None, option: str) -> Decimal | None:
    if told is None:
        return None
    try:
        found = Decimal(told)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise Failure(Exit.USAGE, f"{option} is a number, not {told!r}")
    return found
