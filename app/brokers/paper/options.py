"""What the paper broker can be told, checked before anything is opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.domain.instant import MILLISECOND, Micros
from app.domain.instrument import Instrument
from app.domain.quantity import ZERO
from app.domain.session import Session
from app.domain.venue.tariff import Tariff


@dataclass(frozen=True, slots=True)
class Options:
    """`instrument`, `sessions` and `extended` (the same with the hours around them) raise KeyError
    for a symbol the venue does not trade.

    `latency_us` is one way: an order needs it to arrive, a report to come back.
    """

    ledger_path: Path
    instrument: Callable[[str], Instrument]
    sessions: Callable[[str], tuple[Session, ...]]
    extended: Callable[[str], tuple[Session, ...]] = lambda symbol: ()
    latency_us: Micros = 5 * MILLISECOND
    fee_per_share: Decimal = ZERO
    fee_bps: Decimal = ZERO
    min_fee: Decimal = ZERO

    @property
    def tariff(self) -> Tariff:
        return Tariff(self.fee_per_share, self.fee_bps, self.min_fee)


def read_options(given: Mapping[str, Any]) -> Options:
    """The options as a record. Raises ValueError naming the one at fault."""
    known = {f.name for f in fields(Options)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"the paper broker has no option {unknown[0]!r}")
    missing = sorted({"ledger_path", "instrument", "sessions"} - set(given))
    if missing:
        raise ValueError(f"the paper broker needs the option {missing[0]!r}")
    values = dict(given) | {"ledger_path": Path(given["ledger_path"])}
    for name in ("fee_per_share", "fee_bps", "min_fee"):
        if name in given:
            values[name] = _decimal(name, given[name])
    options = Options(**values)
    if not isinstance(options.latency_us, int) or options.latency_us < 0:
        raise ValueError("latency_us must be a whole number, not below zero")
    return options


def _decimal(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{name} is not a number: {value!r}")
    return number
