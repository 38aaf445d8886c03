"""What a decision about an order may see of its market: a tape at a moment, and nothing later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from app.domain.algos import BY_NAME
from app.domain.execution import Execution
from app.domain.extended_hours import TradingDay, wholes
from app.domain.forecast import session_bins
from app.domain.instant import Instant
from app.domain.market import ONE, Anchored, Market, whole_volume
from app.domain.quantity import ZERO
from app.domain.session import Session, session_from
from app.domain.tape import Tape
from app.domain.tape_search import Integers
from app.domain.task import Task
from app.domain.trigger import Trigger


@dataclass(frozen=True, slots=True)
class View:
    """How a feed tells of a symbol: its sessions, the share of the volume it has, and whether
    what it tells holds our own fills. `days` have the hours around sessions."""

    sessions: Sequence[Session]
    volume_coverage: Decimal = ONE
    own_volume_included: bool = False
    days: Sequence[TradingDay] = ()

    def hours(self, task: Task) -> Sequence[Session]:
        """When an order may trade."""
        return wholes(self.days) if task.extended_hours else self.sessions


def seen(tape: Tape, view: View, execution: Execution, now: Instant) -> Market:
    """The market of an order at `now`.

    A tape that begins after the order counts less than was traded, never more: with less volume
    an order is worked more carefully.
    """
    task, anchor = execution.task, execution.anchor
    last = tape.last(now)
    own = execution.filled if view.own_volume_included else ZERO
    others = _others(tape, view, task.start, now, own)
    anchored = Anchored(others, own)
    if anchor.at != task.start:
        mine = max(execution.filled - anchor.done, ZERO) if view.own_volume_included else ZERO
        anchored = Anchored(_others(tape, view, anchor.at, now, mine), mine)
    return Market(
        quote=tape.quote(now),
        last=last[0] if last else None,
        last_at=last[1] if last else None,
        volume=others,
        session=session_from(view.hours(task), now),
        volume_coverage=view.volume_coverage,
        own_volume=own,
        anchored=anchored,
        profile=profile(tape, task, now, view.volume_coverage)
        if BY_NAME[task.algo].profiled(task)
        else (),
    )


def _others(tape: Tape, view: View, since: Instant, now: Instant, own: Decimal) -> Decimal:
    """What the whole market traded in (since, now] without our own part of it."""
    return max(whole_volume(tape.volume(since, now), view.volume_coverage) - own, ZERO)


def earliest(
    tape: Tape, triggers: Iterable[Trigger], after: Instant, until: Instant
) -> Instant | None:
    """When the first of `triggers` fires in (after, until], or when to ask again.

    A tape is known up to a moment only: without a hit before it, one has to look again then.
    """
    known = min(until, tape.until) if tape.until > after else until
    fired = [tape.first(trigger, after, known) for trigger in triggers]
    hits = [at for at in fired if at is not None]
    return min(hits) if hits else (known if known < until else None)


def looks_back_to(task: Task) -> Instant:
    """From when an order needs to know what was traded."""
    return task.session.opens_at if BY_NAME[task.algo].profiled(task) else task.start


def profile(
    tape: Tape, task: Task, now: Instant, coverage: Decimal = ONE
) -> tuple[float | None, ...]:
    """What traded in each bin of the order's session that is over at `now`, in the instrument's
    units; None for a bin that the tape does not know whole.

    A bin begins with its first moment and ends before the next one's, as in the history that the
    curve is learned from: bars print at their start.
    """
    edges: Integers = np.asarray(session_bins(task.curve, task.session), dtype=np.int64)
    over = edges[edges <= now]
    if len(over) < 2:
        return ()
    volume = tape.volumes(over - 1) / (tape.size_scale * float(coverage))
    known = over[:-1] >= tape.since
    return tuple(v if k else None for v, k in zip(volume.tolist(), known.tolist(), strict=True))
