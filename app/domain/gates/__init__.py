"""One file a gate, each with a constant GATE; found by looking, not by a list."""

import importlib
import pkgutil
from collections.abc import Mapping

from app.domain.gate import Gate


def _found() -> dict[str, Gate]:
    found: dict[str, Gate] = {}
    for module in pkgutil.iter_modules(__path__):
        gate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "GATE", None)
        if not isinstance(gate, Gate):
            raise TypeError(f"domain/gates/{module.name}.py has no GATE: name it so")
        if gate.name != module.name:
            raise TypeError(f"domain/gates/{module.name}.py calls itself {gate.name!r}")
        found[gate.name] = gate
    return found


BY_NAME: Mapping[str, Gate] = _found()
"""In alphabetical order; the order in which gates are asked is the strategy's setting."""

IN_ORDER = ("freshness", "confidence", "regime", "flow", "reward_risk", "cost")
"""In which order gates are asked unless a strategy says otherwise: cheap and certain ones first,
those that look at the size last, when it is known."""
