"""From the venue's JSON to reports. Whatever is not as it should be raises ValueError."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.ports import BustReport, ExecutionReport, OrderReport, Report, Terms

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
                child_id=_text(said["client_id"]),
                broker_order_id=_text(said["venue_id"]),
                status=status,
                at=moment(said["at"]),
                filled=number(said["filled"]),
                reason=None if said["reason"] is None else _text(said["reason"]),
                # What was refused may have asked for anything.
                terms=None if status is ChildStatus.REJECTED else _terms(said),
            )
        except (KeyError, TypeError, ArithmeticError) as wrong:
            raise ValueError(f"an order that cannot be read: {wrong!r}") from wrong

    def _execution(self, said: Mapping[str, Any]) -> ExecutionReport:
        symbol, corrects = _text(said["symbol"]), said["corrects"]
        if said["liquidity"] not in ("taker", "maker"):
            raise ValueError(f"liquidity {said['liquidity']!r}")
        return ExecutionReport(
            child_id=_text(said["client_id"]),
            broker_order_id=_text(said["venue_id"]),
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
            child_id=_text(said["client_id"]),
            execution_id=self._id(_text(said["symbol"]), said["execution_id"]),
            at=moment(said["at"]),
            reason=_text(said["reason"]),
        )

    def _id(self, symbol: str, said: Any) -> str:
        return f"{symbol}:{_text(said)}" if self._ids_per_symbol else _text(said)


def _terms(said: Any) -> Terms:
    return Terms(
        symbol=_text(said["symbol"]),
        side=Side(said["side"]),
        qty=number(said["qty"]),
        limit_price=number(said["limit_price"]),
    )


def number(said: Any) -> Decimal:
    """A finite decimal, told as text. Raises ValueError, ArithmeticError."""
    value = Decimal(_text(said))
    if not value.is_finite():
        raise ValueError(f"{said!r} is not a number")
    return value


def moment(said: Any) -> int:
    """Microseconds since 1970 UTC. Raises ValueError."""
    if not isinstance(said, int) or isinstance(said, bool) or said < 0:
        raise ValueError(f"{said!r} is not a moment")
    return said


def _above_zero(said: Any) -> Decimal:
    value = number(said)
    if value <= 0:
        raise ValueError(f"{said!r} is not above zero")
    return value


def _text(said: Any) -> str:
    if not isinstance(said, str) or not said:
        raise ValueError(f"{said!r} is not text")
    return said
