"""What an execution algorithm is: parameters, their meaning, and a plan.

A new algorithm is one file in `domain/algos/` with a constant `ALGORITHM`; validation, the
OpenAPI schema, `GET /algorithms` and the contract tests follow by discovery.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.plan import Trajectory
from app.domain.refusal import Refusal
from app.domain.task import Anchor, Task

DECIMAL_LENGTH_MAX = 40


class Kind(StrEnum):
    INTEGER = "integer"
    DECIMAL = "decimal"
    SECONDS = "seconds"
    CHOICE = "choice"
    TEXT = "text"


class Placement(StrEnum):
    """Where children of an order stand. All but the last cross for what must be done by now."""

    CROSS = "cross"
    """Nothing rests."""
    REST_THEN_CROSS = "rest_then_cross"
    """Joins the near touch and stays there."""
    PEG = "peg"
    """Joins the near touch, and follows when it moves away."""
    STEP_UP = "step_up"
    """Joins the near touch and moves towards the far one, step by step."""
    AT_LIMIT = "at_limit"
    """Rests at the order's own limit price."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an algorithm.

    `default` None means: absent unless given. `mutable` says whether PATCH may change it while
    the order is working. `example` goes into the API page.
    """

    name: str
    kind: Kind
    doc: str
    default: Any = None
    minimum: Decimal | int | None = None
    maximum: Decimal | int | None = None
    choices: tuple[str, ...] = ()
    mutable: bool = False
    usual: Any = field(init=False, repr=False, compare=False)
    """The default as an order has it: parsed once, for there are more defaults than values."""

    def __post_init__(self) -> None:
        usual = None if self.default is None else _parse(self, self.default)
        object.__setattr__(self, "usual", usual)


class Terms:
    """The parameters that something has, ready to be asked for by name."""

    __slots__ = ("_by_name", "_usual")

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._by_name = {p.name: p for p in parameters}
        self._usual = {p.name: p.usual for p in parameters if p.usual is not None}

    def named(self, name: str) -> Parameter | None:
        return self._by_name.get(name)

    def complete(self, owner: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was given, parsed and checked, with the usual for the rest, in no certain order.
        Raises Refusal naming the field; `owner` is whose parameters they are."""
        if not given.keys() <= self._by_name.keys():
            known = ", ".join(self._by_name) or "none"
            first = min(given.keys() - self._by_name.keys())
            raise Refusal(
                "unknown_parameter",
                f"{owner} has no parameter {first!r}; it knows: {known}",
                field=f"params.{first}",
            )
        values = self._usual.copy()
        try:
            for name, said in given.items():
                if said is not None:
                    values[name] = _parse(self._by_name[name], said)
        except Refusal:
            self._tell_the_first(given)
            raise
        return values

    def _tell_the_first(self, given: Mapping[str, Any]) -> None:
        """Which mistake is told must not depend on how the client ordered them."""
        for name, parameter in self._by_name.items():
            if given.get(name) is not None:
                _parse(parameter, given[name])


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A named way to answer: how much must be done by now, and how much may be."""

    name: str
    title: str
    doc: str
    version: int
    plan: Callable[[Task, Anchor], Trajectory]
    parameters: tuple[Parameter, ...] = ()
    placement: Placement = Placement.CROSS
    """Where children stand if no parameter says so."""
    shows: Decimal | None = None
    """The fraction of the order that is shown at a time if no parameter says so; None: all."""
    profiled: Callable[[Task], bool] = lambda task: False
    """Whether the plan of a task looks at the volume of bins that are over."""
    completes: bool = True
    """Whether the plan itself comes to an end by the window's; else `completion` can make it."""
    needs_limit_price: bool = False
    windowed: bool = False
    """Whether the work is spread over a window (start, end) that the order may set."""
    default_window_minutes: int | None = None
    extended_hours: bool = False
    """Whether it knows what to do where there are limit orders only, and little volume."""
    terms: Terms = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", Terms(self.parameters))

    def parameter(self, name: str) -> Parameter | None:
        return self.terms.named(name)


def complete(algorithm: Algorithm, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an order, parsed, checked and filled with defaults.

    Decimals and seconds come back as Decimal, integers as int, choices and texts as str.
    Raises Refusal naming the field (`params.slices`) for an unknown or unusable value.
    """
    return algorithm.terms.complete(algorithm.name, given)


def _parse(parameter: Parameter, value: Any) -> Any:
    parsed = _PARSERS[parameter.kind](parameter, value)
    if isinstance(parsed, int | Decimal):
        _check_bounds(parameter, parsed)
    return parsed


_INTEGER_MAX = 10**18
"""What is larger may not fit into 64 bits, which is all that some readers of JSON know."""


def _integer(parameter: Parameter, value: Any) -> int:
    if type(value) is int and abs(value) < _INTEGER_MAX:
        return value
    number = _decimal(parameter, value)
    if number != int(number):
        raise _refuse(parameter, "is not a whole number")
    if abs(number) >= _INTEGER_MAX:
        raise _refuse(parameter, "is out of range")
    return int(number)


def _decimal(parameter: Parameter, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise _refuse(parameter, "is not a number")
    try:
        text = str(value)
        number = Decimal(text) if len(text) <= DECIMAL_LENGTH_MAX else Decimal("NaN")
    except (ArithmeticError, ValueError):
        raise _refuse(parameter, "is not a number") from None
    if not number.is_finite() or not -12 <= number.adjusted() <= 18:
        raise _refuse(parameter, "is out of range")
    if len(format(number, "f")) > DECIMAL_LENGTH_MAX:
        # As it will be stored and read again: without an exponent it can be longer.
        raise _refuse(parameter, "has too many digits")
    return number


def _choice(parameter: Parameter, value: Any) -> str:
    if value not in parameter.choices:
        raise _refuse(parameter, f"is not one of {', '.join(parameter.choices)}")
    return str(value)


def _text(parameter: Parameter, value: Any) -> str:
    wholes = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18
    text = str(value) if wholes or isinstance(value, str) else ""
    if not 1 <= len(text) <= 64 or not text.isprintable():
        raise _refuse(parameter, "is not a text of 1 to 64 printable characters")
    return text


_PARSERS: Mapping[Kind, Callable[[Parameter, Any], Any]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.SECONDS: _decimal,
    Kind.CHOICE: _choice,
    Kind.TEXT: _text,
}


def _check_bounds(parameter: Parameter, value: Decimal | int) -> None:
    if parameter.minimum is not None and value < parameter.minimum:
        raise _refuse(parameter, f"is below {parameter.minimum}")
    if parameter.maximum is not None and value > parameter.maximum:
        raise _refuse(parameter, f"is above {parameter.maximum}")


def _refuse(parameter: Parameter, why: str) -> Refusal:
    return Refusal("bad_parameter", f"{parameter.name} {why}", field=f"params.{parameter.name}")
