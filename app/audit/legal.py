"""The statuses there are and the moves between them, written down a second time on purpose."""

ORDER_OPEN = frozenset({"accepted", "scheduled", "working", "paused", "closing", "needs_operator"})
ORDER_DONE = frozenset({"filled", "canceled", "expired", "rejected"})
CHILD_OPEN = frozenset({"intent", "sent", "working", "partially_filled", "unknown"})
CHILD_DONE = frozenset({"filled", "canceled", "expired", "rejected"})

ORDER_MOVES: dict[str, frozenset[str]] = {
    "accepted": frozenset(
        {"scheduled", "working", "paused", "closing", "rejected", "needs_operator"}
    ),
    "scheduled": frozenset({"working", "paused", "closing", "needs_operator"}),
    "working": frozenset({"paused", "closing", "filled", "needs_operator"}),
    "paused": frozenset({"scheduled", "working", "closing", "filled", "needs_operator"}),
    "closing": frozenset({"filled", "canceled", "expired", "rejected", "needs_operator"}),
    "needs_operator": frozenset({"closing", "filled"}),
}

# From where a child may end: never twice. Its fills, late ones too, move it on their own.
CHILD_ENDS = CHILD_OPEN
