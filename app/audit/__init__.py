"""The auditor: checks the invariants from the database and the venue's ledger alone.

It shares no line with what it audits: nothing of `app` is imported here, the sums are done again.
What cannot be seen from those two is not claimed: that a decision saw the true tape (I10 is
checked against what it says it saw), that a subscriber got what was told (I21), that nothing
depends on the clock (I24, I27). `docs/audit.md` lists the checks, and what is checked in part.
"""

from app.audit.records import Check, Fault, Report
from app.audit.rule import Bounds
from app.audit.run import Terms, Unreadable, audit, reachable

__all__ = ["Bounds", "Check", "Fault", "Report", "Terms", "Unreadable", "audit", "reachable"]
