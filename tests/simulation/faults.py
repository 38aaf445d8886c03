"""What can go wrong on a day, and how often it did."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Crashed(Exception):
    """The worker died here: memory is gone, the journal stays."""


class Frozen(Exception):
    """The worker stopped here, and goes on when another one owns the desk."""


class Kind(StrEnum):
    CRASH = "crash"
    FREEZE = "freeze"
    LATE_START = "late_start"
    COMMAND_RACES = "command_races"
    HALT_RACES = "halt_races"
    REQUEST_LOST = "request_lost"
    REQUEST_LATE = "request_late"
    REQUEST_REFUSED = "request_refused"
    REQUEST_DUPLICATED = "request_duplicated"
    ACK_LOST = "ack_lost"
    ACK_LATE = "ack_late"
    ACK_DUPLICATED = "ack_duplicated"
    CANCEL_LOST = "cancel_lost"
    REPORT_LOST = "report_lost"
    FILL_LOST = "fill_lost"
    REPORT_LATE = "report_late"
    FILL_LATE = "fill_late"
    REPORT_DUPLICATED = "report_duplicated"
    FILL_AFTER_CANCEL = "fill_after_cancel"
    OVER_FILL = "over_fill"
    THROWN_OUT = "thrown_out"
    BUST = "bust"
    CORRECTION = "correction"
    RESTORED = "restored"
    LOOKUP_LAGS = "lookup_lags"
    LIST_LIES = "list_lies"
    VENUE_AWAY = "venue_away"
    FEED_SILENT = "feed_silent"


PLACES = (
    "loaded",
    "reconciling",
    "reconciled",
    "decided",
    "committed",
    "before_socket",
    "after_socket",
    "answered",
    "answer_booked",
    "heard",
    "booked",
    "cancel_sent",
)
"""Every step of the path between facts and the outside, where the worker may die."""


@dataclass(slots=True)
class Mischief:
    """Faults that wait for their chance. `happened` counts those that found it."""

    armed: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)

    def arm(self, what: str) -> None:
        self.armed[what] += 1

    def take(self, what: str) -> bool:
        """Whether an armed fault happens now."""
        if not self.armed or not self.armed.get(what):
            return False
        self.armed[what] -= 1
        self.happened[what] += 1
        return True
