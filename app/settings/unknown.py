"""A variable of ours that nobody knows is most likely misspelt: it stops the start."""

from collections.abc import Iterable
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

PREFIX = "SLIPSTREAM_"

_OTHERS = ("URL", "KEY", "DATA_SETS")
"""Read by the command line and the tests, and no setting of the server."""

_TESTS = "TEST_"


def refuse_unknown(variables: Iterable[str], fields: Iterable[str]) -> None:
    """Raises ValidationError for variables of ours that mean nothing: most are misspelt."""
    known = {name.upper() for name in fields} - {"DATABASE_URL"}
    ours = (name.upper() for name in variables if name.upper().startswith(PREFIX))
    names = sorted(name.removeprefix(PREFIX) for name in ours)
    unknown = [n for n in names if n not in known.union(_OTHERS) and not n.startswith(_TESTS)]
    if unknown:
        raise ValidationError.from_exception_data("Settings", [_unknown(n, known) for n in unknown])


def _unknown(name: str, known: set[str]) -> InitErrorDetails:
    close = get_close_matches(name, [*known, "DATABASE_URL"], n=1)
    meant = [n if n == "DATABASE_URL" else f"{PREFIX}{n}" for n in close]
    hint = f"; did you mean {meant[0]}?" if meant else ""
    told = PydanticCustomError("unknown_variable", "there is no such setting{hint}", {"hint": hint})
    # Its value may be secret: the name stands in for it.
    return InitErrorDetails(type=told, loc=(f"{PREFIX}{name}",), input=name)
