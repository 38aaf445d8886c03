"""Looking through what is stored: what was wrong with its rows, what is wrong with its days."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from app.domain.tape_search import Integers
from app.tapes.columns import Entry
from app.tapes.detect_time import Hours
from app.tapes.findings import Finding, finding, ordered
from app.tapes.manifest import Kind
from app.tapes.session_faults import Watched, session_faults
from app.tapes.sketch import Sketch, sketch_of
from app.tapes.store import Stored
from app.tapes.writing import summed

OF_SESSIONS = frozenset(
    {
        "gap", "half_missing", "missing_session", "outside_sessions", "half_day", "shifted",
        "stamped_at_end", "stamped_at_start", "split", "looks_split",
    }
)  # fmt: skip
"""Found anew each time; what was wrong with rows was found when they were imported."""


def check_symbol(stored: Stored, hours: Hours) -> list[Finding]:
    """All findings of a symbol, the worst first."""
    found = [f for f in stored.manifest.findings if f.name not in OF_SESSIONS]
    damage = list(_damaged(stored))
    found += damage
    if damage:
        return ordered(found)
    sketches = [stored_sketch(stored, entry) for entry in stored.entries]
    if sketches:
        first, last = sketches[0].session, sketches[-1].session
        every = hours.between(first.opens_at, last.closes_at)
        scheduled = [s for s in every if first.opens_at <= s.opens_at <= last.opens_at]
        watched = Watched(
            stored.symbol, scheduled, stored.manifest.splits, stored.dataset.bar_length
        )
        found += session_faults(sketches, watched)
    return ordered(found)


def stored_sketch(stored: Stored, entry: Entry) -> Sketch:
    """A stored session in few numbers."""
    session = entry.session
    if stored.dataset.kind is Kind.DAILY:
        at = _one(session.opens_at)
        prices = [_one(value) for value in (entry.open, entry.high, entry.low, entry.close)]
        return sketch_of(session, at, prices, _one(entry.volume), session.length)
    if stored.dataset.kind is Kind.BARS:
        return stored.bars(entry).sketch(session)
    prints = stored.traded(entry)
    if not len(prints.at):
        tape = stored.session_tape(entry)
        nothing = np.zeros(len(tape.quote_at), dtype=np.int64)
        return sketch_of(session, tape.quote_at, [tape.bid] * 4, nothing, 0)
    sketch = sketch_of(session, prints.at, [prints.price] * 4, prints.size, 0)
    return replace(sketch, open=entry.open, high=entry.high, low=entry.low, close=entry.close)


def _damaged(stored: Stored) -> Iterator[Finding]:
    """Files that are not what was written."""
    for name, (size, crc) in stored.manifest.columns.items():
        try:
            same = summed(stored.folder / name) == (size, crc)
            text = f"{name} is not what was written"
        except OSError as missing:
            same, text = False, f"{name}: {missing.strerror}"
        if not same:
            yield finding("damaged", stored.symbol, None, 1, text)
            return


def _one(value: int) -> Integers:
    return np.array([value], dtype=np.int64)
