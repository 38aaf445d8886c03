"""How far a strategy's signals are let through, and what it takes to let them further."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from app.domain.instant import DAY, HOUR, Micros

CANARY = Decimal("0.05")


class Mode(StrEnum):
    """From nothing to everything; each one further than the one before."""

    SHADOW = "shadow"
    """Decided and recorded, nothing is sent."""
    PAPER = "paper"
    """Sent, but only to a broker whose money is not real."""
    CANARY = "canary"
    """Sent, a twentieth of the size."""
    LIVE = "live"


RANK: Mapping[Mode, int] = MappingProxyType({mode: rank for rank, mode in enumerate(Mode)})


@dataclass(frozen=True, slots=True)
class Terms:
    """What has to be on record in one mode before the next."""

    signals: int = 20
    time: Micros = DAY


@dataclass(frozen=True, slots=True)
class Record:
    """What there is on record: signals decided in the present mode, the time spent in it, open
    critical alerts of the account, and whether a kill switch bears on the strategy."""

    signals: int
    time: Micros
    critical_alerts: int
    halted: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a promotion, met or not, in words and numbers."""

    name: str
    met: bool
    found: str
    needed: str


def conditions(now: Mode, wanted: Mode, record: Record, terms: Terms) -> tuple[Condition, ...]:
    """What going from one mode to a further one takes; going back takes nothing."""
    if RANK[wanted] <= RANK[now]:
        return ()
    step = RANK[wanted] - RANK[now] == 1
    return (
        Condition("one_step", step, f"{now} to {wanted}", "one mode at a time"),
        Condition(
            "signals_decided",
            record.signals >= terms.signals,
            str(record.signals),
            f"at least {terms.signals} in mode {now}",
        ),
        Condition(
            "time_in_mode",
            record.time >= terms.time,
            _hours(record.time),
            f"at least {_hours(terms.time)} in mode {now}",
        ),
        Condition(
            "no_critical_alerts", record.critical_alerts == 0, str(record.critical_alerts), "0 open"
        ),
        Condition(
            "no_kill_switch",
            not record.halted,
            "one is thrown" if record.halted else "none",
            "none thrown",
        ),
    )


def _hours(time: Micros) -> str:
    return f"{time / HOUR:.1f} h"
