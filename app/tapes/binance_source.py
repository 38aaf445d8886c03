"""A dump of Binance futures streams as a source."""

from collections.abc import Iterator
from pathlib import Path

from app.domain.instrument import Instrument
from app.ports import Calendar, FeedError
from app.tapes.errors import TapeError
from app.tapes.manifest import Kind
from app.tapes.material import Material, Read, Source
from app.tapes.pieces import Scales, TicksPiece
from app.tapes.reading.binance import CALENDAR, CURRENCY, binance_records
from app.tapes.reading.recording import Recording
from app.tapes.stated import Statement

VENDOR = "Binance"


def binance_source(path: Path, calendar: Calendar) -> Source:
    """Raises TapeError."""
    try:
        records = binance_records(path, calendar)
        materials = []
        for symbol in records.symbols():
            instrument, recording = records.whole(symbol)
            materials.append(_material(symbol, path, instrument, recording))
    except FeedError as wrong:
        raise TapeError(str(wrong)) from wrong
    why = "what the dump's messages declare"
    said = (
        Statement("format", "Binance futures streams: bookTicker and trade", why),
        Statement("time", "the exchange's T in ms, UTC; not the local clock", why),
        Statement("tick, lot", "the finest steps that occur", "the data"),
        Statement("calendar", CALENDAR, "it never closes"),
    )
    return Source("binance", VENDOR, Kind.TICKS, CALENDAR, None, tuple(materials), said)


def _material(symbol: str, path: Path, traits: Instrument, recording: Recording) -> Material:
    price, size = recording.price_scale, recording.size_scale

    def read() -> Iterator[Read]:
        yield TicksPiece(recording), ()

    return Material(
        symbol=symbol,
        files=(path,),
        scales=Scales(price, size, int(traits.tick * price), int(traits.lot * size)),
        tick=traits.tick,
        lot=traits.lot,
        currency=CURRENCY,
        quotes="recorded",
        read=read,
        adjusted="raw",
    )
