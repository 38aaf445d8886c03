"""The Alpaca broker keeps every promise of a broker, against a venue with Alpaca's face."""

from decimal import Decimal
from typing import Any

import pytest

from app.brokers.alpaca import BROKER
from app.domain.lifecycle import ChildStatus
from app.ports import Acknowledged, Broker, Capabilities, IdScope, Lookup, Ticket
from tests.brokers.alpaca_rehearsal import AlpacaRehearsal
from tests.brokers.market import at, ticket
from tests.brokers.promises import (
    BrokerPromises,
    acknowledged,
    fills,
    known,
    not_again,
    prompted,
    refused,
)
from tests.brokers.rehearsal import ioc


class TestAlpacaBroker(BrokerPromises):
    @pytest.fixture
    def venue(self, alpaca: AlpacaRehearsal) -> AlpacaRehearsal:
        return alpaca

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            (ticket("a", symbol="NONE"), "unknown_symbol"),
            (ticket("a", qty=0), "bad_quantity"),
            (ticket("a", qty=-5), "bad_quantity"),
            (ticket("a", qty="1.5"), "bad_quantity"),
            (ticket("a", qty="NaN"), "bad_quantity"),
            (ticket("a", qty="1E+70"), "bad_quantity"),
            (ticket("a", limit="10.005"), "bad_price"),
            (ticket("a", limit="0"), "bad_price"),
        ],
    )
    async def test_refuses_with_a_code(self, venue: Any, wrong: Ticket, code: str) -> None:
        """What Alpaca refuses on arrival is no order there, and cannot be looked up."""
        broker = venue.open_calm()
        assert await refused(broker, wrong) == code
        assert await broker.lookup("a") is None
        assert await venue.hear(broker, 990) == []
        await not_again(broker, ticket("a"))


async def test_says_when_it_has_something_to_tell(alpaca: AlpacaRehearsal) -> None:
    told = fills(await prompted(alpaca.open()))
    assert [fill[0] for fill in told] == ["a"] * len(told)


async def test_names_itself(alpaca: AlpacaRehearsal) -> None:
    broker: Broker = alpaca.open()
    assert BROKER == broker.name == "alpaca"
    assert broker.next_at(at(0)) is None


async def test_states_how_alpaca_behaves(alpaca: AlpacaRehearsal) -> None:
    alpaca.open()
    broker = alpaca.crash(requests_per_minute=200, lookup_lag_ms=2_000)
    assert broker.capabilities == Capabilities(
        id_scope=IdScope.EVER,
        lookup=Lookup.ALL,
        lookup_lag=2_000_000,
        executions_lookback=30 * 86_400_000_000,
        quarantine=0,
        deadline=None,
        cancels_per_second=2,
        replaces_atomically=False,
        closing_auction=True,
        extended_hours=True,
        stops=True,
    )


async def test_an_id_is_used_up_by_an_order_that_was_canceled(alpaca: AlpacaRehearsal) -> None:
    broker = alpaca.open(misses=1.0)
    await acknowledged(broker, ticket("a"))
    await broker.cancel("a", 0)
    assert (await known(broker, "a")).status is ChildStatus.CANCELED
    outcome = await broker.submit(ticket("a"))
    assert "unique" in outcome.why
    assert alpaca.count("orders", "code = 'accepted'") == 1


async def test_pairs_have_a_slash_and_no_day(alpaca: AlpacaRehearsal) -> None:
    pair = {"symbols": ["BTC/USD"], "lot": "0.0001", "touch": {"BTC/USD": ["9.99", "10.01"]}}
    broker = alpaca.open(**pair)
    await acknowledged(broker, ioc("a", symbol="BTC/USD", qty="0.0125"))
    rests = await acknowledged(broker, ticket("b", symbol="BTC/USD", limit="9.00", qty="0.5"))
    (told,) = [r for r in await alpaca.hear(broker) if r.child_id == "a"]
    assert (told.symbol, told.qty) == ("BTC/USD", Decimal("0.0125"))
    (order,) = await broker.open_orders()
    assert (order.broker_order_id, order.terms.symbol) == (rests.broker_order_id, "BTC/USD")
    assert await broker.positions() == {"BTC/USD": Decimal("0.0125")}
    # Nobody in a new process has seen the order: the asset is asked for.
    assert await alpaca.crash().positions() == {"BTC/USD": Decimal("0.0125")}


async def test_replacing_makes_another_order(alpaca: AlpacaRehearsal) -> None:
    broker = alpaca.open(misses=1.0)
    first = await acknowledged(broker, ticket("a"))
    answer = await broker.client.replace(
        first.broker_order_id,
        client_order_id="a2",
        qty=Decimal(70),
        limit_price=Decimal("9.98"),
    )
    second = answer.json()
    assert (second["client_order_id"], second["qty"]) == ("a2", "70")
    assert second["replaces"] == first.broker_order_id != second["id"]
    old = await known(broker, "a")
    assert (old.status, old.reason) == (ChildStatus.CANCELED, "replaced")
    assert [order.child_id for order in await broker.open_orders()] == ["a2"]


async def test_tells_of_the_account_and_its_market(alpaca: AlpacaRehearsal) -> None:
    client = alpaca.open(symbols=["ACME", "BTC/USD"]).client
    assert (await client.account())["status"] == "ACTIVE"
    assert (await client.clock())["is_open"] is True
    (day,) = await client.calendar("2026-01-01", "2026-12-31")
    assert set(day) >= {"date", "open", "close"}
    assert [asset["symbol"] for asset in await client.assets()] == ["ACME", "BTC/USD"]
    assert (await client.asset("BTC/USD"))["class"] == "crypto"
    assert await client.asset("NONE") is None


async def test_many_open_orders_and_fills_come_page_by_page(
    alpaca: AlpacaRehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.brokers.alpaca.client.PAGE", 3)
    monkeypatch.setattr("app.brokers.alpaca.client.OPEN_PAGE", 3)
    broker = alpaca.open(misses=1.0)
    names = [f"a{n}" for n in range(10)]
    for name in names:
        await acknowledged(broker, ticket(name))
    assert [order.child_id for order in await broker.open_orders()] == names
    alpaca.venue.change(alpaca.account, misses=0.0)
    for n in range(10):
        await acknowledged(broker, ioc(f"b{n}"))
    await alpaca.until(lambda: alpaca.count("executions") == 10)
    told = await broker.executions(0)
    assert len({r.execution_id for r in told}) == len(told) == 10
    assert [r.at for r in told] == sorted(r.at for r in told)


async def test_without_the_right_keys_nothing_is_taken(alpaca: AlpacaRehearsal) -> None:
    alpaca.open()
    broker = alpaca.crash(secret_key="wrong")
    assert await refused(broker, ticket("a")) == "not_authorized"
    with pytest.raises(ConnectionError, match="401"):
        await broker.lookup("a")
    await alpaca.until(lambda: "not granted" in str(broker._stream.away))
    assert not isinstance(await alpaca.crash().lookup("a"), Acknowledged)
