"""One watched symbol: what is told of it becomes a tape whose past stays as it was told.

What arrives late cannot be put where it belongs: decisions were made on that past, and what they
wait for is searched after it. So nothing is ever added at or before the moment up to which the tape
was known. While the line carries the symbol that moment goes with market time; while it does not,
it stands still, and what is asked for later finds its true place.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from app.domain.instant import SECOND, Instant
from app.domain.tape import Tape
from app.feeds.alpaca.growing import Growing
from app.feeds.alpaca.reading import Corrected, Level, Print, Struck

Told = Print | Level | Struck | Corrected

UNSURE = 2 * SECOND
"""Trades are told in about their order."""

REMEMBERED = 50_000
"""Keys of the latest trades: what history and stream both tell counts once."""


class Kept:
    """The tape of one symbol, known from `since` on."""

    def __init__(self, symbol: str, since: Instant) -> None:
        self._growing = Growing.empty(symbol, since)
        self.tape: Tape = self._growing.reach(since)
        self._waiting: list[Told] = []
        self._latest: dict[int, None] = {}
        self._known_to = since
        self._traded_at = since
        self.quoted_at: Instant = 0
        self._gap_from: Instant | None = None

    @property
    def unsure_from(self) -> Instant:
        """From when on history is to be asked for: a little before all that is told for sure."""
        sure = max(self._traded_at, self._known_to) - UNSURE
        if self._gap_from is not None:
            sure = min(sure, self._gap_from)
        return max(sure, self.tape.since)

    def doubt(self) -> None:
        """Something may be missing from here on: what the line tells next does not fill it."""
        self._gap_from = self.unsure_from

    def settle(self) -> None:
        """History has answered for all that was in doubt."""
        self._gap_from = None

    def begin(self, last: Print) -> None:
        """What traded last before the tape: a price, and no volume."""
        assert not len(self.tape.trade_at), "the first row of all"
        if last.at < self.tape.since:
            self._growing.trade(last, last.at)
            self.tape = self._growing.reach(self.tape.until)

    def hear(self, told: Told) -> bool:
        """Take in what the stream tells; whether it is news."""
        match told:
            case Print():
                if told.key in self._latest:
                    return False
                self._remember(told.key)
                self._traded_at = max(told.at, self._traded_at)
            case Level():
                self.quoted_at = max(told.at, self.quoted_at)
            case Struck() | Corrected():
                pass
        self._waiting.append(told)
        return True

    def learn(self, rows: Sequence[Print | Struck], asked_at: Instant) -> list[Print]:
        """Take in what history tells, which is all up to `asked_at`; the trades that are news."""
        held = self._held([told.key for told in rows if isinstance(told, Print)])
        fresh: list[Print] = []
        for told in rows:
            if isinstance(told, Struck):
                # Told of each time it is asked; only what is held can be struck.
                if told.key in self._latest or len(self._held([told.key])):
                    self._waiting.append(told)
            elif told.key not in held and self.hear(told):
                fresh.append(told)
        self._known_to = max(asked_at, self._known_to)
        return fresh

    def publish(self, now: Instant, *, carried: bool) -> bool:
        """Make what was heard part of the tape; whether it grew. `carried`: the line tells all
        that happens, so that silence is knowledge."""
        before = self.tape.until
        if now <= before:
            return False
        waiting, self._waiting = self._waiting, []
        rows = [told for told in waiting if isinstance(told, Print | Level)]
        last = before
        for row in sorted(rows, key=lambda row: row.at):
            last = min(max(row.at, before + 1), now)
            if isinstance(row, Print):
                self._growing.trade(row, last)
            else:
                self._growing.quote(row, last)
        until = now if carried else min(max(last, self._known_to, before), now)
        self.tape = self._growing.reach(until)
        for told in waiting:
            if isinstance(told, Struck | Corrected):
                self._correct(told)
        return bool(waiting)

    def trim(self, before: Instant) -> None:
        """Let go of what happened before."""
        self._growing = self._growing.trimmed(before)
        self.tape = self._growing.reach(self.tape.until)

    def precede(self, rows: Iterable[Print | Struck], since: Instant) -> None:
        """Reach back to `since`: `rows` is all that traded between it and the tape."""
        first = self.tape.since
        earlier = [t for t in rows if isinstance(t, Print) and since <= t.at < first]
        if since < first:
            self._growing = self._growing.preceded(earlier, since)
            self.tape = self._growing.reach(self.tape.until)

    def _held(self, keys: Sequence[int]) -> set[int]:
        """Those of these keys that are on the tape; a whole minute has none."""
        wanted = np.array(keys, dtype=np.int64)
        return set(wanted[np.isin(wanted, self._growing.keys)].tolist()) - {0}

    def _remember(self, key: int) -> None:
        if key:
            self._latest[key] = None
        if len(self._latest) > REMEMBERED:
            del self._latest[next(iter(self._latest))]

    def _correct(self, told: Struck | Corrected) -> None:
        right = told.right if isinstance(told, Corrected) else None
        changed = self._growing.corrected(told.key, right)
        if changed is not None:
            self._growing = changed
            self.tape = self._growing.reach(self.tape.until)
        if right is not None:
            self._remember(right.key)
