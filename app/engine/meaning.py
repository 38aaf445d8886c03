"""What a signal comes to where the account stands: a side, a quantity, and how much of it only
takes a position back."""

from dataclasses import replace
from decimal import Decimal

from app.domain.mode import CANARY, Mode
from app.domain.quantity import ZERO, Side, floor_to, is_multiple
from app.domain.refusal import Refusal
from app.domain.standing import Standing
from app.engine.signal import Signal, Sizing
from app.engine.sizing import Closed, Meant, shared


def meaning(
    signal: Signal, standing: Standing, *, lot: Decimal, price: Decimal | None, mode: Mode
) -> Meant | Closed:
    """Side and quantity. `price` is needed for money alone. Raises Refusal for a size that is
    none."""
    if signal.sizing is Sizing.TARGET:
        return _towards(signal, standing, lot, mode)
    assert signal.side is not None, "only a target needs no side"
    qty = _quantity(signal, lot, price)
    if signal.only_back:
        return _back(replace(signal, size=qty), standing, lot, mode)
    room = floor_to(standing.room(signal.side), lot)
    if qty <= room or mode is not Mode.CANARY:
        return _split(standing, signal.side, qty, lot)
    share = shared(qty, lot)
    if not min(share, room):
        # The gates are asked about the whole size, as they will be once it is sent.
        return Meant(signal.side, qty)
    return replace(_split(standing, signal.side, share, lot), scaled=True)


def _quantity(signal: Signal, lot: Decimal, price: Decimal | None) -> Decimal:
    if signal.sizing is Sizing.NOTIONAL:
        assert price is not None, "money is counted at the market's price"
        return floor_to(signal.size / price, lot)
    if signal.size <= 0 or not is_multiple(signal.size, lot):
        raise Refusal("wrong_lot", f"size must be a whole multiple of {lot}", field="size")
    return signal.size


def _back(signal: Signal, standing: Standing, lot: Decimal, mode: Mode) -> Meant | Closed:
    """A quantity that only takes back: at most what there is, and all of it with what is on its
    way where that is not more."""
    assert signal.side is not None, "it names what it takes back"
    if signal.size >= -signal.side.sign * standing.headed:
        whole = replace(signal, sizing=Sizing.TARGET, size=ZERO)
        found = _towards(whole, standing, lot, mode)
        if isinstance(found, Meant) and found.qty > signal.size:
            return replace(found, qty=signal.size, back=signal.size)
        return found
    qty = min(signal.size, floor_to(standing.room(signal.side), lot))
    return _split(standing, signal.side, qty, lot) if qty else _nothing(signal, standing)


def _towards(signal: Signal, standing: Standing, lot: Decimal, mode: Mode) -> Meant | Closed:
    """What is missing to a target, without what would go on against it."""
    target = signal.size
    if mode is Mode.CANARY:
        target = shared(abs(target), lot).copy_sign(target)
    missing = target - standing.headed
    if not floor_to(abs(missing), lot):
        if signal.size and not target and not standing.headed:
            return Closed("too_small", f"{CANARY:%} of {signal.size:f} are no lot", "mode")
        return Closed("already_there", f"{standing.headed:f} are held or on their way")
    side = _side(missing)
    if signal.side is not None and side is not signal.side:
        # None is there, or what is open takes all of it back already.
        return _nothing(signal, standing)
    recall = standing.against(side)
    left = standing.without(recall)
    if side.sign * (target - left.headed) < 0:
        # Without them the trade turns round: what was on its side is against it now.
        recall = (*recall, *standing.against(side.other))
        left = standing.without(recall)
    missing = target - left.headed
    qty, side = floor_to(abs(missing), lot), _side(missing)
    if signal.side is not None:
        # It takes back, and opens nothing.
        qty = min(qty, floor_to(left.room(side), lot)) if side is signal.side else ZERO
    if not qty and not recall:
        return _nothing(signal, standing)
    scaled = target != signal.size
    return replace(_split(left, side, qty, lot), recall=recall, scaled=scaled)


def _nothing(signal: Signal, standing: Standing) -> Closed:
    what = "long" if signal.side is Side.SELL else "short"
    return Closed("already_there", f"{standing.held:f} are held: no {what} to take back")


def _side(missing: Decimal) -> Side:
    return Side.BUY if missing > 0 else Side.SELL


def _split(standing: Standing, side: Side, qty: Decimal, lot: Decimal) -> Meant:
    back = min(qty, floor_to(standing.room(side), lot))
    return Meant(
        side,
        qty,
        back=back,
        covered=standing.covers(side, back),
        exits=standing.exits if back else (),
    )
