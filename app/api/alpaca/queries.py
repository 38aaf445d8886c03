"""What may stand in a path and behind the question mark. A filter that nobody knows is refused, not
left out: who asks for one symbol and is given all, cancels or closes all."""

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from app.api.amounts import Symbol
from app.api.bodies import Strict
from app.domain.refusal import Refusal


class Filters(Strict):
    """A query in which nothing unknown passes."""


class NoFilters(Filters):
    """For what is done to all there is."""


def each_once(request: Request) -> None:
    """Of a name that comes twice only the last would be seen. Raises Refusal."""
    names = [name for name, _ in request.query_params.multi_items()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"{twice[:40]} comes twice; several values are separated by commas"
        raise Refusal("given_twice", message, field=twice[:40])


_SYMBOL: TypeAdapter[str] = TypeAdapter(Symbol)


def symbols_in(text: str) -> list[str]:
    """What stands between commas, without what can be no symbol: nobody is asked for that."""
    return [part for part in text.split(",") if could_be_symbol(part)]


def could_be_symbol(text: str) -> bool:
    try:
        _SYMBOL.validate_python(text)
    except ValidationError:
        return False
    return True
