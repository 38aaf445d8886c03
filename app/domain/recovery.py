"""When silence is proof: what may be concluded about a child of which nobody has heard.

A broker's own declaration decides alone. Proof of absence gives the quantity back to the schedule,
which may send a *new* child later; nothing is ever sent again. All lengths are machine time.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.instant import SECOND, Micros

MARGIN: Micros = 1 * SECOND
"""Waited beyond a broker's deadline and lag, for clocks that disagree."""

QUARANTINE_DEFAULT: Micros = 60 * SECOND
"""Where a broker neither refuses late requests nor says how long they may be under way."""

LOOKUPS_APART: Micros = 1 * SECOND
"""Two look-ups closer than this (or than the broker's lag) count as one."""

ASK_EVERY: Micros = 1 * SECOND
OPERATOR_AFTER: Micros = 120 * SECOND
"""How long a child may stay silent before somebody has to look."""

NO_EVIDENCE = "no_evidence"
"""What the reasons begin with for which an order waits until evidence comes."""

NO_PROOF = f"{NO_EVIDENCE}.absence_cannot_be_proven"
POSITIONS_DISAGREE = f"{NO_EVIDENCE}.positions_disagree"


class IdScope(StrEnum):
    """How long a client order id stays unique at a broker."""

    EVER = "ever"
    OPEN_ONLY = "open_only"
    WINDOW = "window"
    NONE = "none"


class Lookup(StrEnum):
    """Which orders a broker finds by client id."""

    ALL = "all"
    OPEN_ONLY = "open_only"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Means:
    """What a broker declares, as far as it can prove anything.

    `lookup_lag` is how late look-ups may be, `quarantine` how long a request without an answer
    may still arrive. With a `deadline` the broker refuses what arrives later than this after it
    was intended, however long its sender was frozen.
    """

    id_scope: IdScope
    lookup: Lookup
    lookup_lag: Micros
    quarantine: Micros = 0
    deadline: Micros | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """The evidence about one child that a look-up did not find, as of when that one was asked: what
    its answer took to come and to be read proves nothing.

    `intended_for` is the time since it was intended, `missed_for` since the first look-up that
    did not find it, `misses` how many look-ups did not, each `Means.apart` from the one before.
    `positions_agree`: whether the broker's positions are what our fills make of them, compared
    after the latest look-up (None: not compared).
    """

    intended_for: Micros
    missed_for: Micros
    misses: int
    positions_agree: bool | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Proof: it never reached the broker and never will."""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """No proof yet: look it up again `after` this long."""

    after: Micros


@dataclass(frozen=True, slots=True)
class NeedsPosition:
    """The broker's positions have to be compared with our fills first."""


@dataclass(frozen=True, slots=True)
class NeedsOperator:
    """Nothing that this broker can tell will prove it. The quantity stays reserved."""

    reason: str


Verdict = Absent | AskAgain | NeedsPosition | NeedsOperator


def apart(means: Means) -> Micros:
    """How far two look-ups have to be from each other to count as two."""
    return max(means.lookup_lag, LOOKUPS_APART)


def provable(means: Means) -> bool:
    """Whether absence can be proven at all without a human."""
    return means.id_scope is not IdScope.NONE and means.lookup is Lookup.ALL


def judge(means: Means, silence: Silence, *, operator_after: Micros = OPERATOR_AFTER) -> Verdict:
    """What follows from a child's silence.

    Where there is proof in the end, `operator_after` bounds only a disagreement of positions:
    waits that the broker's own figures ask for are always waited out.
    """
    if not provable(means):
        return _ask_or_call(silence.intended_for, operator_after, NO_PROOF)
    left = _wait_left(means, silence)
    if left > 0:
        return AskAgain(min(left, max(ASK_EVERY, apart(means))))
    if silence.misses < _lookups_needed(means):
        return AskAgain(apart(means))
    if not _needs_position(means):
        return Absent()
    match silence.positions_agree:
        case True:
            return Absent()
        case None:
            return NeedsPosition()
        case False:
            return _ask_or_call(silence.missed_for, operator_after, POSITIONS_DISAGREE)


def _ask_or_call(silent_for: Micros, bound: Micros, reason: str) -> Verdict:
    left = bound - silent_for
    return AskAgain(min(left, ASK_EVERY)) if left > 0 else NeedsOperator(reason)


def _wait_left(means: Means, silence: Silence) -> Micros:
    """How much longer a request may be under way, or a look-up be behind."""
    lag, since_missed, since_intended = means.lookup_lag, silence.missed_for, silence.intended_for
    deadline = means.deadline
    arrives = 0 if deadline is None else deadline + lag + MARGIN - since_intended
    if means.id_scope is IdScope.EVER:
        return max(means.quarantine + lag - since_missed, arrives)
    if deadline is not None:
        return max(arrives, apart(means) - since_missed)
    quarantine = means.quarantine or QUARANTINE_DEFAULT
    return max(quarantine + lag, apart(means)) - since_missed


def _lookups_needed(means: Means) -> int:
    return 1 if means.id_scope is IdScope.EVER else 2


def _needs_position(means: Means) -> bool:
    return means.id_scope is not IdScope.EVER and means.deadline is None
