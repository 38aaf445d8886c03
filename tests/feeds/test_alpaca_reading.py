"""What Alpaca says is read exactly, and what cannot be used is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.instant import Instant, from_datetime
from app.domain.session import Session
from app.feeds.alpaca.history import coverage
from app.feeds.alpaca.options import Options, Source, read_options
from app.feeds.alpaca.reading import (
    PRICE_SCALE,
    Level,
    Print,
    Struck,
    bar_of,
    correction_of,
    history_of,
    key_of,
    level_of,
    moment,
    parsed,
    print_of,
    struck_of,
)
from app.feeds.alpaca.reference import _days, instrument
from app.ports import FeedError

TRADE = (
    '{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.5512,"s":7,"t":"2021-02-22T15:51:44.208Z",'
    '"c":["@","I"],"z":"C"}'
)
QUOTE = (
    '{"T":"q","S":"AMD","bx":"U","bp":87.66,"bs":1,"ax":"Q","ap":87.68,"as":4,'
    '"t":"2021-02-22T15:51:45.335689322Z","c":["R"],"z":"C"}'
)


def told(text: str, **changes: Any) -> Any:
    return {**parsed(text), **changes}


# Reading


def test_trades_and_quotes_are_read_exactly() -> None:
    at = from_datetime(datetime(2021, 2, 22, 15, 51, 44, 208_000, UTC))
    assert print_of(told(TRADE)) == Print(key_of("D", 96921), at, 1_265_512, 7)
    at = from_datetime(datetime(2021, 2, 22, 15, 51, 45, 335_689, UTC))
    assert level_of(told(QUOTE)) == Level(at, 876_600, 876_800, 1, 4)
    for price in ("0.1", "0.3", "1.005", "104.1999", "999999.9999"):
        [read] = [print_of(parsed(TRADE.replace("126.5512", price)))]
        assert read is not None
        assert Decimal(read.price) / PRICE_SCALE == Decimal(price)


@pytest.mark.parametrize("condition", list("BWCGHMNPQRUVZ479"))
def test_trades_that_nobody_could_have_been_part_of_do_not_count(condition: str) -> None:
    assert print_of(told(TRADE, c=["@", condition])) is None


@pytest.mark.parametrize("condition", ["@", "I", "F", "T", "X", "O", "6", " "])
def test_trades_at_the_market_count(condition: str) -> None:
    assert print_of(told(TRADE, c=[condition])) is not None


def test_what_cannot_be_on_a_tape_is_left_out() -> None:
    assert print_of(told(TRADE, s=0)) is None
    for side in ("bp", "ap", "bs", "as"):
        assert level_of(told(QUOTE, **{side: 0})) is None
    bar = {"t": "2021-02-22T15:51:00Z", "v": 0, "vw": 1, "c": 1}
    assert bar_of(bar) is None
    assert bar_of({**bar, "v": 5, "o": -1}) is None
    assert bar_of({**bar, "v": 5}) is not None


@pytest.mark.parametrize("field", ["i", "x", "p", "s", "t"])
@pytest.mark.parametrize("wrong", [None, "x", []])
def test_what_cannot_be_read_is_a_feed_error(field: str, wrong: object) -> None:
    if field == "x" and wrong == "x":
        return
    with pytest.raises(FeedError, match="cannot be read"):
        print_of(told(TRADE, **{field: wrong}))


def test_corrections_and_cancels_name_the_trade() -> None:
    said = {"S": "A", "x": "M", "oi": 5, "op": 1, "os": 2, "t": "2021-02-22T15:51:44Z", "z": "B"}
    right = {"ci": 6, "cp": Decimal("39.18"), "cs": 44, "cc": ["@"]}
    read = correction_of({**said, **right})
    assert read.key == key_of("M", 5)
    assert read.right == Print(key_of("M", 6), moment("2021-02-22T15:51:44Z"), 391_800, 44)
    assert struck_of({"x": "M", "i": 5}) == Struck(key_of("M", 5))
    with pytest.raises(FeedError):
        correction_of(said)
    rows = [told(TRADE, i=n, u=u) for n, u in ((1, "canceled"), (2, "incorrect"), (3, "corrected"))]
    assert [type(found) for found in history_of(rows)] == [Struck, Struck, Print]


# What is known of a symbol


def test_coverage_is_the_largest_share_of_a_day() -> None:
    assert coverage([[1, 1], [6, 0]], [[50, 50], [50, 50]]) == Decimal("0.06")
    assert coverage([[1], [5]], [[0], [100]]) == Decimal("0.05")
    # Too little to say anything about the rest: nothing is made of what is not seen.
    assert coverage([[1]], [[1_000]]) == 1
    assert coverage([[200]], [[100]]) == 1
    assert coverage([[0]], [[0]]) == 1


def test_prices_below_a_dollar_may_be_finer() -> None:
    ticks = {"0.5": "0.0001", "0.8999": "0.0001", "0.9": "0.01", "1": "0.01", "126": "0.01"}
    for price, tick in ticks.items():
        assert instrument("A", Decimal(price)).tick == Decimal(tick)
    assert instrument("A", None).tick == Decimal("0.01")


def test_the_calendar_is_new_york_s() -> None:
    rows = [
        {"date": "2026-10-30", "open": "09:30", "close": "16:00"},
        {"date": "2026-11-27", "open": "09:30", "close": "13:00"},
    ]

    def at(*when: int) -> Instant:
        return from_datetime(datetime(*when, tzinfo=UTC))  # type: ignore[misc,arg-type]

    assert tuple(day.session for day in _days(rows)) == (
        Session(at(2026, 10, 30, 13, 30), at(2026, 10, 30, 20)),
        Session(at(2026, 11, 27, 14, 30), at(2026, 11, 27, 18)),
    )
    assert [day.whole for day in _days(rows)] == [day.session for day in _days(rows)]
    (told,) = _days([rows[0] | {"session_open": "0400", "session_close": "2000"}])
    assert told.whole == Session(at(2026, 10, 30, 8), at(2026, 10, 31, 0))
    (odd,) = _days([rows[0] | {"session_open": "1000", "session_close": "1200"}])
    assert odd.whole == odd.session
    for wrong in ([{"date": "x"}], [{"date": "2026-13-01", "open": "1", "close": "2"}], None, 5):
        with pytest.raises(FeedError, match="calendar"):
            _days(wrong)


# Options

GOOD = {"key_id": "k", "secret_key": "s"}


def test_options_have_alpaca_s_own_addresses_and_the_free_feed() -> None:
    found = read_options({**GOOD, "data_url": None})
    assert found == Options(key_id="k", secret_key="s")
    assert (found.source, found.data_url) == (Source.IEX, "https://data.alpaca.markets")
    assert read_options({**GOOD, "data_url": "https://x.test/"}).data_url == "https://x.test"


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"key_id": "k"}, "needs SLIPSTREAM_ALPACA_KEY_ID"),
        ({"secret_key": "s"}, "needs SLIPSTREAM_ALPACA_KEY_ID"),
        (GOOD | {"source": "otc"}, "not a valid Source"),
        (GOOD | {"speed": 1}, "no option 'speed'"),
        (GOOD | {"data_url": "ftp://x"}, "data_url is no https address"),
        (GOOD | {"data_url": "http://data.example"}, "must be https: credentials"),
        (GOOD | {"stream_url": "ws://data.example"}, "must be wss: credentials"),
        (GOOD | {"stream_url": "https://data.example"}, "stream_url is no wss address"),
        (GOOD | {"trading_url": "https://u:p@x"}, "plain address"),
        (GOOD | {"trading_url": "https://x/v2"}, "without /v2"),
        (GOOD | {"secret_key": "s\r"}, "secret_key must be printable"),
    ],
)
def test_options_that_cannot_be_used_are_refused(given_: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_options(given_)
