"""One file an alert rule, each with a constant RULE; found by looking, not by a list."""

import importlib
import pkgutil

from app.domain.alert import Alert, Rule, Sight, Thresholds


def _found() -> tuple[Rule, ...]:
    found = []
    for module in pkgutil.iter_modules(__path__):
        rule = getattr(importlib.import_module(f"{__name__}.{module.name}"), "RULE", None)
        if not isinstance(rule, Rule):
            raise TypeError(f"domain/alerts/{module.name}.py has no RULE: name it so")
        if rule.name != module.name:
            raise TypeError(f"domain/alerts/{module.name}.py calls itself {rule.name!r}")
        found.append(rule)
    return tuple(found)


RULES: tuple[Rule, ...] = _found()


def alerts(sight: Sight, thresholds: Thresholds) -> list[Alert]:
    """What all rules have to say about one order."""
    return [alert for rule in RULES if (alert := rule.check(sight, thresholds)) is not None]
