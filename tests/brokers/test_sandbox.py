"""The sandbox broker keeps every promise of a broker, over real sockets to a real process."""

from typing import Any

import pytest

from app.brokers.sandbox import BROKER, open_broker
from app.brokers.sandbox.reading import Reader
from app.domain.instant import MILLISECOND, SECOND
from app.ports import Broker, Capabilities, IdScope, Lookup
from tests.brokers.market import at, ticket
from tests.brokers.promises import BrokerPromises, acknowledged, fills, known, prompted, refused
from tests.brokers.rehearsal import Rehearsal, ioc
from tests.venue.running import RunningVenue


class TestSandboxBroker(BrokerPromises):
    @pytest.fixture
    def venue(self, rehearsal: Rehearsal) -> Rehearsal:
        return rehearsal


async def test_says_when_it_has_something_to_tell(rehearsal: Rehearsal) -> None:
    told = fills(await prompted(rehearsal.open()))
    assert [fill[0] for fill in told] == ["a"] * len(told)


async def test_names_itself(rehearsal: Rehearsal) -> None:
    broker: Broker = rehearsal.open()
    assert BROKER == broker.name == "sandbox"
    await acknowledged(broker, ticket("a"))
    # Live: nobody knows when the next report will be due.
    assert broker.next_at(at(0)) is None


async def test_behaves_as_the_venue_says(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(
        id_scope="window",
        lookup="open_only",
        lookup_lag_ms=20,
        lookback_ms=60_000,
        quarantine_ms=700,
        deadline_ms=2_000,
        cancels_per_second=5,
    )
    assert broker.capabilities == Capabilities(
        id_scope=IdScope.WINDOW,
        lookup=Lookup.OPEN_ONLY,
        lookup_lag=20 * MILLISECOND,
        executions_lookback=60 * SECOND,
        quarantine=700 * MILLISECOND,
        deadline=2 * SECOND,
        cancels_per_second=5,
    )


async def test_a_closed_market_is_a_refusal(rehearsal: Rehearsal) -> None:
    assert await refused(rehearsal.open(closed=True), ticket("a")) == "market_closed"


async def test_executions_tell_the_venue_s_time_and_fee(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(fee_per_share="0.0035")
    await acknowledged(broker, ioc("a", qty=200))
    (told,) = [r for r in await rehearsal.hear(broker) if r.child_id == "a"]
    query = "SELECT at, fee FROM executions WHERE account = ?"
    ((written, fee),) = rehearsal.venue.rows(query, rehearsal.account)
    assert (told.at, str(told.fee)) == (written, fee) == (written, "0.7000")


async def test_moments_of_an_order_never_run_backwards(rehearsal: Rehearsal) -> None:
    """Each later than what was before it at the venue, down to its state."""
    broker = rehearsal.open(partial=1.0)
    sent = await acknowledged(broker, ticket("a", qty=20))
    told = await rehearsal.hear(broker)
    moments = [sent.at, *(report.at for report in told)]
    assert len(moments) > 3
    assert moments == sorted(moments)
    assert (await known(broker, "a")).at >= moments[-1]


async def test_stale_executions_are_past_the_lookback(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(lookback_ms=50)
    await acknowledged(broker, ioc("a"))
    assert fills(await rehearsal.hear(broker))
    assert await broker.executions(0) == []


async def test_ids_that_are_unique_per_symbol_become_unique(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(execution_ids="symbol")
    for child_id, symbol in (("a", "AAA"), ("b", "BBB"), ("c", "AAA")):
        await acknowledged(broker, ioc(child_id, symbol=symbol))
    told = await rehearsal.hear(broker)
    assert sorted(r.execution_id for r in told) == ["AAA:1", "AAA:2", "BBB:1"]
    rehearsal.venue.happen(rehearsal.account, "bust", "b")
    rehearsal.venue.happen(rehearsal.account, "correct", "a")
    bust, correction = await rehearsal.hear(broker)
    assert (bust.execution_id, correction.corrects) in (
        ("BBB:1", "AAA:1"),
        ("BBB:1", "AAA:2"),
    )
    assert {e.execution_id for e in await broker.executions(0)} >= {"AAA:1", "AAA:2", "BBB:1"}


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, "url"),
        ({"url": "venue:80"}, "http"),
        ({"url": "http://x", "ledger_path": "x"}, "ledger_path"),
        ({"url": "http://x", "connections": 0}, "connections"),
        ({"url": "http://x", "submit_timeout_ms": "1"}, "submit_timeout_ms"),
    ],
)
def test_options_are_checked(options: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        open_broker("acc", lambda symbol: {}[symbol], options)


def test_a_venue_that_does_not_say_how_it_behaves_is_not_opened(adversary: RunningVenue) -> None:
    for url in (adversary.url, "http://127.0.0.1:9"):
        with pytest.raises(ConnectionError, match="how nobody behaves"):
            open_broker("nobody", lambda symbol: {}[symbol], {"url": url})


EXECUTION = {
    "kind": "execution",
    "client_id": "a",
    "venue_id": "V-1",
    "execution_id": "X-1",
    "symbol": "ACME",
    "side": "buy",
    "qty": "10",
    "price": "10.01",
    "fee": "0",
    "liquidity": "taker",
    "at": 5,
    "corrects": None,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "gossip"),
        ("qty", "0"),
        ("qty", "NaN"),
        ("qty", 10),
        ("qty", "ten"),
        ("price", "-1"),
        ("side", "both"),
        ("execution_id", ""),
        ("execution_id", None),
        ("liquidity", "solid"),
        ("at", "5"),
        ("at", True),
    ],
)
def test_what_cannot_be_true_is_not_believed(name: str, value: object) -> None:
    reader = Reader(ids_per_symbol=False)
    assert reader.report(EXECUTION).execution_id == "X-1"
    with pytest.raises(ValueError, match=r"."):
        reader.report(EXECUTION | {name: value})
    with pytest.raises(ValueError, match=r"."):
        reader.report({k: v for k, v in EXECUTION.items() if k != name})
