"""The answer to an order is made of what was sent to the database: it must be what lies there."""

from app.domain.identity import order_key
from app.store import intake
from app.store.database import Database
from app.store.intake import Accepted
from tests.domain.tasks import OPEN
from tests.store.seeds import an_arrival, row_of


async def test_an_entered_order_reads_as_its_row(database: Database) -> None:
    arrival = an_arrival(
        tags=["a", 'quote " and \\ slash', "ü"],
        strategy=None,
        body_sha256=b"\x00\xff" * 16,
        **dict.fromkeys(("start_at", "anchor_at", "session_opens_at"), OPEN),
        **dict.fromkeys(("end_at", "session_closes_at"), OPEN + 1),
        accepted_at=OPEN + 123_456,
        arrival_bid=None,
    )
    (verdict,) = await intake.insert(database, [arrival])
    assert isinstance(verdict, Accepted)
    assert dict(verdict.row) == dict(await row_of(database, arrival.order["id"]))


async def test_an_order_whose_key_is_taken_leaves_no_event(database: Database) -> None:
    first, other = an_arrival(), an_arrival()
    taken = order_key(first.order["id"])
    await intake.insert(database, [first])
    third = an_arrival()
    verdicts = await intake.insert(
        database,
        [type(other)(other.order | {"key": taken}, other.event), third],
    )
    assert [type(v).__name__ for v in verdicts] == ["Clash", "Accepted"]
    async with database.connection() as connection:
        told = await connection.fetch("SELECT order_id FROM events")
    assert {r["order_id"] for r in told} == {first.order["id"], third.order["id"]}
