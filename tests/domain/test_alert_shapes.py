"""Alerts as they are read: every shape in use, and any bytes at all."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.bracket import Basis, Level
from app.domain.refusal import Refusal
from app.domain.tradingview import places
from app.domain.tradingview.decode import said_by
from app.domain.tradingview.message import Act, Held, Message, fingerprint
from app.domain.tradingview.reading import read, secret_in
from tests.domain.alert_shapes import (
    COMMAS,
    FLAT,
    HUB,
    LINE,
    NESTED,
    NOON,
    NOON_INSTANT,
    OPENALGO,
    TRADERSPOST,
)


def understood(said: Any) -> Message:
    raw = (
        said
        if isinstance(said, bytes)
        else (said.encode() if isinstance(said, str) else json.dumps(said).encode())
    )
    return read(said_by(raw))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (FLAT, {
            "shape": "flat", "ticker": "AAPL", "act": Act.SELL, "quantity": Decimal(10),
            "price": Decimal("1.5"), "made_at": NOON_INSTANT,
        }),
        (NESTED, {
            "shape": "nested", "ticker": "AAPL", "exchange": "NASDAQ", "act": Act.SELL,
            "quantity": Decimal(20), "price": Decimal("187.2"), "order_id": "Short",
            "held": Held.SHORT, "position": Decimal(-10), "held_before": Held.LONG,
            "made_at": NOON_INSTANT,
        }),
        (TRADERSPOST, {
            "shape": "traderspost", "act": Act.BUY, "sentiment": Held.LONG, "in_money": True,
            "quantity": Decimal(5000), "limit_price": Decimal("180.5"), "price": Decimal(181),
            "stop": Level(Basis.PRICE, Decimal(170)), "target": Level(Basis.PRICE, Decimal(200)),
        }),
        (COMMAS, {
            "shape": "3commas", "ticker": "BTCUSDT", "exchange": "BINANCE", "in_money": False,
            "quantity": Decimal("0.5"), "position": Decimal("0.5"), "max_lag": Decimal(300),
            "held_before": Held.FLAT, "made_at": NOON_INSTANT,
        }),
        (HUB, {"shape": "tv-hub", "own_id": f"AAPL-{NOON}", "quantity": Decimal(1)}),
        (OPENALGO, {
            "shape": "openalgo", "act": Act.BUY, "quantity": Decimal(10), "position": Decimal(10),
            "limit_price": None,
        }),
        (LINE, {
            "ticker": "BRK.B", "act": Act.BUY, "quantity": Decimal(10), "position": Decimal(-5),
        }),
        ("order sell @ 1e-3 filled on BINANCE:BTCUSDT.P. New strategy position is 0", {
            "ticker": "BINANCE:BTCUSDT.P", "quantity": Decimal("0.001"), "position": Decimal(0),
        }),
    ],
    ids=["flat", "nested", "traderspost", "3commas", "tv-hub", "openalgo", "line", "crypto"],
)  # fmt: skip
def test_every_shape_in_use_is_understood(said: Any, wanted: dict[str, Any]) -> None:
    message = understood(said)
    assert {name: getattr(message, name) for name in wanted} == wanted
    assert "passphrase" not in json.dumps(message.shown())


@pytest.mark.parametrize("said", [FLAT, NESTED, COMMAS, HUB, OPENALGO])
def test_a_secret_is_found_and_never_shown(said: dict[str, Any]) -> None:
    other = {k: "another-secret" if v == "s" else v for k, v in said.items()}
    assert secret_in(said_by(json.dumps(other).encode())) == "another-secret"
    message = understood(other)
    assert "another-secret" not in repr(message) + json.dumps(message.shown())
    # It is in no fingerprint either: it could be guessed from one.
    assert message.rest == understood(said).rest


@pytest.mark.parametrize("nothing", ["", "NaN", "  ", "null", None, "n/a"])
@pytest.mark.parametrize("name", ["qty", "price", "time"])
def test_what_says_nothing_is_absent(name: str, nothing: Any) -> None:
    message = understood(FLAT | {name: nothing})
    field = {"qty": "quantity", "time": "made_at"}.get(name, name)
    assert getattr(message, field) is None


def test_a_bare_nan_is_json_enough() -> None:
    message = understood(
        b'{"ticker": "A", "action": "buy", "qty": 5, "price": NaN, "stop": -NaN }'.replace(
            b"-NaN", b"NaN"
        )
    )
    assert (message.price, message.stop, message.quantity) == (None, None, Decimal(5))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"\xff\xfe", "hook.unreadable"),
        (b"", "hook.unreadable"),
        (b"[1, 2]", "hook.unreadable"),
        (b'{"a": 1, "A": 2}', "hook.unreadable"),
        (b'{"ticker": "A", "qty": {{strategy.order.contracts}}}', "hook.placeholder"),
        (b"{" * 5000, "hook.placeholder"),
        (b"{ " * 5000, "hook.unreadable"),
        (b'{"a":' * 20000 + b"1" + b"}" * 20000, "hook.too_large"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "hook.unreadable"),
        (b" " * 65537, "hook.too_large"),
        (b"buy AAPL now", "hook.unreadable"),
        (b"order buy @ 10 filled on AAPL. New strategy position is 10 and sell", "hook.unreadable"),
        (b"order buy @ {{strategy.order.contracts}} filled on AAPL", "hook.placeholder"),
        ({"action": "buy"}, "hook.no_symbol"),
        (FLAT | {"symbol": "{{ticker}}"}, "hook.placeholder"),
        (FLAT | {"qty": "{{strategy.order.contracts}}"}, "hook.placeholder"),
        (FLAT | {"qty": "ten"}, "hook.bad_number"),
        (FLAT | {"qty": "1,000"}, "hook.bad_number"),
        (FLAT | {"qty": "-5"}, "hook.bad_number"),
        (FLAT | {"qty": "Infinity"}, "hook.bad_number"),
        (FLAT | {"qty": "1E+999999"}, "hook.bad_number"),
        (FLAT | {"qty": True}, "hook.bad_number"),
        (FLAT | {"contracts": "11"}, "hook.contradiction"),
        (FLAT | {"action": "buy"}, "hook.contradiction"),
        (FLAT | {"side": "hold"}, "hook.bad_action"),
        (FLAT | {"side": "cancel"}, "hook.bad_action"),
        (FLAT | {"time": "yesterday"}, "hook.bad_number"),
        (FLAT | {"time": "2026-02-30T00:00:00Z"}, "hook.bad_time"),
        (FLAT | {"time": "-5"}, "hook.bad_time"),
        (FLAT | {"orderType": "trailing_stop"}, "hook.bad_order_type"),
        (FLAT | {"orderType": "limit", "price": "0"}, "hook.no_limit_price"),
        (FLAT | {"quantityType": "percent_of_equity"}, "hook.bad_quantity_type"),
        (FLAT | {"market_position": "up"}, "hook.bad_position"),
        (FLAT | {"market_position": "flat", "market_position_size": 5}, "hook.contradiction"),
        (FLAT | {"id": "two words"}, "hook.bad_id"),
        (FLAT | {"confidence": 2}, "hook.bad_number"),
        (FLAT | {"max_lag": -1}, "hook.bad_number"),
        (FLAT | {"symbol": "A\nB"}, "hook.bad_text"),
    ],
)
def test_what_cannot_be_meant_in_one_way_is_refused_by_name(said: Any, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        understood(said)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("said", "stop", "target"),
    [
        ({"stopLoss": {"type": "stop", "percent": 2}}, ("percent", 2), None),
        ({"stopLoss": {"amount": "1.5"}, "takeProfit": {"percent": "4"}}, ("offset", "1.5"),
         ("percent", 4)),
        ({"stopLoss": {"stopPrice": 95}, "takeProfit": {"limitPrice": 110, "percent": 10}},
         ("price", 95), ("price", 110)),
        ({"stop": "95", "stop_loss": 95.0, "take_profit": "110"}, ("price", 95), ("price", 110)),
        ({"stopLoss": 95}, ("price", 95), None),
        ({"stop_loss": "NaN", "stopLoss": {"type": "stop"}, "takeProfit": {}}, None, None),
        ({"side": "exit", "stop_loss": "{{plot(\"stop\")}}"}, None, None),
        ({"market_position": "flat", "stopLoss": {"trailPercent": 5}}, None, None),
    ],
)  # fmt: skip
def test_the_exits_that_an_alert_wants(said: Any, stop: Any, target: Any) -> None:
    entry = {"ticker": "AAPL", "side": "buy", "qty": "10"}
    message = understood(entry | said)
    found = [
        (str(level.basis), level.value) if level is not None else None
        for level in (message.stop, message.target)
    ]
    meant = [(one[0], Decimal(one[1])) if one is not None else None for one in (stop, target)]
    assert found == meant


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"stop_loss": "{{plot(\"stop\")}}"}, "hook.placeholder", "stop_loss"),
        ({"takeProfit": {"percent": "{{x}}"}}, "hook.placeholder", "takeprofit.percent"),
        ({"stop": "near"}, "hook.bad_number", "stop"),
        ({"stop_loss": 0}, "hook.bad_exit", "stop_loss"),
        ({"stop": 95, "stopLoss": {"stopPrice": 94}}, "hook.contradiction", "stoploss.stopprice"),
        ({"stopLoss": {"type": "trailing_stop", "trailPercent": 2}}, "hook.bad_exit",
         "stoploss.type"),
        ({"stopLoss": {"trailAmount": 2}}, "hook.bad_exit", "stoploss"),
        ({"takeProfit": [{"percent": 2}]}, "hook.bad_exit", "takeprofit"),
        ({"sl": 2}, "hook.bad_exit", "sl"),
    ],
)  # fmt: skip
def test_an_exit_that_is_not_understood_is_refused_by_name(
    said: Any, code: str, field: str
) -> None:
    with pytest.raises(Refusal) as refused:
        understood({"ticker": "AAPL", "side": "buy", "qty": "10"} | said)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    "time",
    [NOON, "2026-01-05T12:00:00", "2026-01-05 13:00:00+01:00", "1767614400", 1767614400000,
     "1767614400.000", "2026-01-05T12:00:00.000000Z"],
)  # fmt: skip
def test_times_in_every_spelling_are_one(time: Any) -> None:
    assert understood(FLAT | {"time": time}).made_at == NOON_INSTANT


def test_what_tells_two_alerts_apart() -> None:
    message = understood(NESTED)
    same = understood(NESTED | {"comment": "resent", "bar": {}})
    assert fingerprint("h", message) == fingerprint("h", same)
    later = understood(NESTED | {"time": "2026-01-05T12:00:01Z"})
    other = understood(NESTED | {"ticker": "MSFT"})
    marks = {fingerprint("h", m) for m in (message, later, other)} | {fingerprint("g", message)}
    assert len(marks) == 4
    timeless = {k: v for k, v in FLAT.items() if k != "time"}
    first, second = understood(timeless), understood(timeless | {"price": "1.6"})
    assert fingerprint("h", first) != fingerprint("h", second)


NAMES = sorted(
    {path[0] for name in vars(places) if name.isupper() and isinstance(getattr(places, name), tuple)
     for path in getattr(places, name)} | {"strategy", "bar", "order"}
)  # fmt: skip
WORDS = st.sampled_from(
    ["buy", "sell", "exit", "long", "flat", "NaN", "", "{{ticker}}", "limit", "dollar_amount",
     "1E+999999", "-0", "0e-99", "1e400", NOON, "9" * 50, "\ud800", "\x00", "AAPL", "0", "5"]
)  # fmt: skip
SCALARS = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([p[-1] for p in places.QUANTITY + places.HELD_SIZE]), inner
        )
    ),
    max_leaves=8,
)


def whatever(raw: bytes) -> None:
    """Understood or refused by name; nothing else can come of it."""
    try:
        said = said_by(raw)
        secret_in(said)
        message = read(said)
    except Refusal as refusal:
        if not refusal.code.startswith("hook."):
            raise
        return
    assert len(fingerprint("h", message)) == 40
    json.dumps(message.shown(), allow_nan=False)
    assert message.quantity is None or (message.quantity.is_finite() and message.quantity >= 0)
    assert read(said_by(raw)) == message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    whatever(raw)


@settings(max_examples=600, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), VALUES, max_size=12))
def test_any_json_is_read_or_refused(said: dict[str, Any]) -> None:
    whatever(json.dumps(said).encode("utf-8", "surrogatepass"))
    whatever(json.dumps(said | {"ticker": "AAPL", "action": "buy"}).encode())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), WORDS, WORDS)
def test_any_line_is_read_or_refused(before: str, quantity: str, ticker: str) -> None:
    line = (
        f"{before} order buy @ {quantity} filled on {ticker}. New strategy position is {quantity}"
    )
    whatever(line.encode("utf-8", "surrogatepass"))
