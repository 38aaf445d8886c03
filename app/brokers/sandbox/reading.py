"""From the venue's JSON to reports. Whatever is not as it should be raises ValueError."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import structlog

from app.domain.instant import LATEST
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO, Side
from app.ports import BustReport, ExecutionReport, OrderReport, Report, Terms

log = structlog.get_logger()

TEXT_MAX = 128
REASON_MAX = 300

DIGITS_MAX = 30
"""Before the point, and after it."""

TOLD = (
    ChildStatus.WORKING,
    ChildStatus.PARTIALLY_FILLED,
    ChildStatus.FILLED,
    ChildStatus.CANCELED,
    ChildStatus.REJECTED,
    ChildStatus.EXPIRED,
)


class Reader:
    """Reads reports of one account.

    Where the venue uses execution ids again for other symbols, they are told as `<symbol>:<id>`,
    in executions, corrections and busts alike: unique in the account, and the same each time.
    """

    def __init__(self, *, ids_per_symbol: bool) -> None:
        self._ids_per_symbol = ids_per_symbol

    def told(self, said: Any, *, order: bool = False) -> Report | None:
        """What was said (`order`: it must be the state of one).

        Of what cannot be read at least whom it is about, as an OrderReport of unknown status, and
        None where not even that can be read. Either is logged.
        """
        try:
            return self.order(said) if order else self.report(said)
        except ValueError as wrong:
            log.error("report cannot be read", error=str(wrong), report=repr(said)[:1_000])
            try:
                child_id = text(said["client_id"])
            except (KeyError, TypeError, ValueError):
                return None
            return unreadable(child_id, wrong)

    def report(self, said: Any) -> Report:
        """Raises ValueError."""
        try:
            match said["kind"]:
                case "order":
                    return self.order(said)
                case "execution":
                    return self._execution(said)
                case "bust":
                    return self._bust(said)
                case kind:
                    raise ValueError(f"no report is called {kind!r}")
        except (KeyError, TypeError, ArithmeticError) as wrong:
            raise ValueError(f"a report that cannot be read: {wrong!r}") from wrong

    def order(self, said: Any) -> OrderReport:
        """The state of an order. Raises ValueError."""
        try:
            status = ChildStatus(said["status"])
            if status not in TOLD:
                raise ValueError(f"a venue cannot say {status}")
            return OrderReport(
                child_id=text(said["client_id"]),
                broker_order_id=text(said["venue_id"]),
                status=status,
                at=moment(said["at"]),
                filled=number(said["filled"]),
                reason=None if said["reason"] is None else words(said["reason"]),
                # What was refused may have asked for anything.
                terms=None if status is ChildStatus.REJECTED else _terms(said),
            )
        except (KeyError, TypeError, ArithmeticError) as wrong:
            raise ValueError(f"an order that cannot be read: {wrong!r}") from wrong

    def _execution(self, said: Mapping[str, Any]) -> ExecutionReport:
        symbol, corrects = text(said["symbol"]), said["corrects"]
        if said["liquidity"] not in ("taker", "maker"):
            raise ValueError(f"liquidity {said['liquidity']!r}")
        return ExecutionReport(
            child_id=text(said["client_id"]),
            broker_order_id=text(said["venue_id"]),
            execution_id=self._id(symbol, said["execution_id"]),
            symbol=symbol,
            side=Side(said["side"]),
            qty=_above_zero(said["qty"]),
            price=_above_zero(said["price"]),
            fee=number(said["fee"]),
            liquidity=said["liquidity"],
            at=moment(said["at"]),
            corrects=None if corrects is None else self._id(symbol, corrects),
        )

    def _bust(self, said: Mapping[str, Any]) -> BustReport:
        return BustReport(
            child_id=text(said["client_id"]),
            execution_id=self._id(text(said["symbol"]), said["execution_id"]),
            at=moment(said["at"]),
            reason=words(said["reason"]),
        )

    def _id(self, symbol: str, said: Any) -> str:
        return f"{symbol}:{text(said)}" if self._ids_per_symbol else text(said)


def unreadable(child_id: str, wrong: ValueError) -> OrderReport:
    """The venue spoke of this child, and nobody knows what it said."""
    return OrderReport(child_id, "", ChildStatus.UNKNOWN, 0, ZERO, words(str(wrong)))


def _terms(said: Any) -> Terms:
    return Terms(
        symbol=text(said["symbol"]),
        side=Side(said["side"]),
        qty=number(said["qty"]),
        limit_price=number(said["limit_price"]),
    )


def number(said: Any) -> Decimal:
    """A finite decimal, told as text. Raises ValueError, ArithmeticError."""
    value = Decimal(text(said))
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{_shown(said)} is not a number")
    if exponent < -DIGITS_MAX or value.adjusted() >= DIGITS_MAX:
        raise ValueError(f"{_shown(said)} has too many digits")
    return value


def moment(said: Any) -> int:
    """Microseconds since 1970 UTC. Raises ValueError."""
    if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said < LATEST:
        raise ValueError(f"{_shown(said)} is not a moment")
    return said


def _above_zero(said: Any) -> Decimal:
    value = number(said)
    if value <= 0:
        raise ValueError(f"{_shown(said)} is not above zero")
    return value


def text(said: Any) -> str:
    """A name: printable and not long, as a database can keep it. Raises ValueError."""
    if not isinstance(said, str) or not said or len(said) > TEXT_MAX or not said.isprintable():
        raise ValueError(f"{_shown(said)} is not text")
    return said


def words(said: Any) -> str:
    """What is only for a human to read, as far as it can be. Raises ValueError."""
    if not isinstance(said, str):
        raise ValueError(f"{_shown(said)} is not text")
    return "".join(c if c.isprintable() else "?" for c in said[:REASON_MAX])


def _shown(said: Any) -> str:
    return repr(said[:TEXT_MAX] if isinstance(said, str) else said)[:TEXT_MAX]
