"""What Alpaca tells becomes a tape: grown without being rewritten, and corrected."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import HOUR, MINUTE, SECOND, Instant, from_datetime
from app.domain.tape import QUOTE_COLUMNS, TRADE_COLUMNS, Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.feeds.alpaca.growing import SUMS, Growing
from app.feeds.alpaca.kept import UNSURE, Kept
from app.feeds.alpaca.reading import (
    PRICE_SCALE,
    Corrected,
    Level,
    Print,
    Struck,
)

T: Instant = from_datetime(datetime(2026, 11, 20, 15, tzinfo=UTC))

# Growing

moments = st.integers(0, 50).map(lambda n: T + n * SECOND)
prints = st.builds(Print, st.integers(1, 9), moments, st.integers(1, 99), st.integers(1, 9))
levels = st.builds(
    Level, moments, *(st.integers(1, 20), st.integers(21, 40), st.integers(1, 3), st.integers(1, 3))
)


def columns(tape: Tape) -> dict[str, list[int]]:
    names = (*QUOTE_COLUMNS, *TRADE_COLUMNS, *SUMS)
    return {name: getattr(tape, name).tolist() for name in names}


@given(st.lists(prints | levels, max_size=60))
def test_a_grown_tape_is_the_tape_of_all_its_rows(rows: list[Print | Level]) -> None:
    growing = Growing.empty("A", T)
    rows = sorted(rows, key=lambda row: row.at)
    for row in rows:
        if isinstance(row, Print):
            growing.trade(row, row.at)
        else:
            growing.quote(row, row.at)
    grown = growing.reach(T + MINUTE)
    trades = [row for row in rows if isinstance(row, Print)]
    quotes = [row for row in rows if isinstance(row, Level)]
    built = build_tape(
        "A",
        price_scale=PRICE_SCALE,
        size_scale=1,
        since=T,
        until=T + MINUTE,
        trades=Trades(
            np.array([t.at for t in trades], dtype=np.int64),
            np.array([t.price for t in trades], dtype=np.int64),
            np.array([t.size for t in trades], dtype=np.int64),
        ),
        quotes=Quotes(
            *(
                np.array([getattr(q, name) for q in quotes], dtype=np.int64)
                for name in ("at", "bid", "ask", "bid_size", "ask_size")
            )
        ),
    )
    mine, theirs = columns(grown), columns(built)
    for name in set(mine) - {"bid_at", "ask_at"}:
        assert mine[name] == theirs[name], name


def test_a_side_speaks_when_it_changes_and_both_when_nothing_does() -> None:
    growing = Growing.empty("A", T)
    said = [(T, 10, 12), (T + 1, 10, 13), (T + 2, 11, 13), (T + 3, 11, 13)]
    for at, bid, ask in said:
        growing.quote(Level(at, bid, ask, 1, 1), at + 5)
    tape = growing.reach(T + 9)
    assert (tape.bid_at - T).tolist() == [0, 0, 2, 3]
    assert (tape.ask_at - T).tolist() == [0, 1, 1, 3]


def test_a_tape_given_out_stays_what_it_was() -> None:
    growing = Growing.empty("A", T)
    given_out = []
    for n in range(3_000):
        growing.trade(Print(n + 1, T + n, 100, 2), T + n)
        given_out.append(growing.reach(T + n))
    for n in (0, 1, 1_023, 1_024, 2_048, 2_999):
        tape = given_out[n]
        assert (len(tape.trade_at), int(tape.cum_volume[-1])) == (n + 1, 2 * (n + 1))
        assert not tape.trade_at.flags.writeable
    trimmed = growing.trimmed(T + 1_000)
    assert trimmed.reach(T + 3_000).traded(T + 999, T + 3_000).volume == 2 * 2_000
    assert trimmed.keys.tolist() == list(range(1_000, 3_001))


# Keeping


def kept() -> Kept:
    return Kept("A", T)


def a_print(key: int, at: Instant, size: int = 5) -> Print:
    return Print(key, at, 1_000_000, size)


@given(
    st.lists(
        st.tuples(st.lists(prints | levels, max_size=5), st.booleans()), min_size=1, max_size=15
    )
)
def test_whatever_arrives_when_the_told_past_stays(
    turns: list[tuple[list[Print | Level], bool]],
) -> None:
    keeping, now = kept(), T
    number = 100
    for rows, carried in turns:
        before = keeping.tape
        for row in rows:
            number += 1
            keeping.hear(Print(number, row.at, 5, 5) if isinstance(row, Print) else row)
        now += 3 * SECOND
        keeping.publish(now, carried=carried)
        tape = keeping.tape
        assert before.until <= tape.until <= now
        assert carried is False or tape.until == now
        for name, column in columns(before).items():
            assert columns(tape)[name][: len(column)] == column
        fresh = [*tape.trade_at[len(before.trade_at) :], *tape.quote_at[len(before.quote_at) :]]
        assert all(before.until < at <= tape.until for at in fresh)
        for name in ("quote_at", "bid_at", "ask_at", "trade_at"):
            assert (np.diff(getattr(tape, name)) >= 0).all()


def test_what_stream_and_history_both_tell_counts_once() -> None:
    keeping = kept()
    keeping.hear(a_print(1, T + 1))
    keeping.publish(T + SECOND, carried=True)
    keeping.hear(a_print(2, T + SECOND + 1))
    rows = [a_print(n, T + n) for n in (1, 2, 3)]
    assert [told.key for told in keeping.learn(rows, T + 2 * SECOND)] == [3]
    assert not keeping.hear(a_print(3, T + 3))
    keeping.publish(T + 2 * SECOND, carried=True)
    assert keeping.tape.traded(T, T + HOUR).volume == 15


def test_minutes_of_history_are_never_taken_for_each_other() -> None:
    keeping = kept()
    keeping.learn([a_print(0, T + 1), a_print(0, T + 2)], T + SECOND)
    keeping.publish(T + SECOND, carried=False)
    assert keeping.tape.traded(T, T + HOUR).volume == 10


def test_while_the_line_is_down_the_tape_is_known_no_further() -> None:
    """What history tells afterwards finds its true place."""
    keeping = kept()
    keeping.publish(T + SECOND, carried=True)
    keeping.publish(T + 9 * SECOND, carried=False)
    assert keeping.tape.until == T + SECOND
    assert keeping.unsure_from == T
    keeping.learn([a_print(1, T + 4 * SECOND)], T + 8 * SECOND)
    keeping.publish(T + 9 * SECOND, carried=False)
    assert keeping.tape.until == T + 8 * SECOND
    assert keeping.tape.trade_at.tolist() == [T + 4 * SECOND]
    assert keeping.unsure_from == T + 8 * SECOND - UNSURE


def test_corrections_change_what_counts_and_not_what_was_given_out() -> None:
    keeping = kept()
    for n in range(1, 5):
        keeping.hear(a_print(n, T + n))
    keeping.publish(T + SECOND, carried=True)
    before = keeping.tape
    keeping.hear(Struck(2))
    keeping.hear(Corrected(3, Print(30, T + 3, 2_000_000, 1)))
    keeping.hear(Struck(99))
    # A trade and its cancel in one breath.
    keeping.hear(a_print(5, T + SECOND + 1))
    keeping.hear(Struck(5))
    keeping.publish(T + 2 * SECOND, carried=True)
    after = keeping.tape
    assert before.traded(T, T + HOUR).volume == 20
    assert after.traded(T, T + HOUR).volume == 5 + 1 + 5
    assert after.traded(T, T + HOUR).notional == 500 + 200 + 500
    assert after.trade_at.tolist() == [T + 1, T + 3, T + 4]
    assert after.cum_volume.tolist() == [0, 5, 6, 11]
    keeping.hear(Corrected(30, None))
    keeping.publish(T + 3 * SECOND, carried=True)
    assert keeping.tape.traded(T, T + HOUR).volume == 10


def test_the_last_trade_before_the_tape_is_a_price_and_no_volume() -> None:
    keeping = kept()
    keeping.begin(a_print(1, T - HOUR))
    keeping.hear(a_print(2, T + 5))
    keeping.publish(T + SECOND, carried=True)
    assert keeping.tape.last(T) == (Decimal(100), T - HOUR)
    assert keeping.tape.traded(T - 2 * HOUR, T + HOUR).volume == 5
    # Reaching back beyond it, it counts, once.
    keeping.precede([a_print(1, T - HOUR), a_print(0, T - 1)], T - 2 * HOUR)
    assert keeping.tape.since == T - 2 * HOUR
    assert keeping.tape.traded(T - 2 * HOUR, T + HOUR).volume == 15
    assert keeping.tape.trade_at.tolist() == [T - HOUR, T - 1, T + 5]
    keeping.trim(T)
    assert keeping.tape.traded(T - 2 * HOUR, T + HOUR).volume == 5


def test_what_the_line_tells_after_a_gap_does_not_fill_it() -> None:
    """However long history takes to answer, it is asked for all of it."""
    kept = Kept("A", T)
    kept.hear(Print(1, T + 5 * SECOND, 10, 1))
    kept.doubt()
    for second in range(20, 40):
        kept.hear(Print(second, T + second * SECOND, 10, 1))
    kept.doubt()
    assert kept.unsure_from == T + 5 * SECOND - UNSURE
    kept.learn([Print(3, T + 8 * SECOND, 10, 1)], T + 40 * SECOND)
    kept.settle()
    assert kept.unsure_from == T + 40 * SECOND - UNSURE
