"""The regime of one symbol at one moment: small, to be told, stored and judged again."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.domain.instant import Instant


class Label(StrEnum):
    TRENDING = "trending"
    MEAN_REVERTING = "mean_reverting"
    VOLATILE = "volatile"
    CRISIS = "crisis"


@dataclass(frozen=True, slots=True)
class Components:
    """What a label is made of, from bars that are over at `at`.

    `variance_ratio` of `q` bars (Lo and MacKinlay 1988) with `z`, its distance from 1 in standard
    deviations of a random walk; `volatility` of a day's trading, as a fraction of the price, with
    its median (`typical`) and `percentile` in [0, 1] in the trailing history; `drawdown` from the
    history's highest price, as a fraction. The history has so many `bars`.
    """

    at: Instant
    variance_ratio: float
    z: float
    volatility: float
    typical: float
    percentile: float
    drawdown: float
    bars: int


@dataclass(frozen=True, slots=True)
class Regime:
    """A label that held at `at` since `since`, with `confidence` in [0, 1]."""

    at: Instant
    label: Label
    since: Instant
    confidence: float
    components: Components


def regime_to_json(regime: Regime) -> dict[str, Any]:
    parts = regime.components
    return {
        "at": regime.at,
        "label": regime.label.value,
        "since": regime.since,
        "confidence": regime.confidence,
        "components": {name: getattr(parts, name) for name in Components.__slots__},
    }


def regime_from_json(data: Mapping[str, Any]) -> Regime:
    return Regime(
        at=data["at"],
        label=Label(data["label"]),
        since=data["since"],
        confidence=data["confidence"],
        components=Components(**data["components"]),
    )
