"""What the owner of the feed tells beside quotes, for who asked: order flow and regime.

At most once a second of market time for each symbol, and never for longer than `BUDGET_SECONDS` at
a time: the loop that tells quotes has other things to do. Who comes late is next.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.flow.measure import Delta, delta, measure
from app.domain.instant import DAY, SECOND, Instant
from app.domain.regime.follow import Followed, behind, follow
from app.domain.session import Session, session_from
from app.domain.tape import Tape
from app.ports import Feed, Watched
from app.store import flow_state
from app.store.database import Connection
from app.store.flow_state import Leaning

BUDGET_SECONDS = 0.01
ASK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class _State:
    """How far one symbol was followed."""

    cumulative: Delta
    regime: Followed
    told_at: Instant


class Leanings:
    """Follows the symbols that somebody asked for; the others cost nothing."""

    def __init__(self) -> None:
        self._asked: list[str] = []
        self._asked_at = 0.0
        self._states: dict[str, _State] = {}

    def due(self, feed: Feed, watched: Mapping[str, Watched], now: Instant) -> list[Leaning]:
        """What is to be told at `now`, within the budget, the longest untold first."""
        begun = time.monotonic()
        found = []
        for symbol in sorted(self._due(watched, now), key=self._told_at):
            found.append(self._followed(symbol, feed.tape(symbol), watched[symbol], now))
            if time.monotonic() - begun > BUDGET_SECONDS:
                break
        return found

    async def tell(self, connection: Connection, leanings: list[Leaning]) -> None:
        """Write it, and look who asks, a few times a second. Must run in a transaction in which
        the market is ours to tell."""
        if leanings:
            await flow_state.tell(connection, leanings)
        if time.monotonic() >= self._asked_at + ASK_SECONDS:
            self._asked = await flow_state.asked(connection)
            self._asked_at = time.monotonic()
            self._states = {s: of for s, of in self._states.items() if s in self._asked}

    def _due(self, watched: Mapping[str, Watched], now: Instant) -> list[str]:
        return [s for s in self._asked if s in watched and now >= self._told_at(s) + SECOND]

    def _told_at(self, symbol: str) -> Instant:
        state = self._states.get(symbol)
        return state.told_at if state is not None else 0

    def _followed(self, symbol: str, tape: Tape, watched: Watched, now: Instant) -> Leaning:
        session = session_from(watched.sessions, now)
        before = self._states.get(symbol)
        since = _reset(session, tape, now)
        cumulative = before.cumulative if before is not None else None
        if cumulative is None or cumulative.since != since:
            cumulative = Delta(since, since - 1)
        cumulative = delta(tape, cumulative, now)
        regime = before.regime if before is not None else Followed()
        late = False
        if session is not None:
            regime = follow(regime, tape, session, now)
            late = behind(regime, tape, now)
        # Until it has caught up with its tape a regime is of the past: it goes on next turn.
        self._states[symbol] = _State(cumulative, regime, now - SECOND if late else now)
        flow = measure(tape, now, cumulative)
        return Leaning(symbol, flow, None if late else regime.regime())


def _reset(session: Session | None, tape: Tape, now: Instant) -> Instant:
    """From when volume delta is cumulative: the session's open, midnight where there is none, or
    what the tape knows."""
    if session is None or session.opens_at > now:
        return max(now // DAY * DAY, tape.since)
    opened = (
        max(session.opens_at, now // DAY * DAY) if session.round_the_clock else session.opens_at
    )
    return max(opened, tape.since)
