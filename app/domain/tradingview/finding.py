"""What an alert says at one of several places."""

from collections.abc import Iterator, Mapping, Sequence

from app.domain.tradingview.decode import placeholder
from app.domain.tradingview.places import Path
from app.domain.tradingview.values import Json, is_nothing, is_placeholder

Said = Mapping[str, Json]


def values(said: Said, paths: Sequence[Path]) -> Iterator[tuple[str, Json]]:
    """What stands at `paths`, in their order, with the name it has there; not what says nothing."""
    for path in paths:
        value: Json = said
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if not is_nothing(value) and not isinstance(value, Mapping | list):
            yield ".".join(path), value


def first(said: Said, paths: Sequence[Path]) -> tuple[str, Json] | None:
    """What decides something: a placeholder in its place is an alert made wrong."""
    for name, value in values(said, paths):
        if is_placeholder(value):
            raise placeholder(name)
        return name, value
    return None
