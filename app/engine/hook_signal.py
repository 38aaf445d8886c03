"""From an alert that was read to the one signal it is, by its hook's settings."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import assert_never

from app.domain.bracket import Basis, Bracket, Level
from app.domain.hook import Hook, Sizes
from app.domain.quantity import ZERO, Side
from app.domain.refusal import Forbidden, Refusal
from app.domain.tradingview.message import LEAVING, Act, Held, Message
from app.engine.signal import Signal, Sizing

_SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9 ./:_=^-]{0,31}")


@dataclass(frozen=True, slots=True)
class _Wanted:
    sizing: Sizing
    size: Decimal
    side: Side | None = None
    only_back: bool = False


_FLAT = _Wanted(Sizing.TARGET, ZERO)
_ONLY = {Act.EXIT_LONG: Side.SELL, Act.EXIT_SHORT: Side.BUY}


def signal_of(message: Message, hook: Hook, signal_id: str | None) -> Signal:
    """The signal. Raises Refusal for an alert that does not say enough, or a ticker not let in."""
    wanted = _wanted(message, hook)
    return Signal(
        account=hook.account,
        source=hook.source,
        signal_id=signal_id,
        symbol=symbol_of(message, hook),
        side=wanted.side,
        size=wanted.size,
        sizing=wanted.sizing,
        only_back=wanted.only_back,
        price=message.price,
        confidence=float(message.confidence) if message.confidence is not None else None,
        limit_price=message.limit_price,
        strategy=hook.strategy,
        stop=_price(message.stop),
        target=_price(message.target),
        bracket=_bracket(message),
        at=message.made_at,
    )


def _bracket(message: Message) -> Bracket | None:
    """The exits of what the alert opens; what only takes back has none."""
    if message.stop is None and message.target is None:
        return None
    return Bracket(message.target, message.stop)


def _price(level: Level | None) -> Decimal | None:
    return level.value if level is not None and level.basis is Basis.PRICE else None


def symbol_of(message: Message, hook: Hook) -> str:
    """Our symbol for an alert's ticker. Raises Forbidden for one that the hook does not let in."""
    ticker = message.ticker
    full = f"{message.exchange}:{ticker}".upper() if message.exchange is not None else ticker
    for name in (full, ticker):
        if hook.symbols is not None and name in hook.symbols:
            return hook.symbols[name]
    if hook.symbols is not None:
        raise Forbidden("hook.symbol", f"this hook does not map {full!r}", field="ticker")
    symbol = ticker.rpartition(":")[2]
    if not _SYMBOL.fullmatch(symbol):
        raise Refusal("hook.no_symbol", "the ticker is no symbol", field="ticker")
    return symbol


def _wanted(message: Message, hook: Hook) -> _Wanted:
    match hook.sizes:
        case Sizes.POSITION:
            if message.position is None:
                raise Refusal(
                    "hook.no_position",
                    "this hook follows the position: send market_position and market_position_size",
                    field="market_position",
                )
            return _Wanted(Sizing.TARGET, message.position)
        case Sizes.FIXED:
            assert hook.fixed_qty is not None, "checked when the hook was made"
            return _acted(message, hook.fixed_qty, Sizing.QTY)
        case Sizes.MESSAGE:
            kind = Sizing.NOTIONAL if message.in_money else Sizing.QTY
            return _acted(message, message.quantity, kind)
        case _:
            assert_never(hook.sizes)


def _acted(message: Message, size: Decimal | None, kind: Sizing) -> _Wanted:
    act = message.act
    if act is None:
        raise Refusal("hook.no_action", "the alert says neither buy nor sell", field="action")
    leaves = act in LEAVING
    if message.sentiment is Held.FLAT or (leaves and message.quantity is None):
        # An exit of one side leaves a position of the other alone.
        return replace(_FLAT, side=_ONLY.get(act))
    side = _side(message, act)
    if side is None:
        return _FLAT
    if size is None or size <= 0:
        raise Refusal("hook.no_size", "the alert gives no quantity above zero", field="quantity")
    return _Wanted(kind, size, side, only_back=leaves)


def _side(message: Message, act: Act) -> Side | None:
    """Which side an action trades on; None: whatever closes the position."""
    match act:
        case Act.BUY:
            return Side.BUY
        case Act.SELL:
            return Side.SELL
        case Act.EXIT_LONG:
            return Side.SELL
        case Act.EXIT_SHORT:
            return Side.BUY
        case Act.ADD:
            return _towards(message.sentiment, "add needs the sentiment bullish or bearish")
        case Act.EXIT:
            if message.held is Held.FLAT:
                return None
            left = _towards(
                message.held_before,
                "an exit of a part needs prev_market_position: what it is a part of is not known",
            )
            return left.other
        case _:
            assert_never(act)


def _towards(held: Held | None, otherwise: str) -> Side:
    if held not in (Held.LONG, Held.SHORT):
        raise Refusal("hook.bad_action", otherwise, field="action")
    return Side.BUY if held is Held.LONG else Side.SELL
