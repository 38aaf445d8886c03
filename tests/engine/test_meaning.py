"""What a signal comes to, wherever the account stands."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.mode import Mode
from app.domain.quantity import Side
from app.domain.standing import Pending, Standing
from app.engine.meaning import meaning
from app.engine.signal import Signal, Sizing
from app.engine.sizing import Closed, Meant

LOT = Decimal(1)
QTY = st.integers(1, 500).map(Decimal)
SIGNED = st.integers(-500, 500).map(Decimal)
PENDING = st.lists(
    st.tuples(
        st.sampled_from(Side), QTY, st.sampled_from([(True, False), (True, True), (False, True)])
    ),
    max_size=4,
).map(lambda found: tuple(Pending(f"o{n}", a, b, *c) for n, (a, b, c) in enumerate(found)))
STANDING = st.builds(Standing, own=SIGNED, outside=SIGNED, pending=PENDING)
MODES = st.sampled_from([Mode.LIVE, Mode.CANARY])


def meant(signal: Signal, standing: Standing, mode: Mode = Mode.LIVE) -> Meant | Closed:
    return meaning(signal, standing, lot=LOT, price=None, mode=mode)


def target(position: Decimal, side: Side | None = None) -> Signal:
    return Signal("main", "t", None, "ACME", side, position, Sizing.TARGET)


@given(STANDING, SIGNED)
def test_a_target_is_met_once_what_is_against_it_has_ended(
    standing: Standing, position: Decimal
) -> None:
    found = meant(target(position), standing)
    if isinstance(found, Closed):
        assert standing.headed == position
        return
    left = standing.without(found.recall)
    assert left.headed + found.side.sign * found.qty == position
    if found.qty:
        assert left.against(found.side) == ()


@given(STANDING, st.one_of(SIGNED.map(target), st.builds(target, SIGNED, st.sampled_from(Side))),
       MODES)  # fmt: skip
def test_what_takes_back_never_leads_through_zero(
    standing: Standing, signal: Signal, mode: Mode
) -> None:
    found = meant(signal, standing, mode)
    if isinstance(found, Closed) or not found.back:
        return
    sign = 1 if standing.held > 0 else -1
    assert found.side.sign == -sign
    left = standing.without(found.recall)
    same_side = sum(o.left for o in left.pending if o.side is found.side)
    assert sign * standing.held >= found.back + same_side
    assert 0 <= found.back <= found.qty
    assert signal.side in (None, found.side)


@given(STANDING, QTY, st.sampled_from(Side), MODES)
def test_an_exit_takes_back_its_own_side_and_no_more_than_there_is(
    standing: Standing, qty: Decimal, side: Side, mode: Mode
) -> None:
    signal = Signal("main", "t", None, "ACME", side, qty, only_back=True)
    found = meant(signal, standing, mode)
    if isinstance(found, Closed) or not found.qty:
        return
    assert found.side is side
    assert found.qty <= min(qty, -side.sign * standing.held)
    assert found.only_back


def test_what_is_on_the_trades_side_goes_on() -> None:
    pending = (Pending("buys", Side.BUY, Decimal(100)), Pending("sells", Side.SELL, Decimal(50)))
    found = meant(target(Decimal(100)), Standing(pending=pending))
    assert isinstance(found, Meant)
    assert (found.qty, found.recall) == (0, ("sells",))


def test_what_only_reduces_counts_as_far_as_there_is_something_to_reduce() -> None:
    """A flat whose order is not over yet, though nothing is left to take back."""
    over = Pending("o", Side.SELL, Decimal(300), reduces=True)
    assert isinstance(meant(target(Decimal(0)), Standing(pending=(over,))), Closed)
    half = Standing(own=Decimal(100), pending=(over,))
    assert isinstance(meant(target(Decimal(0)), half), Closed)


@given(STANDING, QTY, st.sampled_from(Side), MODES)
def test_a_size_is_sent_whole_or_scaled_and_ends_nothing(
    standing: Standing, qty: Decimal, side: Side, mode: Mode
) -> None:
    found = meant(Signal("main", "t", None, "ACME", side, qty), standing, mode)
    assert isinstance(found, Meant)
    assert (found.side, found.recall) == (side, ())
    assert found.qty == qty or (mode is Mode.CANARY and found.scaled and found.qty < qty)
