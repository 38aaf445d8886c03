"""The auditor: checks the invariants from the database and the venue's ledger alone.

It shares no line with what it audits: nothing of `app` is imported here, the sums are done again.
What cannot be seen from those two is not claimed: participation (I10) and the collar (I9) need
the tape, delivery to subscribers (I21) a subscriber, liveness (I28–I30) time.
"""

from app.audit.records import Check, Fault, Report
from app.audit.run import Unreadable, audit, reachable

__all__ = ["Check", "Fault", "Report", "Unreadable", "audit", "reachable"]
