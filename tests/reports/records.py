"""Orders as they were worked, made up from a seed."""

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.market import Traded
from app.domain.quantity import ZERO, Side
from app.domain.tca.analysis import Worked, WorkedChild, WorkedFill
from app.domain.tca.quality import Estimate
from app.domain.tca.shortfall import Price
from app.domain.tca.spread import Mark
from tests.domain.tasks import OPEN

D = Decimal


def worked(seed: int = 1, *, children: int = 12, done: int | None = None, **over: Any) -> Worked:
    """An order of 50 a child, of which the first `done` (None: all) were filled."""
    chance = random.Random(seed)
    kids: list[WorkedChild] = []
    fills: list[WorkedFill] = []
    marks: dict[Instant, Mark] = {}
    mid = 100.0
    for i in range(children):
        at = OPEN + i * 75 * SECOND
        mid += chance.gauss(0.01, 0.03)
        quote = mark(at, mid)
        assert quote.bid is not None
        purpose = chance.choice(("rest", "cross"))
        filled = done is None or i < done
        kids.append(
            WorkedChild(
                f"k{i}", i + 1, purpose, "filled" if filled else "canceled", True, D(50),
                quote.bid, D(50) if filled else ZERO, at, quote,
            )
        )  # fmt: skip
        if filled:
            when = at + 3 * SECOND
            fills.append(
                WorkedFill(f"e{i}", f"k{i}", when, D(50), quote.bid, ZERO, "maker", purpose)
            )
            for after in (0, MINUTE, 5 * MINUTE):
                marks[when + after] = mark(when + after, mid + chance.gauss(0, 0.02))
    end = OPEN + children * 75 * SECOND
    marks[end] = mark(end, mid)
    made = Worked(
        order_id=f"o-{seed}", client_order_id=f"c-{seed}", account="main", broker="paper",
        symbol="ACME", currency="USD", side=Side.BUY, algo="twap", strategy=None, status="filled",
        qty=D(50 * children), filled=sum((f.qty for f in fills), ZERO),
        notional=sum((f.qty * f.price for f in fills), ZERO), fees=D("2.10"),
        accepted_at=OPEN - MINUTE, start=OPEN, end=end, finished_at=end, decision=D(100),
        begin=Price(D(100)), last_fill=fills[-1].at if fills else None,
        market=Traded(D(90_000), D(9_001_000)), own_included=False, measured_to=end,
        estimate=Estimate(D("2.1"), D(14), {"spread_bps": D(1)}, "model"), marks=marks,
        children=tuple(kids), fills=tuple(fills), now=end + MINUTE,
    )  # fmt: skip
    return replace(made, **over)


def mark(at: Instant, mid: float) -> Mark:
    return Mark(at, D(f"{mid - 0.01:.2f}"), D(f"{mid + 0.01:.2f}"))
