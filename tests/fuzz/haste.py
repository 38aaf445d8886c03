"""Hypothesis without what costs a fuzzer most of its time and finds it nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis.internal.conjecture import engine

_REJECTED_MAX = 30


@contextmanager
def hasty() -> Iterator[None]:
    """Neither mutations nor long patience.

    Out of every case Hypothesis makes others by doubling parts of it, five at least, and throws
    nearly all of them away: four fifths of the time, and recombining is the storm's work. And where
    nothing that a route takes can be wrong, it looks for something wrong 458 times.
    """
    with pytest.MonkeyPatch.context() as engines:
        engines.setattr(engine.ConjectureRunner, "generate_mutations_from", lambda self, data: None)
        engines.setattr(engine, "INVALID_THRESHOLD_BASE", _REJECTED_MAX)
        yield
