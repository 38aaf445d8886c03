"""The Alpaca broker's parts: what is definite, who may use the limit, when a line is left alone,
whose ids are believed, and where keys may go."""

import asyncio
import logging
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.brokers.alpaca import open_broker
from app.brokers.alpaca.agreement import Agreement
from app.brokers.alpaca.breaker import FAILURES, Breaker, Broken, State
from app.brokers.alpaca.budget import Budget, Exhausted, Use
from app.brokers.alpaca.client import order_body
from app.brokers.alpaca.options import read_options
from app.brokers.alpaca.outcomes import REFUSALS, outcome_of
from app.brokers.alpaca.reading import Told, known_of, order_report, told_by_list, told_by_stream
from app.domain.fact import TimeInForce
from app.domain.lifecycle import ChildStatus
from app.ports import Acknowledged, BustReport, ExecutionReport, Refused, Unclear
from tests.brokers.market import ticket

KEYS = {"key_id": "PK1", "secret_key": "hunter2"}
ORDER: dict[str, Any] = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "slabc-1",
    "created_at": "2026-03-16T18:38:01.942282123Z",
    "updated_at": "2026-03-16T14:38:01.942282-04:00",
    "submitted_at": "2026-03-16T18:38:01.937734Z",
    "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415",
    "symbol": "AAPL",
    "qty": "15",
    "filled_qty": "0",
    "side": "buy",
    "time_in_force": "day",
    "limit_price": "107.5",
    "status": "new",
}
AT = 1_773_686_281_942_282


def streamed_as(event: str, data: Any) -> Told:
    return told_by_stream(event, data, known_of(data["order"]))


def answered(status: int, body: Any) -> Any:
    return outcome_of(httpx.Response(status, json=body), "slabc-1", 7)


@pytest.mark.parametrize(
    ("symbol", "time_in_force", "word"),
    [
        ("AAPL", TimeInForce.DAY, "day"),
        ("AAPL", TimeInForce.IOC, "ioc"),
        ("AAPL", TimeInForce.CLS, "cls"),
        ("AAPL", TimeInForce.DAY_EXTENDED, "day"),
        ("BTC/USD", TimeInForce.DAY, "gtc"),
    ],
)
def test_every_child_is_a_limit_order(symbol: str, time_in_force: TimeInForce, word: str) -> None:
    body = order_body(ticket("a", limit="107.50", symbol=symbol, time_in_force=time_in_force))
    assert (body["type"], body["limit_price"], body["time_in_force"]) == ("limit", "107.50", word)
    asked = time_in_force is TimeInForce.DAY_EXTENDED
    assert body.get("extended_hours", False) is asked


@pytest.mark.parametrize("word", ["day", "cls"])
def test_an_order_for_the_closing_auction_is_known_by_its_terms(word: str) -> None:
    terms = order_report(ORDER | {"time_in_force": word}).terms
    assert terms is not None
    assert terms.closing_auction is (word == "cls")


@pytest.mark.parametrize("key", sorted(REFUSALS))
def test_only_listed_codes_are_refusals(key: tuple[int, int]) -> None:
    status, code = key
    assert answered(status, {"code": code, "message": "no"}) == Refused(REFUSALS[key], "no", 7)
    # The same code with another status, or the other way round, was never heard of.
    for other_status, other_code in ((status + 1, code), (status, code + 9), (200, code)):
        assert isinstance(answered(other_status, {"code": other_code, "message": "no"}), Unclear)
    assert isinstance(answered(status, {"code": str(code), "message": "no"}), Unclear)
    assert isinstance(answered(status, {"message": "no"}), Unclear)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("insufficient buying power", "insufficient_funds"),
        ("insufficient qty available for order (requested: 1, available: 0)", "insufficient_funds"),
        ('asset "NONE" not found', "unknown_symbol"),
        ("asset NONE is not active", "unknown_symbol"),
        ("invalid limit_price 1.005. sub-penny increment does not fulfill", "bad_price"),
        ("qty must be > 0", "bad_quantity"),
        ("potential wash trade detected. use complex orders", "wash_trade"),
        ("invalid order_class for this account", "bad_stop"),
        ("oco orders must be exit orders", "bad_stop"),
        ("bracket orders are not allowed", "bad_stop"),
        ('asset "X" cannot be sold short', "short_not_allowed"),
        ("us_equity orders not allowed for account", "not_allowed"),
        ("new orders are rejected by user request", "account_restricted"),
        ("a sentence of next year", "not_allowed"),
    ],
)
def test_a_refusal_has_a_word(message: str, code: str) -> None:
    outcome = answered(422, {"code": 42210000, "message": message})
    assert outcome == Refused(code, message, 7)


@pytest.mark.parametrize(
    "message", ["client_order_id must be unique", "client order id already exists"]
)
def test_a_used_id_is_no_refusal(message: str) -> None:
    assert isinstance(answered(422, {"code": 40010001, "message": message}), Unclear)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 301, 307, 404, 408, 409])
def test_what_may_follow_an_order_that_was_taken_is_unclear(status: int) -> None:
    assert isinstance(answered(status, {"code": status * 100_000, "message": "?"}), Unclear)
    html = httpx.Response(status, text="<html>try later</html>")
    assert isinstance(outcome_of(html, "slabc-1", 7), Unclear)


def test_an_order_is_an_acknowledgement_unless_told_with_an_error() -> None:
    assert answered(200, ORDER) == Acknowledged(ORDER["id"], AT)
    assert isinstance(answered(201, ORDER), Acknowledged)
    # It was seen to trade all the same.
    assert isinstance(answered(422, ORDER), Unclear)
    assert isinstance(answered(200, ORDER | {"client_order_id": "another"}), Unclear)
    assert isinstance(answered(200, ORDER | {"id": None}), Unclear)


# What is read.


@pytest.mark.parametrize(
    ("status", "filled", "read"),
    [
        ("accepted", "0", ChildStatus.WORKING),
        ("pending_cancel", "3", ChildStatus.PARTIALLY_FILLED),
        ("done_for_day", "0", ChildStatus.WORKING),
        ("filled", "15", ChildStatus.FILLED),
        ("replaced", "0", ChildStatus.CANCELED),
        ("expired", "0", ChildStatus.EXPIRED),
        ("rejected", "0", ChildStatus.REJECTED),
    ],
)
def test_reads_an_order(status: str, filled: str, read: ChildStatus) -> None:
    report = order_report(ORDER | {"status": status, "filled_qty": filled})
    assert (report.status, report.at) == (read, AT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "exploded"),
        ("filled_qty", "NaN"),
        ("filled_qty", "many"),
        ("id", 5),
        ("client_order_id", ""),
        ("updated_at", "yesterday"),
        ("updated_at", "2026-03-16T18:38:01"),
        ("side", "both"),
    ],
)
def test_what_cannot_be_true_is_not_believed(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        order_report(ORDER | {name: value})


def fill(name: str, filled: str, **more: Any) -> dict[str, Any]:
    return {
        "execution_id": name,
        "price": "107.5",
        "qty": "5",
        "timestamp": "2026-03-16T18:38:04Z",
        "order": ORDER | {"filled_qty": filled},
        **more,
    }


def row(name: str, filled: str) -> dict[str, Any]:
    return {
        "id": f"20260316143804000::{name}",
        "type": "partial_fill",
        "price": "107.5",
        "qty": "5",
        "side": "buy",
        "cum_qty": filled,
        "transaction_time": "2026-03-16T18:38:04Z",
    }


def test_stream_and_list_tell_the_same_execution() -> None:
    streamed = streamed_as("partial_fill", fill("x1", "5"))
    assert streamed == told_by_list(row("x1", "5"), known_of(ORDER))
    report = streamed.report
    assert isinstance(report, ExecutionReport)
    # At its limit, three seconds after it came in.
    assert (report.liquidity, report.fee) == ("maker", 0)
    taken = streamed_as("fill", fill("x1", "5", price="107.49")).report
    assert isinstance(taken, ExecutionReport)
    assert taken.liquidity == "taker"


def test_a_bust_names_what_it_voids() -> None:
    bust = streamed_as("trade_bust", fill("b1", "0", previous_execution_id="x1"))
    assert isinstance(bust.report, BustReport)
    assert bust.report.execution_id == "x1"
    alone = streamed_as("trade_bust", fill("x2", "0")).report
    assert alone.execution_id == "x2"
    with pytest.raises(ValueError, match="None"):
        streamed_as("trade_bust", fill("x2", "0", execution_id=None))


# Whose ids are believed.


def test_the_stream_is_believed_once_the_list_agreed() -> None:
    agreement = Agreement()
    first, second = (streamed_as("partial_fill", fill(f"x{n}", str(5 * n))) for n in (1, 2))
    assert agreement.heard(first) == []
    # Not listed yet, and nothing speaks against it: it waits.
    assert agreement.listed([]) == []
    assert list(agreement.waiting) == [first]
    assert agreement.listed([told_by_list(row("x1", "5"), known_of(ORDER))]) == []
    assert list(agreement.waiting) == []
    assert agreement.heard(second) == [second.report]


def test_where_ids_differ_only_the_list_is_believed() -> None:
    agreement = Agreement()
    told = [streamed_as("partial_fill", fill(f"x{n}", str(5 * n))) for n in (1, 2)]
    assert agreement.heard(told[0]) == []
    assert agreement.listed([told_by_list(row("y1", "5"), known_of(ORDER))]) == []
    assert agreement.heard(told[1]) == []
    assert agreement.listed([told_by_list(row("y2", "10"), known_of(ORDER))]) == []
    assert list(agreement.waiting) == []


# The rate limit.


class Clock:
    """Monotonic seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def spent(budget: Budget, use: Use) -> int:
    taken = 0
    try:
        while True:
            await budget.take(use, 0)
            taken += 1
    except Exhausted:
        return taken


async def test_the_last_requests_are_for_cancels() -> None:
    budget = Budget(200, Clock())
    assert await spent(budget, Use.QUESTION) == 30
    assert await spent(budget, Use.ORDER) == 10
    assert await spent(budget, Use.CANCEL) == 10
    assert await spent(budget, Use.CANCEL) == 0


async def test_no_minute_sees_more_than_the_limit() -> None:
    clock, taken = Clock(), 0
    budget = Budget(200, clock)
    for _ in range(60):
        taken += await spent(budget, Use.CANCEL)
        clock.now += 1
    assert 190 <= taken <= 200


async def test_learns_the_limit_from_answers() -> None:
    clock = Clock()
    budget = Budget(200, clock)
    budget.learn(200, {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "999"}, 0.0)
    clock.now += 60
    assert budget.tokens == 250
    budget.learn(200, {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "3"}, 0.0)
    assert await spent(budget, Use.CANCEL) == 3
    # Nonsense teaches nothing.
    budget.learn(200, {"X-RateLimit-Limit": "-5", "X-RateLimit-Remaining": "lots"}, 0.0)
    clock.now += 60
    assert budget.tokens == 250


async def test_after_a_429_all_wait_for_the_reset_and_cancels_a_second() -> None:
    clock = Clock()
    budget = Budget(200, clock)
    budget.learn(429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1030"}, 1_000.0)
    assert await spent(budget, Use.CANCEL) == 0
    clock.now += 1.1
    assert await spent(budget, Use.ORDER) == 0
    await budget.take(Use.CANCEL, 0)
    clock.now += 29
    await budget.take(Use.ORDER, 0)


async def test_waits_for_its_turn() -> None:
    budget = Budget(6_000)
    await spent(budget, Use.CANCEL)
    await asyncio.wait_for(budget.take(Use.CANCEL, 20.0), 30)


# The breaker.


def test_a_line_that_fails_is_left_alone_and_tried_again() -> None:
    clock = Clock()
    breaker = Breaker("orders", clock)
    with capture_logs() as told:
        for _ in range(FAILURES):
            breaker.check()
            breaker.failed("no answer")
        with pytest.raises(Broken, match="no answer"):
            breaker.check()
        clock.now += 1.0
        breaker.check()  # One may try,
        with pytest.raises(Broken):
            breaker.check()  # and no other.
        breaker.failed("no answer")
        clock.now += 1.5
        with pytest.raises(Broken):
            breaker.check()  # The second pause is longer.
        clock.now += 0.6
        breaker.check()
        breaker.succeeded()
        breaker.check()
    states = [(entry["was"], entry["state"]) for entry in told]
    closed, broken, half = State.CLOSED, State.OPEN, State.HALF_OPEN
    assert states == [
        (closed, broken),
        (broken, half),
        (half, broken),
        (broken, half),
        (half, closed),
    ]


def test_a_success_between_failures_keeps_a_line_whole() -> None:
    breaker = Breaker("orders", Clock())
    for _ in range(3 * FAILURES):
        breaker.failed("503")
        breaker.succeeded()
    assert breaker.state is State.CLOSED


# Options and keys.


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, "key_id"),
        ({"key_id": "k"}, "secret_key"),
        (KEYS | {"url": "http://api.alpaca.markets"}, "in the clear"),
        (KEYS | {"stream_url": "ws://api.alpaca.markets/stream"}, "in the clear"),
        (KEYS | {"url": "ftp://x"}, "url"),
        (KEYS | {"url": "https://user:hunter2@x"}, "an address and nothing else"),
        (KEYS | {"url": "https://api.alpaca.markets/v2/"}, "without /v2"),
        (KEYS | {"secret_key": "hunter2\n"}, "secret_key must be printable"),
        (KEYS | {"key_id": "PK 1"}, "key_id must be printable"),
        (KEYS | {"ledger_path": "x"}, "ledger_path"),
        (KEYS | {"connections": 0}, "connections"),
        (KEYS | {"submit_timeout_ms": "1"}, "submit_timeout_ms"),
        (KEYS | {"requests_per_minute": True}, "requests_per_minute"),
    ],
)
def test_options_are_checked(options: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong) as caught:
        open_broker("acc", lambda symbol: {}[symbol], options)
    assert "hunter2" not in str(caught.value)


def test_the_stream_stands_beside_the_base_url() -> None:
    assert read_options(KEYS).stream_url == "wss://paper-api.alpaca.markets/stream"
    local = read_options(KEYS | {"url": "http://127.0.0.1:8000/alpaca/"})
    assert (local.url, local.stream_url) == (
        "http://127.0.0.1:8000/alpaca",
        "ws://127.0.0.1:8000/alpaca/stream",
    )
    assert "hunter2" not in repr(local)


def test_no_log_of_frames_shows_the_keys() -> None:
    from app.brokers.alpaca.stream import _quiet

    logging.getLogger().setLevel(logging.DEBUG)
    try:
        assert not _quiet().isEnabledFor(logging.DEBUG)
    finally:
        logging.getLogger().setLevel(logging.WARNING)
