"""In which row a source keeps the closing cross: it differs, and moves the last bin of a curve."""

from collections.abc import Sequence

import numpy as np

from app.domain.instant import MINUTE, Micros
from app.tapes.sketch import Sketch

LARGE = 3.0
"""A row with a cross trades more than so many ordinary minutes of the last half hour."""


def closing_cross(
    sketches: Sequence[Sketch], bar_length: Micros | None
) -> tuple[str, float | None]:
    """Where it stands, and its median share of the session's volume (None where not seen)."""
    if bar_length is not None and bar_length > 30 * MINUTE:
        return "not_seen", None
    at_close, last, whole = [], [], []
    for sketch in sketches:
        inside, volumes = sketch.inside, sketch.volumes
        if not sketch.volume or sketch.session.round_the_clock:
            continue
        before = volumes[max(inside.stop - 31, inside.start) : inside.stop - 1]
        usual = max(float(np.median(before)) if len(before) else 0.0, 1.0)
        at_close.append(float(volumes[inside.stop]) / usual)
        last.append(float(volumes[inside.stop - 1]) / usual)
        whole.append((float(volumes[inside.stop]), float(volumes[inside.stop - 1]), sketch.volume))
    if not whole:
        return "not_seen", None
    if np.median(at_close) >= LARGE:
        share = float(np.median([a / v for a, _, v in whole]))
        where = "print_after_close" if bar_length is None else "bar_at_close"
        return where, share
    if np.median(last) >= LARGE:
        return "last_bar", float(np.median([b / v for _, b, v in whole]))
    return "not_seen", None
