"""From a source into the store: read, named what is wrong, cut into sessions, put in place."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app.domain.instant import SECOND, rfc3339
from app.domain.session import Session
from app.ports import FeedError
from app.tapes.clean import Fault
from app.tapes.cross import closing_cross
from app.tapes.daily import add_daily
from app.tapes.day import day_name
from app.tapes.detect_time import Hours
from app.tapes.errors import TapeError
from app.tapes.findings import Done, Finding, Severity, finding, refusing
from app.tapes.manifest import Dataset, Kind, Manifest, SourceFile, read_manifest
from app.tapes.material import Material, Source
from app.tapes.moments import NO_TIME
from app.tapes.pieces import NEIGHBOURS, BarsPiece, Piece, cut
from app.tapes.session_faults import Watched, session_faults
from app.tapes.sketch import Sketch
from app.tapes.writing import SymbolWriter, checked_name, matching_dataset

BLOCK = 1 << 20
RARE = 0.01
"""A share of crossed quotes that one-sided updates make by themselves."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one symbol: imported, checked (a dry run), unchanged or refused."""

    symbol: str
    result: str
    sessions: int
    rows: int
    findings: tuple[Finding, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a source is to be imported."""

    dataset: str
    vendor: str
    replace: bool = False
    dry_run: bool = False
    anyway: bool = False


Progress = Callable[[str, Session | None], None]
"""Told of each session that is done; without a session: the symbol is."""


def import_symbol(
    root: Path, source: Source, material: Material, wish: Wish, hours: Hours, told: Progress
) -> Outcome:
    """Imports one symbol. Raises TapeError for what cannot be read or fits no dataset."""
    folder = root / checked_name("dataset", wish.dataset)
    seconds = source.bar_length // SECOND if source.bar_length is not None else None
    wanted = Dataset(wish.dataset, wish.vendor, source.kind, source.calendar, seconds)
    dataset = matching_dataset(folder, wanted)
    files = tuple(_summed(path) for path in material.files)
    checksum = checksum_of(source, material, files)
    there = folder / f"{material.symbol}.json"
    if there.exists() and not wish.dry_run:
        known = read_manifest(there)
        if known.checksum == checksum:
            return Outcome(material.symbol, "unchanged", 0, 0, known.findings, "the same files")
        if not wish.replace:
            raise TapeError(
                f"{material.symbol} is in {wish.dataset} from other files (or read in another"
                " way): --replace puts these in its place"
            )
    writer = SymbolWriter(folder, material.symbol, material.scales)
    try:
        outcome, manifest = _filled(writer, source, material, hours, told)
        bad = refusing(outcome.findings)
        if wish.dry_run:
            return replace(outcome, result="checked")
        if bad and not wish.anyway:
            return replace(outcome, result="refused", why=bad[0].example)
        manifest = replace(manifest, checksum=checksum, files=files)
        writer.commit(dataset, manifest)
        return outcome
    finally:
        writer.discard()
        _tidy(folder)


def _filled(
    writer: SymbolWriter, source: Source, material: Material, hours: Hours, told: Progress
) -> tuple[Outcome, Manifest]:
    sketches: list[Sketch] = []
    faults: list[Fault] = []
    empty: list[Sketch] = []
    faults_of_days: list[Finding] = []
    rows = 0
    for piece, found in material.read():
        faults += found
        rows += sum(len(at) for at in piece.times())
        if source.kind is Kind.DAILY:
            sketches += add_daily(writer, piece, hours)
            continue
        for session, part in cut(piece, stretches_of(piece, hours)):
            sketch = part.sketch(session)
            if not sketch.rows[sketch.inside].any():
                empty.append(sketch)
                continue
            if material.quotes == "recorded" and not _quoted(part):
                text = "no quotes on this day: assumed around its prices"
                faults_of_days.append(
                    finding("no_quotes", material.symbol, day_name(session), 1, text)
                )
            try:
                sketches.append(writer.add(session, part))
            except FeedError as wrong:
                raise TapeError(str(wrong)) from wrong
            told(material.symbol, session)
    scheduled = _scheduled(sketches + empty, hours)
    watched = Watched(material.symbol, scheduled, material.splits, source.bar_length)
    found_rows = [*row_findings(material.symbol, faults, scheduled), *faults_of_days]
    found_rows += lost_findings(material.symbol, writer)
    everything = sorted(sketches + empty, key=lambda s: s.session.opens_at)
    found_rows += session_faults(everything, watched)
    if not sketches:
        text = f"no row is inside of a session of {hours.name}"
        found_rows.append(
            Finding(Severity.ERROR, "outside_sessions", material.symbol, None, rows, text,
                    Done.REFUSED)
        )  # fmt: skip
    outcome = Outcome(material.symbol, "imported", len(sketches), rows, tuple(found_rows))
    return outcome, _manifest(writer, source, material, sketches, found_rows)


def _quoted(piece: Piece) -> bool:
    if isinstance(piece, BarsPiece):
        return piece.quotes is not None
    return bool(len(piece.recording.book.at))


def stretches_of(piece: Piece, hours: Hours) -> Sequence[Session]:
    ends = [int(at[i]) for at in piece.times() if len(at) for i in (0, -1)]
    return hours.between(min(ends) - NEIGHBOURS, max(ends) + NEIGHBOURS) if ends else ()


def _scheduled(sketches: Sequence[Sketch], hours: Hours) -> Sequence[Session]:
    if not sketches:
        return ()
    first = min(sketch.session.opens_at for sketch in sketches)
    last = max(sketch.session.closes_at for sketch in sketches)
    every = hours.between(first, last)
    return [s for s in every if s.opens_at >= first and s.closes_at <= last]


def _manifest(
    writer: SymbolWriter,
    source: Source,
    material: Material,
    sketches: Sequence[Sketch],
    findings: Sequence[Finding],
) -> Manifest:
    dropped: Counter[str] = Counter()
    for found in findings:
        if found.done is Done.DROPPED:
            dropped[found.name] += found.count
    where, share = closing_cross(sketches, source.bar_length)
    statements = (*source.statements, *material.statements)
    return Manifest(
        symbol=material.symbol,
        folder="",
        checksum="",
        files=(),
        price_scale=material.scales.price,
        size_scale=material.scales.size,
        tick=material.tick,
        lot=material.lot,
        currency=material.currency,
        quotes=material.quotes,
        adjusted=material.adjusted,
        coverage="extended" if _extended(sketches) else "regular",
        closing_cross=where,
        closing_share=share,
        splits=material.splits,
        dropped=dict(dropped),
        lost={day: dict(lost) for day, lost in writer.lost.items()},
        statements=tuple((s.what, s.value, s.why) for s in statements),
        findings=tuple(findings),
    )


def _extended(sketches: Sequence[Sketch]) -> bool:
    """Whether most sessions have more than a closing cross around them."""
    return sum(s.outside_rows > 5 for s in sketches) > len(sketches) / 2


def row_findings(
    symbol: str, faults: Sequence[Fault], scheduled: Sequence[Session]
) -> Iterator[Finding]:
    """Faults of rows, by day: that of the nearest session, so that evenings stay with their day."""
    for fault in faults:
        days: Counter[str | None] = Counter(
            _day(int(at), scheduled) if at != NO_TIME else None for at in fault.at.tolist()
        )
        for day, count in days.items():
            yield finding(fault.name, symbol, day, count, fault.example)


def _day(at: int, scheduled: Sequence[Session]) -> str:
    if not scheduled:
        return rfc3339(at)[:10]
    nearest = min(scheduled, key=lambda s: max(s.opens_at - at, at - s.closes_at, 0))
    far = max(nearest.opens_at - at, at - nearest.closes_at, 0) > 12 * 3600 * SECOND
    return rfc3339(at)[:10] if far else day_name(nearest)


_REASONS = {
    "crossed": "crossed_quotes",
    "one_sided": "one_sided_quotes",
    "suspicious": "suspicious",
    "off_market": "off_market",
    "not_market": "not_market",
}


def lost_findings(symbol: str, writer: SymbolWriter) -> Iterator[Finding]:
    """What the readers of ticks and quote bars leave out by themselves."""
    quotes = {
        day_name(entry.session): entry.quotes + 4 * entry.quote_bars for entry in writer.entries
    }
    for day, lost in writer.lost.items():
        for reason, count in lost.items():
            name = _REASONS[reason]
            text = f"{count} of {quotes[day]:,} quotes" if "quotes" in name else f"{count} rows"
            found = finding(name, symbol, day, count, text)
            # One-sided updates pass through crossed states for milliseconds.
            if name == "crossed_quotes" and count < RARE * quotes[day]:
                found = replace(found, severity=Severity.NOTE)
            yield found


def checksum_of(source: Source, material: Material, files: Sequence[SourceFile]) -> str:
    """Of the files and of how they are read: another layout makes other columns."""
    said = [asdict(s) for s in (*source.statements, *material.statements)]
    parts = [f.sha256 for f in files] + [f"{s['what']}={s['value']}" for s in said]
    parts += [f"{day}={ratio}" for day, ratio in sorted(material.splits.items())]
    parts.append(material.adjusted)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _summed(path: Path) -> SourceFile:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
        return SourceFile(path.name, path.stat().st_size, digest.hexdigest())
    except OSError as broken:
        raise TapeError(f"{path}: cannot be read: {broken}") from broken


def _tidy(folder: Path) -> None:
    """A dataset that nothing was put into leaves no folder."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def totals(findings: Sequence[Finding]) -> Mapping[Severity, int]:
    return Counter(found.severity for found in findings)
