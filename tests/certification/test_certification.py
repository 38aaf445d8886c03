"""Every broker is certified, row by row; docs/brokers.md says no more than that."""

from pathlib import Path

import pytest

from tests.certification.checks import CHECKS
from tests.certification.rigs import CANNOT, PaperRig, Rig, venue_rig
from tests.certification.rows import ROWS
from tests.venue.running import running_venue

ROOT = Path(__file__).parents[2]
BROKERS = ("paper", "sandbox", "alpaca")


def applies(broker: str, row: str) -> bool:
    return row not in CANNOT[broker]


@pytest.mark.parametrize(
    ("broker", "row"), [(b, r) for b in BROKERS for r in ROWS if applies(b, r)]
)
async def test_certified(broker: str, row: str, tmp_path: Path) -> None:
    if broker == "paper":
        paper = PaperRig(tmp_path)
        try:
            await CHECKS[row](paper)
        finally:
            await paper.close()
        return
    with running_venue(tmp_path) as venue:
        rig: Rig = venue_rig(broker, venue)
        await CHECKS[row](rig)
        await rig.close()


def test_every_row_has_its_check() -> None:
    assert list(CHECKS) == list(ROWS)
    assert set().union(*CANNOT.values()) <= set(ROWS)


def table() -> str:
    """The table as it has to stand in docs/brokers.md."""
    lines = ["| | paper | sandbox | alpaca |", "|---|---|---|---|"]
    for row, what in ROWS.items():
        marks = ["✔" if applies(broker, row) else f"– {CANNOT[broker][row]}" for broker in BROKERS]
        lines.append(f"| {what} | {' | '.join(marks)} |")
    return "\n".join(lines)


def test_the_table_tells_what_was_certified() -> None:
    assert table() in (ROOT / "docs" / "brokers.md").read_text(), table()
