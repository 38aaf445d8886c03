"""Volume curves with dynamics, windows and observations, for the tests of the forecast."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import strategies as st

from app.domain.dynamics import Dynamics
from app.domain.instant import DAY, HOUR, MINUTE, Instant
from app.domain.session import Session
from app.domain.volume import VolumeCurve, curve_from_history

OPEN: Instant = 19_700 * DAY + 14 * HOUR + 30 * MINUTE
FULL = Session(OPEN, OPEN + 390 * MINUTE)
HALF = Session(OPEN, OPEN + 210 * MINUTE)
LONG = Session(OPEN, OPEN + 450 * MINUTE)
BIN = 15 * MINUTE
BINS = 26
Slots = list[tuple[Instant, Instant]]

volumes = st.one_of(st.integers(0, 20), st.integers(0, 10**9), st.just(1000)).map(float)
days = st.lists(volumes, min_size=BINS, max_size=BINS).filter(lambda day: sum(day) > 0)
observations = st.lists(st.none() | volumes, max_size=BINS + 4)
sessions = st.sampled_from([FULL, HALF, LONG])


@st.composite
def curves(draw: st.DrawFn, scaled: bool | None = None) -> VolumeCurve:
    curve = curve_from_history(
        draw(st.lists(days, min_size=1, max_size=4)), bin_length=BIN, periodic=False
    )
    assert curve is not None
    assert curve.dynamics is not None
    known = draw(st.booleans()) if scaled is None else scaled
    return curve if known else replace(curve, dynamics=replace(curve.dynamics, level=None))


@st.composite
def windows(draw: st.DrawFn) -> Slots:
    start = OPEN + draw(st.integers(-30, 380)) * MINUTE
    length, count = draw(st.integers(1, 420)) * MINUTE, draw(st.integers(1, 40))
    edges = [start + length * k // count for k in range(count + 1)]
    return list(pairwise(edges))


def even(session: Session, length: int = BIN) -> Slots:
    return [
        (at, min(at + length, session.closes_at))
        for at in range(session.opens_at, session.closes_at, length)
    ]


def static(curve: VolumeCurve, session: Session, slots: Slots) -> list[float]:
    masses = [curve.between(session, a, b) for a, b in slots]
    if sum(masses) <= 0:
        masses = [float(b - a) for a, b in slots]
    return [mass / sum(masses) for mass in masses]


def a_curve(level: float | None = 1e6) -> VolumeCurve:
    u = [3.0, 2.0, *[1.0] * 21, 1.5, 2.0, 4.0]
    shares = tuple(v / sum(u) for v in u)
    edges = tuple(k * BIN for k in range(BINS + 1))
    dynamics = Dynamics(level, 0.1, 0.12, 0.08, 0.5, 0.5)
    return VolumeCurve(edges, shares, False, "test", dynamics)
