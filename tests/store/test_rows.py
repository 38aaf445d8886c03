"""Domain to row to domain: nothing is lost, no digit and no microsecond."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.algorithm import Kind, complete
from app.domain.algos import BY_NAME
from app.domain.dynamics import Dynamics
from app.domain.execution import Child, Crossing, Execution, accepted, rung_of
from app.domain.fact import Moved, Purpose, TimeInForce
from app.domain.identity import child_id, order_key
from app.domain.instant import DAY, Instant
from app.domain.lifecycle import ORDER_DONE, ChildStatus, OrderStatus
from app.domain.quantity import Side
from app.domain.refusal import Refusal
from app.domain.session import Session
from app.domain.task import Anchor, Policy, Task
from app.domain.volume import VolumeCurve, default_curve
from app.engine.ids import new_id
from app.store import intake, journal, rows
from app.store.arrival import Accepted
from app.store.database import Database, connect
from app.store.journal_write import Draft, persist
from tests.domain.tasks import ALWAYS, OPEN, SESSION, a_task
from tests.store.histories import UNSHRUNK
from tests.store.seeds import ACCOUNT, an_arrival, fetch, know, task

CENTURY: Instant = 100 * 365 * DAY
instants = st.integers(1, CENTURY)
amounts = st.decimals(min_value=0, max_value=10**15, places=12)
positive = st.decimals(min_value=Decimal("1E-12"), max_value=10**15, places=12)
fractions = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("0.9999"), places=4)
words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)
printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@st.composite
def parameters(draw: st.DrawFn, algo: str) -> dict[str, Any]:
    """Parameters of an algorithm, each left out or within its bounds."""
    given: dict[str, Any] = {}
    for parameter in BY_NAME[algo].parameters:
        low, high = parameter.minimum or 0, parameter.maximum or 10**9
        match parameter.kind:
            case Kind.INTEGER:
                some = st.integers(int(low), int(high))
            case Kind.DECIMAL | Kind.SECONDS:
                # Enough places that there is a number between the bounds.
                least = max(0, -Decimal(low).as_tuple().exponent)
                some = st.decimals(low, high, places=draw(st.integers(least, 12)))
            case Kind.CHOICE:
                some = st.sampled_from(parameter.choices)
            case Kind.TEXT:
                some = st.text("abc€ü -_'\"\\%$1", min_size=1, max_size=64)
        if draw(st.booleans()):
            given[parameter.name] = draw(some)
    return given


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    algo = draw(st.sampled_from(sorted(BY_NAME)))
    session = draw(st.sampled_from([SESSION, ALWAYS]))
    start = draw(instants)
    shares = draw(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=5))
    edges = tuple(range(len(shares) + 1))
    dynamics = Dynamics(draw(st.none() | st.floats(1, 1e12)), *(draw(st.floats(0, 1)),) * 5)
    bent = draw(st.sampled_from([None, dynamics]))
    curve = VolumeCurve(edges, tuple(shares), draw(st.booleans()), draw(words), bent)
    made = a_task(algo, params=draw(parameters(algo)), side=draw(st.sampled_from(Side)))
    opens = draw(instants)
    return made._replace(
        order_id=new_id(),
        account=ACCOUNT,
        qty=draw(positive),
        start=start,
        end=start + draw(st.integers(1, DAY)),
        session=Session(opens, opens + draw(instants)),
        curve=draw(st.sampled_from([curve, default_curve(session)])),
        seed=draw(printable),
        policy=Policy(draw(st.integers(1, 10**15)), draw(positive), draw(st.integers(1, 10**15))),
        limit_price=draw(st.none() | positive),
        max_participation=draw(st.none() | fractions),
    )


@st.composite
def children(draw: st.DrawFn, order_id: str, number: int) -> Child:
    qty = draw(positive)
    return Child(
        id=child_id(order_id, number),
        number=number,
        side=draw(st.sampled_from(Side)),
        qty=qty,
        price=draw(positive),
        purpose=draw(st.sampled_from(Purpose)),
        time_in_force=draw(st.sampled_from(TimeInForce)),
        status=draw(st.sampled_from(ChildStatus)),
        intended_at=draw(instants),
        quote_at=draw(instants),
        filled=draw(amounts),
        broker_order_id=draw(st.none() | words),
        cancel_requested_at=draw(st.none() | instants),
        reason=draw(st.none() | words),
    )


@st.composite
def executions(draw: st.DrawFn) -> tuple[Execution, dict[str, Child]]:
    """Any state that a row can hold; the parts of the quantity fit into the whole."""
    of = draw(tasks())
    status = draw(st.sampled_from(OrderStatus))
    parts = [draw(amounts) for _ in range(4)]
    if status in ORDER_DONE:
        parts[1] = parts[2] = Decimal(0)
    crossing = st.builds(Crossing, instants, st.none() | instants)
    numbers = range(1, draw(st.integers(1, 5)))
    all_children = {c.id: c for c in (draw(children(of.order_id, n)) for n in numbers)}
    execution = Execution(
        task=of,
        status=status,
        anchor=Anchor(draw(instants), draw(amounts)),
        reason=draw(st.none() | words),
        filled=parts[0],
        working=parts[1],
        unknown=parts[2],
        canceled=parts[3],
        excess=sum(parts, Decimal(0)),
        children=tuple(c for c in all_children.values() if c.live),
        next_child=draw(st.integers(1, 36**4)),
        pause_requested=draw(st.booleans()),
        cancel_reason=draw(st.none() | words),
        crossing=draw(st.none() | crossing),
        rung=rung_of(all_children.values()),
        rejections=draw(st.integers(0, 10**6)),
        rejected_at=draw(st.none() | instants),
    )
    return execution, all_children


@given(drawn=executions())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=UNSHRUNK)
async def test_an_execution_comes_back_as_it_went(
    database: Database, drawn: tuple[Execution, dict[str, Child]]
) -> None:
    execution, all_children = drawn
    of = execution.task
    await know(database, of)
    (verdict,) = await intake.insert(database, [an_arrival(of)])
    assert isinstance(verdict, Accepted)
    fresh = rows.execution(verdict.row, [])
    assert fresh.task == of
    async with database.transaction() as connection:
        moved = Moved(OPEN, execution.status)
        draft = Draft(
            verdict.row, execution, all_children, dict(all_children), [(moved, execution)]
        )
        await persist(connection, ACCOUNT, 7, [draft], set())
    async with database.connection() as connection:
        loaded = await journal.load(connection, account=ACCOUNT, order_ids=[of.order_id])
        stored = await connection.fetch("SELECT * FROM children WHERE order_id = $1", of.order_id)
    assert loaded == {of.order_id: (execution, 2)}
    assert {row["id"]: rows.child(row) for row in stored} == all_children
    assert {row["epoch"] for row in stored} <= {7}


@given(algo=st.sampled_from(sorted(BY_NAME)), data=st.data())
@settings(max_examples=60, deadline=None)
def test_parameters_survive_json(algo: str, data: st.DataObject) -> None:
    params = complete(BY_NAME[algo], data.draw(parameters(algo)))
    again = complete(BY_NAME[algo], rows.plain_params(params))
    assert again == params
    assert {k: type(v) for k, v in again.items()} == {k: type(v) for k, v in params.items()}


def test_every_parameter_that_is_accepted_can_be_loaded() -> None:
    # Without its exponent, as it is stored, the first is 40 characters long, the second 47.
    given = {"max_child": Decimal("1." + "1" * 26 + "E-12")}
    params = complete(BY_NAME["twap"], given)
    assert complete(BY_NAME["twap"], rows.plain_params(params)) == params
    with pytest.raises(Refusal, match="too many digits"):
        complete(BY_NAME["twap"], {"max_child": Decimal("1." + "1" * 33 + "E-12")})


EDGES = [0, 1, -1, 946_684_800_000_000, 946_684_799_999_999, CENTURY, -CENTURY, 2**52 + 1, 2**55]


async def test_instants_are_exact_to_the_microsecond(database: Database) -> None:
    async with database.connection() as connection:
        for instant in EDGES:
            assert await connection.fetchval("SELECT $1::timestamptz", instant) == instant
            text = await connection.fetchval(
                "SELECT round(extract(epoch FROM $1::timestamptz) * 1000000)::bigint", instant
            )
            assert text == instant
        assert await connection.fetchval("SELECT $1::timestamptz[]", EDGES) == EDGES
        assert await connection.fetchval("SELECT $1::timestamptz", None) is None


DIGITS = ["0.1", "1E-12", "123456789012345.123456789012", "1E+15", "100.00", "-7", "0"]


async def test_decimals_are_exact_everywhere(database: Database) -> None:
    numbers = [Decimal(text) for text in DIGITS]
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::numeric[]", numbers) == numbers
        for number in numbers:
            assert await connection.fetchval("SELECT $1::numeric", number) == number
            # On the way in through JSON (`intake`), a decimal is a string.
            stored = await connection.fetchval("SELECT $1::jsonb", {"a": number})
            assert stored == {"a": format(number, "f")}
            assert await connection.fetchval("SELECT ($1::jsonb->>'a')::numeric", stored) == number
        for foreign in (float("nan"), object()):
            with pytest.raises(asyncpg.DataError, match="JSON"):
                await connection.fetchval("SELECT $1::jsonb", {"a": foreign})


async def test_every_connection_speaks_the_domains_types(database: Database) -> None:
    alone = await connect(database.url)
    try:
        zone = await alone.fetchval("SHOW timezone")
        assert (zone, await alone.fetchval("SELECT $1::timestamptz", 5)) == ("UTC", 5)
        assert await alone.fetchval("SHOW idle_in_transaction_session_timeout") == "2s"
        assert await alone.fetchval("SHOW transaction_isolation") == "read committed"
    finally:
        await alone.close()
    of = task()
    await know(database, of)
    (verdict,) = await intake.insert(database, [an_arrival(of)])
    assert isinstance(verdict, Accepted)
    assert verdict.row["id"] == of.order_id
    assert verdict.row["key"] == order_key(of.order_id)
    assert [r["id"] for r in await fetch(database, "SELECT id FROM orders")] == [of.order_id]


def test_a_curve_from_before_dynamics_is_still_read() -> None:
    curve = VolumeCurve((0, 1, 2), (0.25, 0.75), False, "history:3d")
    stored = rows.curve_to_json(curve)
    assert "dynamics" not in stored
    assert rows.curve_from_json(stored) == curve
    newer = rows.curve_to_json(replace(curve, dynamics=Dynamics(1e6, 0.1, 0.2, 0.3, 0.8, 0.5)))
    told = newer | {"dynamics": newer["dynamics"] | {"of_a_later_release": 1}}
    assert rows.curve_from_json(told) == rows.curve_from_json(newer) != curve


def test_whatever_facts_change_is_named_where_it_is_written() -> None:
    """What a statement names and nobody hands in would become null."""
    assert tuple(rows.accrued_to_json(accepted(task()))) == rows.ACCRUED
