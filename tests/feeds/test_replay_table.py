"""Declared tables: every way a time, a price or a column may be written, and what is refused."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from app.calendars import ExchangeCalendars
from app.domain.instant import DAY, HOUR, MINUTE, Instant
from app.domain.tape import Tape
from app.feeds.replay import open_feed
from app.ports import Feed, FeedError, Watched
from tests.feeds.written import at

LAYOUTS = Path(__file__).parents[2] / "docs" / "layouts"
OPEN = at("2024-01-03T14:30")
TRAITS = {"calendar": '"XNYS"', "tick": '"0.01"', "lot": '"1"'}
BARS = (
    "{ time = 'time', open = 'open', high = 'high', low = 'low', close = 'close', volume = 'vol' }"
)
HEADER = "time,open,high,low,close,vol\n"


def declared(
    root: Path, content: str, *, columns: str = BARS, name: str = "a.csv", **keys: str
) -> Path:
    """A table in a file of its own, and its declaration beside it."""
    (root / name).write_text(content)
    traits = {key: keys.pop(key, value) for key, value in TRAITS.items()}
    table = {"kind": '"bars"', "columns": columns, **keys}
    lines = [f"{key} = {value}" for key, value in traits.items()]
    lines += ["[[table]]", *(f"{key} = {value}" for key, value in table.items())]
    layout = root / "layout.toml"
    layout.write_text("\n".join([*lines, "[table.files]", f'A = "{name}"', ""]))
    return layout


async def opened(
    calendars: ExchangeCalendars, layout: Path, **options: object
) -> tuple[Feed, Watched]:
    feed = open_feed(calendars, {"path": layout, **options})
    assert feed.starts_at is not None
    watched = await feed.watch("A", feed.starts_at)
    assert watched is not None
    return feed, watched


async def taped(calendars: ExchangeCalendars, layout: Path) -> Tape:
    return (await opened(calendars, layout))[0].tape("A")


def refusal(calendars: ExchangeCalendars, layout: Path) -> str:
    with pytest.raises(FeedError) as refused:
        open_feed(calendars, {"path": layout})
    return str(refused.value)


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("2024-01-03T14:30:00Z", {}),
        ("2024-01-03 14:30:00", {}),
        ("2024-01-03 09:30:00.000-05:00", {}),
        ("2024-01-03T09:30:00", {"timezone": '"America/New_York"'}),
        ("1704292200", {"time_format": '"epoch_s"'}),
        ("1704292200.0", {"time_format": '"epoch_s"'}),
        ("1704292200000", {"time_format": '"epoch_ms"'}),
        ("1704292200000000", {"time_format": '"epoch_us"'}),
        ("1704292200000000123", {"time_format": '"epoch_ns"'}),
        ("20240103 143000", {"time_format": '"%Y%m%d %H%M%S"'}),
        ("03/01/24 09:30", {"time_format": '"%d/%m/%y %H:%M"', "timezone": '"America/New_York"'}),
        ("20240103 143000 +0000", {"time_format": '"%Y%m%d %H%M%S %z"'}),
        ("2024-01-03T14:31:00Z", {"stamp": '"end"'}),
        ("2024-01-03T14:35:00Z", {"stamp": '"end"', "bar_length": "300"}),
        (
            "34200000",
            {
                "time_format": '"ms_since_midnight"',
                "timezone": '"America/New_York"',
                "name": "20240103_a.csv",
            },
        ),
    ],
)
async def test_times(
    calendars: ExchangeCalendars, tmp_path: Path, written: str, keys: dict[str, str]
) -> None:
    layout = declared(tmp_path, f"{HEADER}{written},10,10,10,10,40\n", **keys)
    tape = await taped(calendars, layout)
    length = int(keys.get("bar_length", 60)) * 1_000_000
    assert tape.trade_at[0] == OPEN
    assert tape.trade_at[-1] == OPEN + length - 1_000


async def test_a_bar_becomes_four_prints_and_quotes_around_them(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    rows = "2024-01-03T14:30:00Z,10.05,10.10,10,10.02,1001\n2024-01-03T14:31:00Z,10,10,10,10.00,3\n"
    layout = declared(tmp_path, HEADER + rows)
    feed, watched = await opened(calendars, layout)
    tape = feed.tape("A")
    prices = [tape.price(units) for units in tape.trade_price]
    assert prices == [Decimal(p) for p in ("10.05", "10.10", "10", "10.02", "10", "10", "10")]
    assert tape.trade_size.tolist() == [251, 250, 250, 250, 1, 1, 1]
    assert (tape.trade_at - OPEN).tolist() == [
        *(0, 20_000_000, 40_000_000, 59_999_000),
        *(MINUTE, MINUTE + 20_000_000, MINUTE + 40_000_000),
    ]
    quote = tape.quote(OPEN)
    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("10.04"), Decimal("10.06"))
    assert (quote.bid_size, quote.ask_size) == (50, 50)
    small = tape.quote(OPEN + MINUTE)
    assert small is not None
    assert small.bid_size == 1, "a lot is always shown"
    assert watched.instrument.currency == "USD"


async def test_where_the_close_is_the_open_the_low_comes_first(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    layout = declared(tmp_path, f"{HEADER}2024-01-03T14:30:00Z,10,12,9,10,4\n")
    tape = await taped(calendars, layout)
    assert tape.trade_price.tolist() == [100_000, 90_000, 120_000, 100_000]


async def test_quotes_around_a_price_off_the_grid_are_on_it(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    layout = declared(tmp_path, f"{HEADER}2024-01-03T14:30:00Z,9.0462,9.0462,9.0462,9.0462,400\n")
    quote = (await taped(calendars, layout)).quote(OPEN)
    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("9.03"), Decimal("9.06"))


async def test_columns_in_any_order_without_a_header_and_zipped(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    layout = declared(
        tmp_path,
        "",
        columns="{ time = 2, open = 6, high = 4, low = 5, close = 3, volume = 7 }",
        name="a.csv.gz",
        header="false",
        separator='";"',
        time_format='"%Y%m%d %H%M%S"',
    )
    row = "x;20240103 143000;10.02;10.10;10.01;10.05;400;10.9\r\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(row.encode()))
    tape = await taped(calendars, layout)
    assert [tape.price(units) for units in tape.trade_price] == [
        Decimal(p) for p in ("10.05", "10.10", "10.01", "10.02")
    ]


async def test_newest_first_where_it_is_declared(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    rows = ["2024-01-03T14:32:00Z,3,3,3,3,4\n", "2024-01-03T14:30:00Z,1,1,1,1,4\n"]
    layout = declared(tmp_path, HEADER + "".join(rows), descending="true")
    tape = await taped(calendars, layout)
    assert tape.trade_price.tolist() == [10_000] * 4 + [30_000] * 4
    assert tape.trade_at[0] == OPEN
    wrong = declared(tmp_path, HEADER + "".join(reversed(rows)), descending="true")
    assert refusal(calendars, wrong) == f"{tmp_path}/a.csv, line 3: time runs forwards"
    wrong = declared(tmp_path, HEADER + "".join(rows))
    assert refusal(calendars, wrong) == f"{tmp_path}/a.csv, line 3: time runs backwards"


async def test_bars_without_volume_are_dropped(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    rows = "2024-01-03T14:30:00Z,1,1,1,1,4\n2024-01-03T14:31:00Z,9,9,9,9,0\n"
    tape = await taped(calendars, declared(tmp_path, HEADER + rows))
    assert tape.dropped == {"empty_bars": 1}
    assert set(tape.trade_price.tolist()) == {10_000}
    assert len(tape.quote_at) == 4


async def test_prices_may_be_scaled_and_sizes_fractions(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    layout = declared(
        tmp_path,
        f"{HEADER}2024-01-03T14:30:00Z,100500,100500,100500,100500,1.504\n",
        price_scale="10000",
        lot='"0.001"',
    )
    feed, watched = await opened(calendars, layout)
    tape = feed.tape("A")
    assert tape.price(tape.trade_price[0]) == Decimal("10.05")
    assert tape.traded(0, tape.until).volume == Decimal("1.504")
    assert watched.instrument.lot == Decimal("0.001")


QUOTE_COLUMNS = "{ time = 't', bid = 'b', ask = 'a', bid_size = 'bs', ask_size = 'as' }"
TRADE_COLUMNS = "{ time = 't', price = 'p', size = 's' }"


def both(root: Path, trades: str, quotes: str, *more: str) -> Path:
    (root / "q.csv").write_text("t,b,a,bs,as\n" + quotes)
    (root / "t.csv").write_text("t,p,s\n" + trades)
    layout = root / "layout.toml"
    layout.write_text(
        "\n".join(
            [
                *(f"{key} = {value}" for key, value in TRAITS.items()),
                *("[[table]]", 'kind = "quotes"', f"columns = {QUOTE_COLUMNS}"),
                *("[table.files]", 'A = "q.csv"'),
                *("[[table]]", 'kind = "trades"', f"columns = {TRADE_COLUMNS}", *more),
                *("[table.files]", 'A = ["t.csv"]', ""),
            ]
        )
    )
    return layout


TWO_QUOTES = (
    "2024-01-03T14:30:00Z,9.99,10.01,100,200\n"
    "2024-01-03T14:30:02Z,9.99,10.02,100,300\n"
    "2024-01-03T14:30:03Z,9.99,10.02,100,300\n"
)
THREE_TRADES = (
    "2024-01-03T14:30:01Z,10.01,5\n2024-01-03T14:30:01Z,10.02,7\n2024-01-03T14:30:02Z,10.02,9\n"
)


async def test_trades_and_quotes_together(calendars: ExchangeCalendars, tmp_path: Path) -> None:
    tape = await taped(calendars, both(tmp_path, THREE_TRADES, TWO_QUOTES))
    assert tape.trade_size.tolist() == [5, 9]
    assert tape.dropped == {"off_market": 1}
    quote = tape.quote(OPEN + 3_000_000)
    assert quote is not None
    # A side that is as it was has not spoken.
    assert (quote.bid_at, quote.ask_at) == (OPEN, OPEN + 2_000_000)


async def test_trades_of_the_quoted_book_itself_are_all_kept(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    tape = await taped(calendars, both(tmp_path, THREE_TRADES, TWO_QUOTES, "one_venue = true"))
    assert tape.trade_size.tolist() == [5, 7, 9]
    assert tape.dropped == {}


async def test_trades_alone_show_a_tick_either_side(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    rows = "t,p,s\n2024-01-03T14:30:01Z,10.01,5\n2024-01-03T14:30:01Z,10.03,7\n"
    layout = declared(tmp_path, rows, kind='"trades"', columns=TRADE_COLUMNS)
    tape = await taped(calendars, layout)
    quote = tape.quote(OPEN + 1_000_000)
    assert quote is not None
    assert (quote.bid, quote.ask, quote.bid_size) == (Decimal("10.02"), Decimal("10.04"), 7)


async def test_sessions_are_those_with_data_and_extended_hours_stay_on_the_tape(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    hours = [
        *("2024-01-02T15:00:00Z", "2024-01-02T23:00:00Z"),  # regular, evening
        *("2024-01-03T12:00:00Z",),  # only before the open
        *("2024-01-04T12:00:00Z", "2024-01-04T15:00:00Z"),  # before the open, regular
    ]
    layout = declared(tmp_path, HEADER + "".join(f"{hour},1,1,1,1,4\n" for hour in hours))
    feed, watched = await opened(calendars, layout)
    assert [s.opens_at // DAY * DAY for s in watched.sessions] == [
        at("2024-01-02"),
        at("2024-01-04"),
    ]
    tape = feed.tape("A")
    first = watched.sessions[0]
    assert tape.traded(first.opens_at - 1, first.closes_at - 1).volume == 4
    assert tape.traded(0, tape.until).volume == 8
    assert feed.starts_at == at("2024-01-02T15:00")
    await feed.advance(first.closes_at)
    tape = feed.tape("A")
    # What was traded on the day without a session belongs to no session.
    assert tape.traded(0, tape.until).volume == 16
    assert tape.traded(at("2024-01-04"), at("2024-01-04T14:30")).volume == 4
    assert tape.traded(at("2024-01-03T06:00"), at("2024-01-04")).volume == 0


async def test_round_the_clock_is_cut_at_midnight(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    hours = ["2024-01-06T23:59:00Z", "2024-01-07T00:00:00Z", "2024-01-08T12:00:00Z"]
    rows = "".join(f"{hour},1,1,1,1,4\n" for hour in hours)
    layout = declared(tmp_path, HEADER + rows, calendar='"24/7"')
    feed, watched = await opened(calendars, layout)
    (session,) = watched.sessions
    assert (session.opens_at, session.closes_at) == (at("2024-01-06"), at("2024-01-09"))
    tape = feed.tape("A")
    assert tape.until == at("2024-01-08")
    assert tape.traded(0, tape.until).volume == 8
    later = await feed.watch("A", at("2024-01-08T00:00"))
    assert later is not None
    assert later.curve is not None
    assert (later.curve.periodic, later.curve.source) == (True, "history:2d")
    assert later.curve.shares[23] == later.curve.shares[0] == 0.5


async def test_several_files_follow_each_other(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    layout = declared(tmp_path, f"{HEADER}2024-01-04T14:30:00Z,2,2,2,2,4\n", name="late.csv")
    (tmp_path / "early.csv").write_text(f"{HEADER}2024-01-03T14:30:00Z,1,1,1,1,4\n")
    text = layout.read_text().replace('"late.csv"', '["late.csv", "early.csv"]')
    layout.write_text(text)
    _, watched = await opened(calendars, layout)
    assert len(watched.sessions) == 2
    (tmp_path / "early.csv").write_text(
        f"{HEADER}2024-01-03T14:30:00Z,1,1,1,1,4\n2024-01-05T14:30:00Z,1,1,1,1,4\n"
    )
    assert refusal(calendars, layout) == (
        f"{tmp_path}/late.csv: begins before {tmp_path}/early.csv ends"
    )


async def test_files_are_found_under_the_root(calendars: ExchangeCalendars, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    layout = declared(data, f"{HEADER}2024-01-03T14:30:00Z,1,1,1,1,4\n")
    moved = layout.rename(tmp_path / "layout.toml")
    assert "cannot be read" in refusal(calendars, moved)
    await opened(calendars, moved, root=data)


GOOD = "2024-01-03T14:30:00Z,10,11,9,10,40"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("2024-01-03T14:31:00Z,10,11,9,10", "5 columns where 6 are expected"),
        ("2024-01-03T14:31:00Z,10,11,9,10,40,1", "7 columns where 6 are expected"),
        ("2024-01-03T14:31:00Z,10,11,9,ten,40", "cannot read close from 'ten'"),
        ("2024-01-03T14:31:00Z,10,11,,10,40", "cannot read low from ''"),
        ("", "0 columns where 6 are expected"),
        ("yesterday,10,11,9,10,40", "cannot read the time as '%+'"),
        (",10,11,9,10,40", "cannot read time from ''"),
        ("2024-01-03T14:31:00Z,10,11,0,10,40", "low is zero"),
        ("2024-01-03T14:31:00Z,-10,11,9,10,40", "open is negative"),
        ("2024-01-03T14:31:00Z,10,11,9,10,-4", "volume is negative"),
        ("2024-01-03T14:31:00Z,10,11,9,10,4.5", "volume is finer than 1/1"),
        ("2024-01-03T14:31:00Z,10.00001,11,9,10,4", "open is finer than 1/10000"),
        ("2024-01-03T14:31:00Z,10,inf,9,10,40", "high is not a number"),
        ("2024-01-03T14:31:00Z,12,11,9,10,40", "open is outside of low and high"),
        ("2024-01-03T14:29:00Z,10,11,9,10,40", "time runs backwards"),
        ("2024-01-03T14:30:00Z,10,11,9,10,40", "a second row of the same time"),
    ],
)
def test_a_broken_row_is_told_with_file_and_line(
    calendars: ExchangeCalendars, tmp_path: Path, row: str, complaint: str
) -> None:
    more = "2024-01-03T14:45:00Z,10,11,9,10,40\n"
    layout = declared(tmp_path, f"{HEADER}{GOOD}\n{row}\n{more}")
    assert refusal(calendars, layout) == f"{tmp_path}/a.csv, line 3: {complaint}"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("2024-01-03T14:30:09Z,10.02,10.01,1,1", "the bid is above the offer"),
        ("2024-01-03T14:30:09Z,10.00,10.01,0,1", "bid_size is zero"),
        ("2024-01-03T14:30:09Z,10.00,0,1,1", "ask is zero"),
    ],
)
def test_a_broken_quote_is_told_with_file_and_line(
    calendars: ExchangeCalendars, tmp_path: Path, row: str, complaint: str
) -> None:
    layout = both(tmp_path, THREE_TRADES, f"{TWO_QUOTES}{row}\n")
    assert refusal(calendars, layout) == f"{tmp_path}/q.csv, line 5: {complaint}"


def test_a_local_time_that_is_none_or_two_is_refused(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    for missing in ("2024-03-10T02:30:00", "2024-11-03T01:30:00"):
        layout = declared(tmp_path, f"{HEADER}{missing},1,1,1,1,4\n", timezone='"America/New_York"')
        assert refusal(calendars, layout) == (
            f"{tmp_path}/a.csv, line 2: no single moment of America/New_York"
        )


def test_a_missing_column_is_told_with_those_there_are(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    layout = declared(tmp_path, HEADER.replace("vol", "volume") + GOOD)
    assert refusal(calendars, layout) == (
        f"{tmp_path}/a.csv, line 1: no column 'vol'; there are time, open, high, low, close, volume"
    )
    twice = declared(tmp_path, "time,open,high,low,close,vol,vol\n")
    assert refusal(calendars, twice).endswith("line 1: two columns of the same name")


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"kind": '"ticks"'}, "'ticks' is not a valid TableKind"),
        ({"stamp": '"middle"'}, "'middle' is not a valid Stamp"),
        ({"timezone": '"Mars/Base"'}, "no time zone is named 'Mars/Base'"),
        ({"colour": '"red"'}, "unknown key 'colour'"),
        ({"columns": "{ time = 'time' }"}, "columns of bars lack 'open'"),
        ({"columns": BARS.replace("'vol'", "6")}, "column 'volume' must be a name"),
        ({"columns": BARS, "header": "false"}, "column 'time' must be a number from 1"),
        ({"header": '"no"'}, "header must be true or false"),
        ({"bar_length": "0"}, "bar_length must be a whole number, at least 1"),
        ({"separator": "1"}, "separator must be a text"),
        ({"tick": '"zero"'}, "tick must be a number above zero"),
        ({"lot": '"-1"'}, "lot must be a number above zero"),
        ({"calendar": '"NOPE"'}, "no trading calendar is named 'NOPE'"),
    ],
)
def test_a_wrong_declaration_is_told(
    calendars: ExchangeCalendars, tmp_path: Path, keys: dict[str, str], complaint: str
) -> None:
    assert complaint in refusal(calendars, declared(tmp_path, f"{HEADER}{GOOD}\n", **keys))


def test_more_that_is_wrong_with_a_declaration(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    layout = tmp_path / "layout.toml"
    assert "No such file" in refusal(calendars, layout)
    layout.write_text("calendar = \n")
    assert f"{layout}: Invalid value (at line 1" in refusal(calendars, layout)
    layout.write_text('calendar = "XNYS"\ntick = "0.01"\nlot = "1"\n')
    assert "no [[table]] is declared" in refusal(calendars, layout)
    bars = declared(tmp_path, f"{HEADER}{GOOD}\n")
    _, _, table = bars.read_text().partition("[[table]]")
    bars.write_text(f"{bars.read_text()}[[table]]{table}")
    assert "A: one table of trades or bars" in refusal(calendars, bars)
    nameless = declared(
        tmp_path, f"{HEADER}34200000,1,1,1,1,1\n", time_format='"ms_since_midnight"'
    )
    assert "its name does not say the day" in refusal(calendars, nameless)


@pytest.mark.parametrize("path", sorted(LAYOUTS.glob("*.toml")), ids=lambda path: path.stem)
def test_no_shipped_layout_knows_this_machine(path: Path) -> None:
    assert '"/' not in path.read_text()


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "symbol", "sessions", "first", "volume"),
    [
        ("spy-2011-minute", "SPY", 20, at("2011-01-03T14:30"), 111_998_202),
        ("aapl-2024-minute", "AAPL", 13, at("2024-01-02T14:30"), 64_422_965),
        ("sw-2024-minute", "SW", 124, at("2024-07-08T13:30"), 10_251_955),
        ("us8-2019-minute", "AMZN", 5, at("2019-02-11T14:30"), 3_128_423),
    ],
)
async def test_the_shipped_layouts_read_what_they_are_for(
    calendars: ExchangeCalendars,
    data_sets: Path,
    name: str,
    symbol: str,
    sessions: int,
    first: Instant,
    volume: int,
) -> None:
    feed = open_feed(calendars, {"path": LAYOUTS / f"{name}.toml", "root": data_sets})
    assert feed.starts_at is not None
    watched = await feed.watch(symbol, feed.starts_at)
    assert watched is not None
    assert len(watched.sessions) == sessions
    session = watched.sessions[0]
    assert session.opens_at == first
    assert feed.starts_at - first < HOUR
    tape = feed.tape(symbol)
    assert tape.traded(session.opens_at - 1, session.closes_at - 1).volume == volume
    later = watched.sessions[-1]
    history = await feed.watch(symbol, later.opens_at)
    assert history is not None
    assert history.curve is not None
    # End-stamped bars read as start-stamped would move the close's crowd out of the session.
    assert history.curve.shares[-1] > 1.5 * sorted(history.curve.shares)[13]
