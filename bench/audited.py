"""The independent audit, over what a figure has done."""

from pathlib import Path

from app.audit import Bounds, Terms, audit
from bench.servers import Server

GRACE_SECONDS = 5.0
OVERDUE_SECONDS = 600.0


async def faults(house: Server, ledger: Path, *, settled: bool) -> int:
    """Rows at fault in the journal against the venue's ledger. `settled`: nothing may be open."""
    terms = Terms(GRACE_SECONDS, settled, Bounds(overdue=OVERDUE_SECONDS))
    report = await audit(house.database_url, [ledger], terms)
    return sum(check.total for check in report.failed())
