"""Every place of the order path where a process is killed, and the scene that brings it there."""

from tests.failpoints.exits import bracketed
from tests.failpoints.flatten import flattening, stopping
from tests.failpoints.retention import keep_house
from tests.failpoints.scenes import (
    Scene,
    adopting,
    busting,
    canceling,
    commanding,
    entering,
    entering_beside,
    giving_back,
    missing,
    orphaned,
    switching,
    taking_over,
    telling,
    work,
)

GROUPS: dict[str, dict[str, Scene]] = {
    "doors": {
        "order.checked": entering,
        "order.entered": entering_beside,
        "order.inserted": entering,
        "order.committed": entering,
        "order.answered": entering,
        "command.locked": commanding,
        "command.recorded": commanding,
        "command.committed": commanding,
        "switch.written": switching,
        "switch.committed": switching,
        "switch.carrying_out": switching,
        "switch.carried_out": switching,
        "bell.rung": telling,
        "events.read": telling,
        "events.handed_out": telling,
        "frame.handed_out": telling,
    },
    "flatten": {
        "flatten.entered": flattening,
        "flatten.committed": flattening,
        "kill_file.written": stopping,
    },
    "exits": {
        "exits.recorded": bracketed,
        "exits.committed": bracketed,
    },
    "out": {
        "attention.cleared": work,
        "attention.loaded": work,
        "decision.made": work,
        "intent.begun": work,
        "intent.locked": work,
        "intent.committed": work,
        "intent.remembered": work,
        "send.leased": work,
        "send.handed": work,
        "send.answered": work,
        "answer.recorded": work,
        "cancel.decided": canceling,
        "cancel.leaving": canceling,
        "cancel.sent": canceling,
        "cancel.recorded": canceling,
    },
    "in": {
        "report.heard": work,
        "booking.begun": work,
        "booking.recorded": work,
        "booking.committed": work,
        "report.remembered": work,
        "facts.locked": work,
        "facts.folded": work,
        "facts.persisted": work,
        "facts.committed": work,
        "facts.remembered": work,
        "fill.inserted": work,
        "bust.marked": busting,
        "adoption.found": adopting,
        "adoption.recorded": adopting,
        "adoption.booked": adopting,
    },
    "ownership": {
        "lease.claimed": orphaned,
        "desk.loaded": orphaned,
        "desk.reconciled": orphaned,
        "desk.restarted": orphaned,
        "desk.open": taking_over,
        "reconcile.asked": taking_over,
        "reconcile.answered": taking_over,
        "reconcile.booked": taking_over,
        "lease.renewed": taking_over,
        "desk.drained": giving_back,
        "lease.given_back": giving_back,
        "absence.concluded": missing,
        "absence.recorded": missing,
        "retention.archived": keep_house,
        "retention.removing": keep_house,
        "retention.removed": keep_house,
    },
}
"""Every place once, with the scene that reaches it."""

HOT = tuple(
    place
    for group in ("out", "in")
    for place, scene in GROUPS[group].items()
    if scene is work and not place.startswith("attention")
)
"""Places that an order passes many times: they are also killed at a later pass."""
