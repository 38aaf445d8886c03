"""The statuses there are and the moves between them, written down a second time on purpose."""

ORDER_OPEN = frozenset({"accepted", "scheduled", "working", "paused", "closing", "needs_operator"})
ORDER_DONE = frozenset({"filled", "canceled", "expired", "rejected"})
CHILD_OPEN = frozenset({"intent", "sent", "working", "partially_filled", "unknown"})
CHILD_DONE = frozenset({"filled", "canceled", "expired", "rejected"})

ORDER_MOVES: dict[str, frozenset[str]] = {
    "accepted": frozenset({"scheduled", "working", "paused", "closing", "rejected"}),
    "scheduled": frozenset({"working", "paused", "closing"}),
    "working": frozenset({"paused", "closing", "filled", "needs_operator"}),
    "paused": frozenset({"scheduled", "working", "closing", "filled", "needs_operator"}),
    "closing": frozenset({"filled", "canceled", "expired", "rejected", "needs_operator"}),
    "needs_operator": frozenset({"closing", "filled"}),
}

# Which reports may end a child, and from where: a partly filled one cannot be refused any more.
CHILD_ENDS: dict[str, frozenset[str]] = {
    "canceled": CHILD_OPEN,
    "expired": CHILD_OPEN,
    "rejected": CHILD_OPEN - {"partially_filled"},
}
