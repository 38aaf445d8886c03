"""One file an algorithm, each with a constant ALGORITHM; found by looking, not by a list."""

import importlib
import pkgutil
from collections.abc import Mapping

from app.domain.algorithm import Algorithm


def _found() -> dict[str, Algorithm]:
    found: dict[str, Algorithm] = {}
    for module in pkgutil.iter_modules(__path__):
        algorithm = getattr(importlib.import_module(f"{__name__}.{module.name}"), "ALGORITHM", None)
        if not isinstance(algorithm, Algorithm):
            raise TypeError(f"domain/algos/{module.name}.py has no ALGORITHM: name it so")
        if algorithm.name != module.name:
            raise TypeError(f"domain/algos/{module.name}.py calls itself {algorithm.name!r}")
        found[algorithm.name] = algorithm
    return found


BY_NAME: Mapping[str, Algorithm] = _found()
