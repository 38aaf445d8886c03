"""What counts as evidence that a child never reached the broker."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.execution import Execution, accepted
from app.domain.fact import Intended, Moved, Purpose, TimeInForce
from app.domain.fold import apply
from app.domain.instant import SECOND
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side
from app.engine import reconcile
from app.ports import Capabilities, ExecutionReport, IdScope, Lookup, OrderReport
from tests.domain.tasks import OPEN, a_task

EVER = Capabilities(IdScope.EVER, Lookup.ALL, 0, 0)


class Silent:
    """A broker that knows nothing."""

    name = "silent"

    def __init__(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities

    async def lookup(self, child_id: str) -> OrderReport | None:
        return None

    async def executions(self, since: int) -> Sequence[ExecutionReport]:
        return []


def with_intent() -> Execution:
    execution = apply(accepted(a_task()), Moved(OPEN, OrderStatus.WORKING))
    return apply(
        execution,
        Intended(
            OPEN, "sl-1", 1, Side.BUY, Decimal(1), Decimal(10), Purpose.CROSS, TimeInForce.IOC, OPEN
        ),
    )


async def asked(
    capabilities: Capabilities, *, wire: Sequence[str] = (), since: float | None = None
) -> tuple[bool, bool]:
    """Whether an unanswered intent became unknown, and whether it was proven absent."""
    missing = {} if since is None else {"sl-1": since}
    found = await reconcile.ask(
        Silent(capabilities),  # type: ignore[arg-type]
        [with_intent()],
        OPEN,
        seen_to=OPEN,
        on_the_wire=wire,
        missing_since=missing,
    )
    return bool(found.unknown), bool(found.absent)


async def test_ids_that_last_for_ever_prove_absence() -> None:
    assert await asked(EVER) == (True, True)


@pytest.mark.parametrize(
    "capabilities",
    [
        replace(EVER, id_scope=IdScope.OPEN_ONLY),
        replace(EVER, id_scope=IdScope.WINDOW),
        replace(EVER, id_scope=IdScope.NONE),
        replace(EVER, lookup=Lookup.OPEN_ONLY),
        replace(EVER, lookup=Lookup.NONE),
        replace(EVER, lookup_lag=60 * SECOND),
        replace(EVER, quarantine=60 * SECOND),
    ],
)
async def test_anything_less_leaves_it_unknown(capabilities: Capabilities) -> None:
    assert await asked(capabilities) == (True, False)


async def test_after_lag_and_quarantine_it_is_absent() -> None:
    patient = replace(EVER, lookup_lag=SECOND, quarantine=SECOND)
    assert await asked(patient, since=-1e9) == (True, True)


async def test_a_child_on_the_wire_is_left_alone() -> None:
    assert await asked(EVER, wire=["sl-1"]) == (False, False)
