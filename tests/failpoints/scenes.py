"""What brings a process to each place: an order at work, and the one blow it is told to take.

Each scene arms a fresh process, has it killed at the place, starts it again without the failpoint,
and sees the order to its end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import asyncpg

from app.domain.identity import child_id
from tests.failpoints.ears import Ears
from tests.failpoints.forks import Process
from tests.failpoints.house import ACCOUNT, PARTIAL, House

REACHED_SECONDS = 15.0
LATEST_PASS = 4
"""So many orders are worked one after the other, and each passes every hot place."""

STRAY = 40
"""The number of a child that our journal lost."""

SOLD = {"symbol": "ACME", "side": "sell", "qty": "5", "algo": "market"}
TOGETHER_SECONDS = 0.3
"""By then two requests have come in."""

BUSTED = "SELECT FROM fills WHERE order_id = $1 AND busted_at IS NOT NULL"
ADOPTED = "SELECT FROM children WHERE id = $1 AND adopted AND filled = $2"
HELD_UP = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'idempotency'::regclass"
NAMED = (
    "SELECT client_order_id FROM orders WHERE client_order_id = ANY($1) ORDER BY client_order_id"
)
LONG_AGO = "UPDATE leases SET free_since = clock_timestamp() - interval '2 minutes'"

Scene = Callable[[House, str], Awaitable[None]]


class NotReached(AssertionError):
    """The scene ran, and the process was not killed where it should have been."""


async def killed(
    house: House, role: str, place: str, seen: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Wait for the blow, look at what is `seen` then, and start the process again without it."""
    process: Process | None = getattr(house, role)
    assert process is not None, "it was begun"
    if not await asyncio.to_thread(process.wait_killed, REACHED_SECONDS):
        raise NotReached(f"{place} in the {role}\n{house.logs()}")
    if seen is not None:
        await seen()
    if role == "api":
        await house.begin("api")
    else:
        house.start("worker")


async def filled(house: House, order_id: str) -> None:
    done = await house.done(order_id)
    assert (done["status"], done["filled"]) == ("filled", done["qty"]), done
    await house.books_are_right()


async def canceled(house: House, order_id: str) -> None:
    """Ask for the end and wait for it."""
    answer = await house.ask("DELETE", f"/orders/{order_id}")
    assert answer.status_code in (202, 409), answer.text
    assert (await house.done(order_id))["status"] in ("canceled", "filled")
    await house.books_are_right()


async def resting(house: House) -> str:
    """An order with a child that finds nobody until it is canceled."""
    house.venue.change(ACCOUNT, misses=1.0)
    return await house.order(symbol="ACME", side="buy", qty="60", algo="limit", limit_price="50.00")


async def settle(house: House) -> None:
    """The venue as it was, and everybody there for the next scene."""
    house.venue.change(ACCOUNT, misses=0.0, partial=PARTIAL, chances={"cut_before": 0.0})


async def work(house: House, point: str) -> None:
    """An order worked to its end, some of it in parts; for a later pass, one after another."""
    await house.begin("worker", point)
    orders = LATEST_PASS if ":" in point else 1

    async def trade() -> None:
        for _ in range(orders):
            order_id = await house.order(symbol="GLOBEX", side="buy", qty="20", algo="market")
            done = await house.done(order_id)
            assert (done["status"], done["filled"]) == ("filled", "20"), done

    trading = asyncio.create_task(trade())
    await killed(house, "worker", point)
    await trading
    await house.books_are_right()


async def entering(house: House, point: str) -> None:
    """An order entered through an API that dies; asked again by its key, it is there once."""
    await house.begin("api", point)
    name = f"mine-{point}"
    order = asyncio.create_task(house.order(client_order_id=name, **SOLD))
    await killed(house, "api", point)
    await filled(house, await order)
    assert await named(house, name) == [name]


async def entering_beside(house: House, point: str) -> None:
    """A plain and a keyed order in one batch of an API that dies when the first is committed and
    the other is not; asked again, by its name and by its key, each is there once."""
    await house.begin("api", point)
    names = [f"plain-{point}", f"keyed-{point}"]
    blocker = await asyncpg.connect(house.url)
    try:
        async with blocker.transaction():
            # What arrives while a keyed order is held up is the next batch.
            await blocker.execute("LOCK idempotency IN EXCLUSIVE MODE")
            orders = [asyncio.create_task(house.order(**SOLD))]
            async with asyncio.timeout(REACHED_SECONDS):
                while not await house.rows(HELD_UP):
                    await asyncio.sleep(0.02)
            for name in names:
                keyed = name.startswith("keyed")
                order = house.order(keyed=keyed, client_order_id=name, **SOLD)
                orders.append(asyncio.create_task(order))
            await asyncio.sleep(TOGETHER_SECONDS)
    finally:
        await blocker.close()
    await killed(house, "api", point, seen=lambda: between(house, names))
    for order in orders:
        await filled(house, await order)
    assert await named(house, *names) == sorted(names)


async def between(house: House, names: list[str]) -> None:
    """Only the first is there."""
    assert await named(house, *names) == names[:1]


async def named(house: House, *names: str) -> list[str]:
    """The names of orders, as often as they are there."""
    found = await house.rows(NAMED, list(names))
    return [row["client_order_id"] for row in found]


async def commanding(house: House, point: str) -> None:
    """A pause asked of an API that dies, and asked again."""
    order_id = await resting(house)
    await house.resting_child(order_id)
    await house.begin("api", point)
    asked = asyncio.create_task(house.ask("POST", f"/orders/{order_id}/pause"))
    await killed(house, "api", point)
    assert (await asked).status_code == 202
    await house.until(order_id, lambda order: order["status"] == "paused")
    await canceled(house, order_id)


async def switching(house: House, point: str) -> None:
    """A kill switch that ends a resting order; who carries it in or out dies."""
    role = "api" if point.partition(":")[0] in ("switch.written", "switch.committed") else "worker"
    order_id = await resting(house)
    await house.resting_child(order_id)
    await house.begin(role, point)
    switch = {"scope": "symbol", "name": "ACME", "level": "cancel", "reason": "drill"}
    asked = asyncio.create_task(house.ask("POST", "/risk/kill-switches", json=switch))
    await killed(house, role, point)
    assert (await asked).status_code in (200, 201), (await asked).text
    done = await house.done(order_id)
    assert (done["status"], done["reason"]) == ("canceled", "kill_switch:symbol:ACME"), done
    released = await house.ask("DELETE", "/risk/kill-switches/symbol/ACME")
    assert released.status_code == 200, released.text
    await house.books_are_right()


async def telling(house: House, point: str) -> None:
    """A subscriber that comes back with its cursor has every event, in order."""
    await house.begin("api", point)
    async with Ears(house) as ears:
        order = asyncio.create_task(house.order(symbol="ACME", side="buy", qty="20", algo="market"))
        await killed(house, "api", point)
        order_id = await order
        await filled(house, order_id)
        rows = await house.rows("SELECT max(seq) AS last FROM events WHERE order_id = $1", order_id)
        await ears.until_heard(order_id, rows[0]["last"])


async def canceling(house: House, point: str) -> None:
    """A resting child that has to be canceled."""
    order_id = await resting(house)
    await house.resting_child(order_id)
    await house.begin("worker", point)
    await house.ask("DELETE", f"/orders/{order_id}")
    await killed(house, "worker", point)
    await canceled(house, order_id)


async def taking_over(house: House, point: str) -> None:
    """A worker that dies as it takes over an open order."""
    order_id = await resting(house)
    await house.resting_child(order_id)
    await house.begin("worker", point)
    await killed(house, "worker", point)
    await canceled(house, order_id)


async def orphaned(house: House, point: str) -> None:
    """An order that nobody had for two minutes, and whose next owner dies as it opens the desk:
    what the order asked for in that case is done all the same."""
    house.venue.change(ACCOUNT, misses=1.0)
    order_id = await house.order(
        symbol="ACME", side="buy", qty="60", algo="limit", limit_price="50.00", on_restart="cancel"
    )
    await house.resting_child(order_id)
    assert house.worker is not None
    await asyncio.to_thread(house.worker.end)
    await house.rows(LONG_AGO)
    await house.begin("worker", point)
    await killed(house, "worker", point)
    done = await house.done(order_id)
    assert (done["status"], done["reason"]) == ("canceled", "on_restart"), done
    await house.books_are_right()


async def giving_back(house: House, point: str) -> None:
    """A worker that dies as it hands its desk over."""
    order_id = await resting(house)
    await house.begin("worker", point)
    child = await house.resting_child(order_id)
    assert house.worker is not None
    await asyncio.to_thread(house.worker.end)
    await killed(house, "worker", point)
    assert await house.resting_child(order_id) == child
    await canceled(house, order_id)


async def missing(house: House, point: str) -> None:
    """A child that the venue never got: proven absent, and another one takes its place."""
    house.venue.change(ACCOUNT, chances={"cut_before": 1.0})
    await house.begin("worker", point)
    order_id = await house.order(symbol="GLOBEX", side="buy", qty="10", algo="market")
    await killed(house, "worker", point)
    house.venue.change(ACCOUNT, chances={"cut_before": 0.0})
    await filled(house, order_id)


async def adopting(house: House, point: str) -> None:
    """A child that the venue works and the journal lost."""
    house.venue.change(ACCOUNT, misses=1.0)
    # No jitter: a slice drawn late in its time rests for a moment only, or crosses at once.
    order_id = await house.order(
        symbol="ACME",
        side="buy",
        qty="60",
        algo="twap",
        duration="60s",
        params={"slices": 2, "jitter": "0", "patience": "25"},
    )
    await house.resting_child(order_id)
    assert house.worker is not None
    await asyncio.to_thread(house.worker.end)
    house.venue.change(ACCOUNT, misses=0.0, partial=0.0)
    lost = child_id(order_id, STRAY)
    price = (await house.rows("SELECT price FROM children WHERE order_id = $1", order_id))[0][0]
    house.venue.enter(ACCOUNT, lost, "ACME", "buy", Decimal(3), price)
    await house.begin("worker", point)
    await killed(house, "worker", point)
    async with asyncio.timeout(REACHED_SECONDS):
        while not await house.rows(ADOPTED, lost, Decimal(3)):
            await asyncio.sleep(0.05)
    await canceled(house, order_id)


async def busting(house: House, point: str) -> None:
    """An execution that is declared void after its order was over."""
    order_id = await house.order(symbol="GLOBEX", side="buy", qty="4", algo="market")
    await filled(house, order_id)
    child = (await house.rows("SELECT id FROM children WHERE order_id = $1", order_id))[0]["id"]
    await house.begin("worker", point)
    await house.resting_child(await resting(house))
    house.venue.happen(ACCOUNT, "bust", child)
    await killed(house, "worker", point)
    async with asyncio.timeout(REACHED_SECONDS):
        while not await house.rows(BUSTED, order_id):
            await asyncio.sleep(0.05)
    open_ = await house.rows("SELECT id FROM orders WHERE status = 'working'")
    await canceled(house, open_[0]["id"])
