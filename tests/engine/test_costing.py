"""Estimates from the door to the row and back: kept with the order, learned from its outcome."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.cost.calibration import LEAST, Calibration
from app.domain.market import Quote
from app.domain.quantity import Side
from app.domain.request import Request
from app.engine.accept import accept
from app.engine.calibrating import Calibrating
from app.engine.given import Given
from app.engine.service import Caller, Service
from app.store import market_state
from app.store.market_state import Ticked
from app.store.views import outcomes
from tests.api.conftest import ACME, NOW, SESSION, service

__all__ = ["service"]

CALLER = Caller("k1", None)
D = Decimal


async def tell(service: Service, volatility: float | None, volume: Decimal | None) -> None:
    """The market with what its history says."""
    async with service.database.transaction() as connection:
        await market_state.tell_watched(connection, ACME, [SESSION], None, volume, volatility)
        quote = Quote(D("99.99"), D("100.01"), D(500), D(400), NOW, NOW)
        await market_state.tell_quotes(connection, [Ticked("ACME", quote, D(100), NOW)])


async def enter(service: Service, **fields: Any) -> Any:
    request = Request(account="main", symbol="ACME", **({"side": Side.BUY} | fields))
    body = {name: str(value) for name, value in fields.items()}
    accepted = await accept(service, CALLER, request, Given.of(body))
    async with service.database.connection() as connection:
        return await connection.fetchrow("SELECT * FROM orders WHERE id = $1", accepted.row["id"])


async def fill(service: Service, order_id: str, average: str) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE orders SET status = 'filled', filled = qty, filled_notional = qty * $2::numeric"
            " WHERE id = $1",
            order_id,
            D(average),
        )


async def test_the_estimate_is_kept_with_the_order(service: Service) -> None:
    await tell(service, 0.02, D(5_000_000))
    kept = (await enter(service, qty=D(500), algo="market"))["estimate"]
    parts = kept["parts"]
    assert parts["spread_bps"] == "1.0000"
    assert D(kept["total_bps"]) == sum(map(D, parts.values()))
    assert D(kept["sd_bps"]) > 0
    assert kept["source"] == "published"
    assert kept["inputs"]["volatility"] == "0.02"
    assert kept["notional"] == "50000.00"
    assert "alternatives" not in kept


async def test_what_the_router_chose_is_kept_with_what_it_left(service: Service) -> None:
    await tell(service, 0.02, D(5_000_000))
    row = await enter(service, qty=D(500))
    found = {one["algo"]: one for one in row["estimate"]["alternatives"]}
    assert [name for name, one in found.items() if one["taken"]] == [row["algo"]] == ["twap"]
    assert found["twap"]["total_bps"] == row["estimate"]["total_bps"]
    assert D(found["market"]["total_bps"]) > D(found["twap"]["total_bps"])


async def test_without_history_an_order_is_accepted_and_says_what_is_missing(
    service: Service,
) -> None:
    kept = (await enter(service, qty=D(500), algo="twap"))["estimate"]
    assert kept["total_bps"] is None
    assert kept["parts"]["spread_bps"] == "0.5000"
    assert kept["parts"]["impact_bps"] is None
    assert kept["reason"] == "the volatility is not known"


async def test_outcomes_teach_the_model_of_their_broker(service: Service) -> None:
    """Every order cost twice the published impact: found again, used and named."""
    await tell(service, 0.0001, D(50_000))
    costs: dict[str, Calibration] = {}
    learning = Calibrating(service.database, service.broker_of, 500, costs)
    for number in range(LEAST + 10):
        qty = D(100 * (1 + number % 30))
        side = Side.BUY if number % 2 else Side.SELL
        row = await enter(service, qty=qty, algo="market", side=side)
        parts = row["estimate"]["parts"]
        paid = D(parts["spread_bps"]) + 2 * (D(parts["impact_bps"]) + D(parts["urgency_bps"]))
        await fill(service, row["id"], str(100 + side.sign * paid / 100))
        if number == LEAST - 2:
            await learning.look()
            assert costs["paper"].source == "published"
    await learning.look()
    learned = costs["paper"]
    assert learned.source == f"calibrated:n={LEAST + 10}"
    assert learned.impact_scale == pytest.approx(2, abs=0.25)
    async with service.database.connection() as connection:
        (first, *_) = await outcomes(connection, "main", 1)
        assert await outcomes(connection, "other", 10) == []
    assert first.realised == pytest.approx(first.spread + 2 * first.market, abs=1e-3)


async def test_what_never_had_to_cross_teaches_nothing(service: Service) -> None:
    await tell(service, 0.02, D(5_000_000))
    resting = await enter(service, qty=D(500), algo="limit", limit_price=D("99.99"))
    await fill(service, resting["id"], "99.99")
    bounded = await enter(service, qty=D(500), algo="twap", limit_price=D("99.99"))
    await fill(service, bounded["id"], "99.98")
    open_one = await enter(service, qty=D(500), algo="market")
    assert open_one["status"] == "accepted"
    async with service.database.connection() as connection:
        assert await outcomes(connection, "main", 10) == []


async def test_a_fitted_estimate_teaches_as_the_published_one(service: Service) -> None:
    """Learning again from estimates that were scaled already must not scale twice."""
    await tell(service, 0.02, D(5_000_000))
    plain_one = await enter(service, qty=D(500), algo="market", client_order_id="a")
    service.costs["paper"] = Calibration(0.5, 3.0, "calibrated:n=77")  # type: ignore[index]
    scaled = await enter(service, qty=D(500), algo="market", client_order_id="b")
    assert scaled["estimate"]["source"] == "calibrated:n=77"
    assert scaled["estimate"]["total_bps"] != plain_one["estimate"]["total_bps"]
    for row in (plain_one, scaled):
        await fill(service, row["id"], "100.05")
    async with service.database.connection() as connection:
        one, other = await outcomes(connection, "main", 10)
    assert one.spread == pytest.approx(other.spread, abs=1e-3)
    assert one.market == pytest.approx(other.market, abs=1e-3)
    assert one.realised == pytest.approx(5)
