"""The exits that an alert wants for what it opens. None is dropped in silence: an entry without the
stop that was meant is another trade."""

from collections.abc import Mapping, Sequence

from app.domain.bracket import Basis, Level
from app.domain.refusal import Refusal
from app.domain.tradingview import places
from app.domain.tradingview.finding import Said, first, values
from app.domain.tradingview.places import Path
from app.domain.tradingview.values import is_nothing, number, word

_KINDS = frozenset({"stop", "market", "stop_market"})


def stop_of(said: Said) -> Level | None:
    """Where it is wrong. Raises Refusal for a stop of another kind, or one that is no number."""
    kind = first(said, places.STOP_KIND)
    if kind is not None and word(kind[1], kind[0]).lower() not in _KINDS:
        raise _bad(kind[0], "must be stop: no other kind is kept here")
    return _level(said, "stoploss", places.STOP_LEVELS)


def target_of(said: Said) -> Level | None:
    """Where it has come true. Raises Refusal as `stop_of`."""
    return _level(said, "takeprofit", places.TARGET_LEVELS)


def _level(said: Said, member: str, where: Mapping[Basis, Sequence[Path]]) -> Level | None:
    """A price before a distance: bridges reckon the one from the other."""
    for name, _ in values(said, places.NO_LEVELS):
        raise _bad(name, f"may be a price or a distance: say {member}")
    for basis, paths in where.items():
        found = first(said, paths)
        if found is None:
            continue
        level = Level(basis, number(found[1], found[0]))
        if level.value <= 0:
            raise _bad(found[0], "must be above zero")
        for name, value in values(said, paths):
            if number(value, name) != level.value:
                raise Refusal("hook.contradiction", f"{found[0]} and {name} differ", field=name)
        return level
    inner = said.get(member)
    parts = inner.items() if isinstance(inner, Mapping) else ()
    unknown = [name for name, value in parts if name != "type" and not is_nothing(value)]
    if unknown or (isinstance(inner, list) and inner):
        raise _bad(member, "has no level that is kept here")
    return None


def _bad(name: str, why: str) -> Refusal:
    return Refusal("hook.bad_exit", f"{name} {why}", field=name)
