"""Finds brokers and feeds by looking into their rooms; a misnamed constant stops the start."""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any


class PluginError(ValueError):
    """A plug-in is missing, or does not look like one; the message says which and how."""


def find(room: str, constant: str, opener: str) -> dict[str, Callable[..., Any]]:
    """The openers of all plug-ins in the package `room`, by the name their constant gives.

    A plug-in is a module with `constant` (its name) and a function `opener`; a module with
    neither is a shared base. Raises PluginError for one with only half of that.
    """
    package = importlib.import_module(room)
    found: dict[str, Callable[..., Any]] = {}
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{room}.{info.name}")
        name = _name(module, constant, opener)
        if name in found:
            raise PluginError(f"two plug-ins in {room} are called {name!r}")
        if name is not None:
            found[name] = getattr(module, opener)
    return found


def choose(found: dict[str, Callable[..., Any]], name: str, what: str) -> Callable[..., Any]:
    """The opener of `name`. Raises PluginError naming what there is."""
    if name not in found:
        raise PluginError(f"there is no {what} {name!r}; there are: {', '.join(sorted(found))}")
    return found[name]


def stated(opener: Callable[..., Any], constant: str) -> Any:
    """What the plug-in of an opener states under a name; None where it says nothing."""
    return getattr(importlib.import_module(opener.__module__), constant, None)


def says(opener: Callable[..., Any], constant: str) -> bool:
    """Whether the plug-in of an opener states a capability; those that say nothing have not."""
    return getattr(importlib.import_module(opener.__module__), constant, False) is True


def _name(module: ModuleType, constant: str, opener: str) -> str | None:
    name, opens = getattr(module, constant, None), getattr(module, opener, None)
    if name is None and opens is None:
        return None
    if not isinstance(name, str) or not callable(opens):
        raise PluginError(
            f"{module.__name__} needs both: {constant} (its name) and a function {opener}"
        )
    return name
