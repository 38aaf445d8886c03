"""One reading of all shapes: what cannot be meant in exactly one way is refused by name."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from app.domain.refusal import Refusal
from app.domain.tradingview import places
from app.domain.tradingview.decode import fingerprint_of, placeholder
from app.domain.tradingview.exits import stop_of, target_of
from app.domain.tradingview.finding import first, values
from app.domain.tradingview.message import LEAVING, Act, Held, Message
from app.domain.tradingview.places import Path
from app.domain.tradingview.values import (
    Json,
    is_placeholder,
    moment,
    number,
    word,
)

Said = Mapping[str, Json]
Value = TypeVar("Value")


def read(said: Said) -> Message:
    """An alert's fields as a message. Raises Refusal, and nothing else, whatever they are."""
    kind = _order_kind(said)
    held, position = _position(said)
    act, sentiment = _act(said), _side(said, places.SENTIMENT)
    # What only takes back has no exits: nothing in their place is to hold it up.
    opens = act not in LEAVING and Held.FLAT not in (held, sentiment)
    return Message(
        shape=places.shape_of(said),
        ticker=_ticker(said),
        exchange=_text(said, places.EXCHANGE, optional=True),
        act=act,
        sentiment=sentiment,
        quantity=_quantity(said),
        in_money=_in_money(said),
        limit_price=_limit(said) if kind == "limit" else None,
        price=_hint(said, places.PRICE),
        stop=stop_of(said) if opens else None,
        target=target_of(said) if opens else None,
        confidence=_confidence(said),
        order_id=_text(said, places.ORDER_ID, optional=True),
        position=position,
        held=held,
        held_before=_side(said, places.HELD_BEFORE),
        made_at=_when(said),
        max_lag=_lag(said),
        own_id=_own_id(said),
        rest=fingerprint_of(said),
    )


def secret_in(said: Said) -> str | None:
    """The passphrase that an alert brings."""
    for _, value in values(said, places.SECRET):
        if isinstance(value, str):
            return value
    return None


def _text(said: Said, paths: Sequence[Path], *, optional: bool = False) -> str | None:
    if optional:
        filled = [(n, v) for n, v in values(said, paths) if not is_placeholder(v)]
        found = filled[0] if filled else None
    else:
        found = first(said, paths)
    return word(found[1], found[0]) if found is not None else None


def _ticker(said: Said) -> str:
    ticker = _text(said, places.TICKER)
    if ticker is None:
        raise Refusal("hook.no_symbol", "the alert names no ticker", field="ticker")
    return ticker.upper()


def _act(said: Said) -> Act | None:
    acts: dict[Act, str] = {}
    for name, value in values(said, places.ACTION):
        if is_placeholder(value):
            raise placeholder(name)
        said_act = word(value, name).lower().replace(" ", "_").replace("-", "_")
        if said_act not in places.ACTS:
            raise Refusal("hook.bad_action", f"{name} is none that is known here", field=name)
        acts.setdefault(places.ACTS[said_act], name)
    return _only(acts)


def _quantity(said: Said) -> Decimal | None:
    found: dict[Decimal, str] = {}
    for name, value in values(said, places.QUANTITY):
        if is_placeholder(value):
            raise placeholder(name)
        quantity = number(value, name)
        if quantity < 0:
            raise Refusal("hook.bad_number", f"{name} is below zero", field=name)
        found.setdefault(quantity, name)
    return _only(found)


def _only(found: Mapping[Value, str]) -> Value | None:
    """The one value; two that differ leave open which is meant."""
    if len(found) > 1:
        names = sorted(found.values())
        raise Refusal("hook.contradiction", f"{names[0]} and {names[1]} differ", field=names[0])
    return next(iter(found), None)


def _in_money(said: Said) -> bool:
    found = first(said, places.QUANTITY_KIND)
    if found is None:
        return False
    kind = word(found[1], found[0]).lower()
    if kind not in places.MONEY | places.UNITS:
        raise Refusal(
            "hook.bad_quantity_type",
            f"{found[0]} must be a quantity or an amount of money",
            field=found[0],
        )
    return kind in places.MONEY


def _order_kind(said: Said) -> str:
    found = first(said, places.ORDER_TYPE)
    kind = word(found[1], found[0]).lower() if found is not None else "market"
    if kind not in ("market", "limit"):
        assert found is not None, "the default is known"
        raise Refusal("hook.bad_order_type", f"{found[0]} must be market or limit", field=found[0])
    return kind


def _limit(said: Said) -> Decimal:
    found = first(said, places.LIMIT_PRICE) or first(said, places.PRICE)
    price = number(found[1], found[0]) if found is not None else Decimal(0)
    if price <= 0:
        raise Refusal("hook.no_limit_price", "a limit order needs its price", field="limitPrice")
    return price


def _hint(said: Said, paths: Sequence[Path]) -> Decimal | None:
    """A price that only helps to judge: one that is none is left out."""
    for name, value in values(said, paths):
        try:
            price = number(value, name)
        except Refusal:
            continue
        if price > 0:
            return price
    return None


def _confidence(said: Said) -> Decimal | None:
    found = first(said, places.CONFIDENCE)
    if found is None:
        return None
    share = number(found[1], found[0])
    if not 0 <= share <= 1:
        raise Refusal("hook.bad_number", "confidence must lie between 0 and 1", field=found[0])
    return share


def _side(said: Said, paths: Sequence[Path]) -> Held | None:
    found = first(said, paths)
    if found is None:
        return None
    side = word(found[1], found[0]).lower()
    if side not in places.SIDES:
        raise Refusal(
            "hook.bad_position", f"{found[0]} must be long, short or flat", field=found[0]
        )
    return places.SIDES[side]


def _position(said: Said) -> tuple[Held | None, Decimal | None]:
    """The side of the strategy's position after this alert, and its size with its sign."""
    held = _side(said, places.HELD)
    size = first(said, places.HELD_SIZE)
    if size is None or held is None:
        signed = first(said, places.POSITION)
        if held is Held.FLAT:
            return held, Decimal(0)
        if signed is None:
            return held, None
        position = number(signed[1], signed[0])
        if held is not None and position:
            position = abs(position) if held is Held.LONG else -abs(position)
        return held, position
    amount = abs(number(size[1], size[0]))
    if (held is Held.FLAT) != (amount == 0):
        raise Refusal(
            "hook.contradiction", f"{size[0]} does not go with the market position", field=size[0]
        )
    return held, -amount if held is Held.SHORT else amount


def _when(said: Said) -> int | None:
    found = first(said, places.TIME)
    return moment(found[1], found[0]) if found is not None else None


def _lag(said: Said) -> Decimal | None:
    found = first(said, places.MAX_LAG)
    lag = number(found[1], found[0]) if found is not None else None
    if lag is not None and lag < 0:
        raise Refusal("hook.bad_number", "max_lag is below zero", field="max_lag")
    return lag


def _own_id(said: Said) -> str | None:
    own = _text(said, places.OWN_ID)
    if own is not None and not (own.isascii() and " " not in own):
        raise Refusal("hook.bad_id", "an id is printable ASCII without spaces", field="id")
    return own
