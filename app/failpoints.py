"""Named places on the order path where a test may end or freeze this process.

`SLIPSTREAM_TEST_FAILPOINT=name[:nth[:kill|stop]]` arms one; without it a place costs one
comparison. Production never sets it. Every place is listed in `PLACES`, so that "each was killed
at once" is a number.
"""

import os
import signal

VARIABLE = "SLIPSTREAM_TEST_FAILPOINT"

PLACES: tuple[str, ...] = (
    "order.checked",
    "order.entered",
    "order.inserted",
    "order.committed",
    "order.answered",
    "command.locked",
    "command.recorded",
    "command.committed",
    "switch.written",
    "switch.committed",
    "switch.carrying_out",
    "switch.carried_out",
    "flatten.entered",
    "flatten.committed",
    "exits.recorded",
    "exits.committed",
    "kill_file.written",
    "lease.claimed",
    "desk.loaded",
    "desk.reconciled",
    "desk.restarted",
    "desk.open",
    "attention.cleared",
    "attention.loaded",
    "decision.made",
    "intent.begun",
    "intent.locked",
    "intent.committed",
    "intent.remembered",
    "send.leased",
    "send.handed",
    "send.answered",
    "cancel.decided",
    "cancel.leaving",
    "cancel.sent",
    "cancel.recorded",
    "report.heard",
    "booking.begun",
    "facts.locked",
    "fill.inserted",
    "bust.marked",
    "facts.folded",
    "facts.persisted",
    "booking.recorded",
    "booking.committed",
    "report.remembered",
    "facts.committed",
    "facts.remembered",
    "answer.recorded",
    "reconcile.asked",
    "reconcile.answered",
    "reconcile.booked",
    "absence.concluded",
    "absence.recorded",
    "adoption.found",
    "adoption.recorded",
    "adoption.booked",
    "bell.rung",
    "events.read",
    "events.handed_out",
    "frame.handed_out",
    "lease.renewed",
    "desk.drained",
    "lease.given_back",
    "retention.archived",
    "retention.removing",
    "retention.removed",
)
"""All there are, in the order an order meets them."""


class _Armed:
    """The one place that is armed, and how many passes are left before it fires."""

    def __init__(self, told: str | None) -> None:
        name, _, rest = (told or "").partition(":")
        nth, _, how = rest.partition(":")
        self.name = name or None
        self.left = int(nth or 1)
        self.number = signal.SIGSTOP if how == "stop" else signal.SIGKILL

    def pass_by(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)


_armed = _Armed(os.environ.get(VARIABLE))


def reach(name: str) -> None:
    """Say that the order path is here; ends or freezes the process if a test armed the place."""
    if _armed.name is not None and name == _armed.name:
        _armed.pass_by()
