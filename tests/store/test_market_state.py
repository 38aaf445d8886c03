"""What the feed's owner tells everybody: time, symbols, quotes, and what cannot be watched."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.session import Session
from app.domain.volume import default_curve
from app.store import accounts, leases, market_state, watched
from app.store.accounts import OtherBroker
from app.store.database import Database
from app.store.leases import Lost
from app.store.market_state import Ticked
from app.store.watched import Told
from tests.domain.tasks import OPEN, SESSION
from tests.store.seeds import enter, fetch, working

D = Decimal
XYZ = Instrument("XYZ", D("0.01"), D(1), D(1), "XNYS")
QUOTE = Quote(D("9.99"), D("10.01"), D(100), D("200.5"), OPEN, OPEN + 1)


async def told(database: Database, symbol: str = "XYZ") -> Told | str | None:
    async with database.connection() as connection:
        return await watched.told(connection, symbol)


async def ask(database: Database, symbol: str = "XYZ") -> None:
    async with database.connection() as connection:
        await market_state.ask(connection, symbol)


async def unanswered(database: Database) -> list[str]:
    async with database.connection() as connection:
        return await market_state.unanswered(connection)


async def watch(database: Database, instrument: Instrument = XYZ) -> None:
    async with database.transaction() as connection:
        await market_state.tell_watched(
            connection, instrument, [SESSION], default_curve(SESSION), D("1E+6"), 0.0157
        )
        tick = Ticked(instrument.symbol, QUOTE, D("10.005"), OPEN + 2)
        await market_state.tell_quotes(connection, [tick])


async def test_from_asked_to_told(database: Database) -> None:
    assert await told(database) is None
    await asyncio.gather(*(ask(database) for _ in range(10)))
    await ask(database, "ABC")
    assert await unanswered(database) == ["ABC", "XYZ"]
    assert await told(database) is None
    await watch(database)
    assert await unanswered(database) == ["ABC"]
    assert await told(database) == Told(
        instrument=XYZ,
        sessions=(SESSION,),
        curve=default_curve(SESSION),
        daily_volume=D("1E+6"),
        quote=QUOTE,
        last=D("10.005"),
        last_at=OPEN + 2,
        volatility=0.0157,
    )


async def test_a_symbol_that_cannot_be_watched_says_why_until_asked_anew(
    database: Database,
) -> None:
    await ask(database)
    async with database.connection() as connection:
        await market_state.refuse(connection, "XYZ", "no such symbol")
    assert await told(database) == "no such symbol"
    assert await unanswered(database) == []
    await ask(database)
    assert await told(database) is None
    assert await unanswered(database) == ["XYZ"]
    await watch(database)
    assert isinstance(await told(database), Told)


async def test_asking_for_what_is_watched_changes_nothing(database: Database) -> None:
    await watch(database)
    before = await fetch(database, "SELECT * FROM watches")
    await ask(database)
    assert await fetch(database, "SELECT * FROM watches") == before


async def test_a_market_without_quotes_yet(database: Database) -> None:
    async with database.transaction() as connection:
        await market_state.tell_watched(connection, XYZ, [], None, None)
    assert await told(database) == Told(XYZ, (), None, None, None, None, None)
    async with database.connection() as connection:
        await market_state.tell_quotes(connection, [Ticked("XYZ", None, D(10), OPEN)])
        await market_state.tell_quotes(connection, [])
    known = await told(database)
    assert isinstance(known, Told)
    assert (known.quote, known.last, known.last_at) == (None, D(10), OPEN)


async def test_an_instrument_told_again_is_the_newest(database: Database) -> None:
    await watch(database)
    finer = replace(XYZ, tick=D("0.0001"), calendar="24/7")
    await watch(database, finer)
    known = await told(database)
    assert isinstance(known, Told)
    assert known.instrument == finer


async def test_a_new_owner_starts_from_what_was_asked_and_what_orders_need(
    database: Database,
) -> None:
    await enter(database)
    done = await working(database, symbol="OLD")
    await fetch(database, "UPDATE orders SET status = 'canceled' WHERE id = $1", done)
    await ask(database, "BAD")
    await ask(database, "NEW")
    async with database.connection() as connection:
        await market_state.refuse(connection, "BAD", "no such symbol")
        assert await market_state.asked_symbols(connection) == ["NEW", "OLD", "XYZ"]
        await connection.execute("DELETE FROM watches WHERE symbol IN ('XYZ', 'OLD')")
        assert await market_state.asked_symbols(connection) == ["NEW", "XYZ"]
        await market_state.forget_watches(connection)
    assert await unanswered(database) == ["BAD", "NEW"]


async def test_market_time(database: Database) -> None:
    async with database.connection() as connection:
        assert await market_state.clock(connection) is None
        assert await market_state.last_market_time(connection) is None
        await market_state.start_clock(
            connection, feed="f", now=OPEN, stepped=True, speed=D("2.5"), held=True
        )
        clock = await market_state.clock(connection)
        assert clock is not None
        assert (clock.feed, clock.now, clock.stepped) == ("f", OPEN, True)
        assert (clock.speed, clock.held) == (D("2.5"), True)
        assert 0 <= clock.age_seconds < 5
        await market_state.set_speed(connection, speed=None, held=False)
        assert await market_state.tell_clock(connection, OPEN + 1) == (D("2.5"), False)
        await market_state.set_speed(connection, speed=D(0), held=None)
        assert await market_state.tell_clock(connection, OPEN + 2) == (D(0), False)
        # Whoever takes over keeps what somebody set.
        await market_state.start_clock(
            connection, feed="g", now=OPEN + 3, stepped=True, speed=D(9), held=True
        )
        clock = await market_state.clock(connection)
        assert clock is not None
        assert (clock.feed, clock.now, clock.speed, clock.held) == ("g", OPEN + 3, D(0), False)
        await connection.execute("UPDATE market_clock SET told_at = told_at - interval '9 s'")
        clock = await market_state.clock(connection)
        assert clock is not None
        assert 9 <= clock.age_seconds < 14
        assert await market_state.last_market_time(connection) == OPEN + 3


async def test_a_restarted_clock_never_goes_behind_a_fact(database: Database) -> None:
    await enter(database)
    await fetch(database, "UPDATE events SET at = at + interval '1 hour'")
    async with database.connection() as connection:
        await market_state.start_clock(
            connection, feed="f", now=OPEN, stepped=True, speed=D(1), held=False
        )
        latest = await market_state.last_market_time(connection)
    assert latest == OPEN + 3_600_000_000


async def test_sessions_come_back_in_order(database: Database) -> None:
    sessions = [Session(OPEN + n * 10**9, OPEN + n * 10**9 + 7) for n in range(3)]
    async with database.transaction() as connection:
        await market_state.tell_watched(connection, XYZ, sessions, None, None)
    known = await told(database)
    assert isinstance(known, Told)
    assert known.sessions == tuple(sessions)


async def test_an_account_never_changes_its_broker(database: Database) -> None:
    async def ensure(broker: str) -> None:
        async with database.connection() as connection:
            await accounts.ensure(connection, account="main", broker=broker)

    outcomes = await asyncio.gather(
        *(ensure(b) for b in ("paper", "paper", "other")), return_exceptions=True
    )
    refused = [o for o in outcomes if isinstance(o, OtherBroker)]
    assert len(refused) in (1, 2)
    broker = (await fetch(database, "SELECT broker FROM accounts"))[0][0]
    await ensure(broker)
    with pytest.raises(OtherBroker, match="main"):
        await ensure("third")


async def test_only_who_owns_the_market_tells_it_and_never_an_earlier_time(
    database: Database,
) -> None:
    async with database.connection() as connection:
        await market_state.start_clock(
            connection, feed="f", now=OPEN, stepped=False, speed=D(1), held=False
        )
        old = await leases.claim(connection, name="market", owner="w1")
        assert old is not None
        await market_state.tell_clock(connection, OPEN + 5, old)
        await market_state.tell_clock(connection, OPEN + 3, old)
        clock = await market_state.clock(connection)
        assert clock is not None
        assert clock.now == OPEN + 5
        await connection.execute("UPDATE leases SET until = clock_timestamp() - interval '1 ms'")
        with pytest.raises(Lost):
            await market_state.tell_clock(connection, OPEN + 6, old)
        new = await leases.claim(connection, name="market", owner="w2")
        assert new is not None
        with pytest.raises(Lost):
            await market_state.tell_clock(connection, OPEN + 7, old)
        await market_state.tell_clock(connection, OPEN + 8, new)
        clock = await market_state.clock(connection)
    assert clock is not None
    assert clock.now == OPEN + 8


async def test_accounts_that_nobody_works_are_found(database: Database) -> None:
    async def deserted(*served: str, free: float = 0.05) -> dict[str, int]:
        async with database.connection() as connection:
            return await accounts.deserted(connection, served=served, free_seconds=free)

    await enter(database)
    account = (await fetch(database, "SELECT account FROM orders"))[0][0]
    assert await deserted() == {account: 1}
    assert await deserted(account) == {}
    async with database.connection() as connection:
        await leases.claim(connection, name=f"desk:{account}", owner="w", seconds=0.05)
        assert await deserted() == {}
        await asyncio.sleep(0.15)
        # Only just orphaned: whoever takes over may be on the way.
        assert await deserted(free=60) == {}
    assert await deserted() == {account: 1}
    await fetch(database, "UPDATE orders SET status = 'canceled'")
    assert await deserted() == {}


async def test_what_lasts_is_read_once_and_anew_when_it_was_told_anew(database: Database) -> None:
    await ask(database)
    await watch(database)
    async with database.connection() as connection:
        first = await watched.told(connection, "XYZ")
        assert isinstance(first, Told)
        async with database.transaction() as telling:
            tick = Ticked("XYZ", replace(QUOTE, bid=D("9.98")), D(10), OPEN + 3)
            await market_state.tell_quotes(telling, [tick])
        again = await watched.told(connection, "XYZ", first)
        assert isinstance(again, Told)
        assert again == await watched.told(connection, "XYZ")
        assert again.quote is not None
        assert again.quote.bid == D("9.98")
        assert again.curve is first.curve
        assert again.sessions is first.sessions
        later = replace(SESSION, closes_at=SESSION.closes_at - 1)
        async with database.transaction() as telling:
            await market_state.tell_watched(
                telling, replace(XYZ, tick=D("0.05")), [later], None, D(7), 0.02
            )
        anew = await watched.told(connection, "XYZ", again)
        assert isinstance(anew, Told)
        assert anew == await watched.told(connection, "XYZ")
        found = (anew.sessions, anew.curve, anew.instrument.tick, anew.daily_volume)
        assert found == ((later,), None, D("0.05"), D(7))
