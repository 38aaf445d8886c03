"""Finds the figures: a file in `bench/figures/` is one."""

from importlib import import_module
from pkgutil import iter_modules

from bench import figures
from bench.figure import Figure


def found() -> dict[str, Figure]:
    """Every figure by name, in the order of the files' names."""
    modules = (import_module(f"bench.figures.{m.name}") for m in iter_modules(figures.__path__))
    known: list[Figure] = [module.FIGURE for module in modules]
    return {figure.name: figure for figure in known}
