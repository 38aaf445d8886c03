"""An order on its way in, and what becomes of it."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from app.store.controls import Switch
from app.store.entering import Columns
from app.store.restraint import Beyond, Checked, Refused


class Arrival(NamedTuple):
    """One order on its way in: its row, and what comes with it.

    `market` holds the columns that many orders share; those of one batch must name the same.
    `checked` is what it was held against; None: by nobody, it is entered as it is.
    """

    order: Columns
    market: Columns = MappingProxyType({})
    idempotency: Columns | None = None
    signal: Columns | None = None
    checked: Checked | None = None

    @property
    def keys(self) -> tuple[tuple[Any, ...], ...]:
        """What must not meet its like within one batch."""
        order, idempotency, signal = self.order, self.idempotency, self.signal
        own: tuple[tuple[Any, ...], ...] = (("order", order["account"], order["client_order_id"]),)
        if idempotency is not None:
            own += (("key", idempotency["key_id"], idempotency["key"]),)
        if signal is not None:
            own += (("signal", signal["account"], signal["source"], signal["signal_id"]),)
        return own

    @property
    def alone(self) -> bool:
        """Whether nothing comes with the order, no limit counts it with others, and nobody
        confirms anything, which stands on the audit trail."""
        one = self.checked
        judged = one is not None and (one.counted or bool(one.confirmed))
        return self.idempotency is None and self.signal is None and not judged

    def confirmed(self, beyond: Beyond | None) -> Columns:
        """The order's row, with those names as confirmed that were needed."""
        if "confirmed" not in self.order:
            return self.order
        names = sorted(beyond.values) if beyond is not None else None
        return {**self.order, "confirmed": names}

    @property
    def limits_version(self) -> int | None:
        return self.checked.version if self.checked is not None else None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The order's row. `replayed`: it was there before, with the same body."""

    row: Any
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Clash:
    """Something else stands under this name: `what` is order, key, signal or archived (an order
    that has been removed, `order_id`)."""

    what: str
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Halted:
    """A kill switch bears on the order, and it was not there before the switch was thrown."""

    switch: Switch


Verdict = Accepted | Clash | Halted | Refused
