"""Daily bars: one a session, matched by the date."""

from app.domain.instant import DAY, to_datetime
from app.tapes.columns import Entry
from app.tapes.day import day_name
from app.tapes.detect_time import Hours
from app.tapes.pieces import BarsPiece, Piece
from app.tapes.sketch import Sketch, sketch_of
from app.tapes.writing import SymbolWriter


def add_daily(writer: SymbolWriter, piece: Piece, hours: Hours) -> list[Sketch]:
    """The sessions of the bars; a bar of a day without a session is left out, and counted."""
    assert isinstance(piece, BarsPiece), "daily bars are bars"
    bars = piece.bars
    if not len(bars.at):
        return []
    prices = bars.prices
    sessions = hours.between(int(bars.at[0]), int(bars.at[-1]))
    by_date = {day_name(session): session for session in sessions}
    sketches = []
    for row, at in enumerate(bars.at.tolist()):
        session = by_date.get(_date(at))
        if session is None:
            continue
        here = slice(row, row + 1)
        columns = (prices.open[here], prices.high[here], prices.low[here], prices.close[here])
        noon = bars.at[here] * 0 + session.opens_at
        # One bin of the whole session: a day has no inside.
        sketch = sketch_of(session, noon, columns, bars.volume[here], session.length)
        sketches.append(sketch)
        writer.add_daily(_entry(sketch))
    return sketches


def _date(at: int) -> str:
    return to_datetime(at // DAY * DAY).date().isoformat()


def _entry(sketch: Sketch) -> Entry:
    session = sketch.session
    return Entry(
        opens_at=session.opens_at,
        closes_at=session.closes_at,
        since=session.opens_at,
        until=session.closes_at,
        quotes=0,
        trades=0,
        beside=0,
        bars=0,
        quote_bars=0,
        open=sketch.open,
        high=sketch.high,
        low=sketch.low,
        close=sketch.close,
        volume=sketch.volume,
        outside=0,
    )
