"""What the venue says and nobody can keep: told about its child, and the rest is kept."""

from typing import Any

import pytest

from app.brokers.sandbox.reading import LATEST, Reader
from app.domain.lifecycle import ChildStatus
from app.ports import ExecutionReport, OrderReport, illegible
from tests.brokers.promises import acknowledged
from tests.brokers.rehearsal import Rehearsal, ioc

EXECUTION = {
    "kind": "execution",
    "client_id": "a",
    "venue_id": "v1",
    "execution_id": "e1",
    "symbol": "XYZ",
    "side": "buy",
    "qty": "100",
    "price": "10",
    "fee": "0",
    "liquidity": "taker",
    "at": 1_767_623_400_000_000,
    "corrects": None,
}
ORDER = {
    "kind": "order",
    "client_id": "a",
    "venue_id": "v1",
    "status": "canceled",
    "filled": "0",
    "reason": "by\x00 request\n" + 1_000 * "!",
    "at": 1_767_623_400_000_000,
    "symbol": "XYZ",
    "side": "buy",
    "qty": "100",
    "limit_price": "10",
}
READER = Reader(ids_per_symbol=False)


@pytest.mark.parametrize(
    "change",
    [
        {"execution_id": "e\x00"},
        {"execution_id": "e\ud800"},
        {"execution_id": "e" * 129},
        {"venue_id": "v\n"},
        {"at": 10**19},
        {"at": LATEST},
        {"at": -1},
        {"qty": "1E+200000"},
        {"fee": "0E-200000"},
        {"price": "NaN"},
    ],
    ids=str,
)
def test_what_nobody_can_keep_is_told_as_a_word_about_its_child(change: dict[str, Any]) -> None:
    told = READER.told(EXECUTION | change)
    assert isinstance(told, OrderReport)
    assert illegible(told)
    assert told.child_id == "a"
    assert told.reason is not None
    assert told.reason.isprintable()
    assert len(told.reason) <= 300


@pytest.mark.parametrize(
    "said", [None, 7, {}, {"kind": "order"}, EXECUTION | {"client_id": "\x00"}]
)
def test_what_is_about_nobody_is_left_out(said: Any) -> None:
    assert READER.told(said) is None


def test_a_reason_is_only_words() -> None:
    told = READER.told(ORDER)
    assert isinstance(told, OrderReport)
    assert told.status is ChildStatus.CANCELED
    assert told.reason is not None
    assert told.reason.startswith("by? request?!!")
    assert len(told.reason) == 300


async def test_the_others_of_the_same_answer_are_kept(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open()
    for name in ("a", "b"):
        await acknowledged(broker, ioc(name))
    await rehearsal.hear(broker)
    garbled = broker._reader._execution

    def garble(said: Any) -> ExecutionReport:
        return garbled(said | {"at": 10**19} if said["client_id"] == "a" else said)

    broker._reader._execution = garble
    told = await broker.executions(0)
    assert {r.child_id for r in told if illegible(r)} == {"a"}
    assert {r.child_id for r in told if isinstance(r, ExecutionReport)} == {"b"}
    broker._reader.order = lambda said: READER.order(said | {"at": "soon"})
    found = await broker.lookup("a")
    assert found is not None
    assert illegible(found), "there, and that is not the same as absent"
