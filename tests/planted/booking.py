"""Faults of booking: a fill lost, counted twice, or quantity freed that was filled."""

from tests.planted.fault import fault

BEGUN = '    async with database.transaction() as connection:\n        reach("booking.begun")\n'

BOOKING = (
    fault(
        "executions marked before they are applied",
        (
            "app/engine/inbox.py",
            BEGUN,
            "    for report in reports:\n"
            "        if isinstance(report, ExecutionReport):\n"
            "            if report.execution_id in _MARKED:\n"
            "                reports = [r for r in reports if r is not report]\n"
            "            _MARKED.add(report.execution_id)\n" + BEGUN,
        ),
        (
            "app/engine/inbox.py",
            "\n\nasync def book(\n",
            "\n\n_MARKED: set[str] = set()\n\n\nasync def book(\n",
        ),
        tests="tests/engine/test_booked_again.py tests/engine/test_inbox.py",
    ),
    fault(
        "end booked before fills",
        (
            "app/engine/sorting.py",
            "Entry(order_id, sorted(facts, key=_is_end), voids=voids)",
            "Entry(order_id, sorted(facts, key=_is_end, reverse=True), voids=voids)",
        ),
        tests="tests/engine/test_sorting.py tests/engine/test_inbox.py",
    ),
    fault(
        "end accepted though fills are missing",
        (
            "app/engine/sorting.py",
            "if state.status in CHILD_DONE and state.filled != filled:",
            "if state.status in CHILD_DONE and state.filled < filled:",
        ),
        tests="tests/engine/test_sorting.py",
    ),
    fault(
        "fill known without its account",
        (
            "app/store/children.py",
            '" WHERE account = $1 AND broker = $3 AND execution_id = ANY($4)"',
            '" WHERE $1 <> $3 AND execution_id = ANY($4)"',
        ),
        tests="tests/store/test_fill_keys.py",
    ),
    fault(
        "executions asked without overlap",
        (
            "app/engine/reconcile.py",
            "broker.executions(max(since - overlap, 0))",
            "broker.executions(max(since, 0))",
        ),
        tests="tests/engine/test_reconcile.py",
    ),
    fault(
        "bust that leaves the position",
        (
            "app/store/journal_write.py",
            "if isinstance(fact, Filled | Busted)]",
            "if isinstance(fact, Filled)]",
        ),
        tests="tests/store/test_journal.py tests/store/test_busts.py",
    ),
    fault(
        "positions moved twice",
        (
            "app/store/journal_write.py",
            "    for t in trades:\n",
            "    for t in [*trades, *trades]:\n",
        ),
        tests="tests/store/test_journal.py",
    ),
    fault(
        "adoption that leaves the next number",
        (
            "app/domain/fold_births.py",
            "        children=tuple(sorted(children, key=lambda c: c.number)),\n"
            "        next_child=max(after.next_child, fact.number + 1),\n",
            "        children=tuple(sorted(children, key=lambda c: c.number)),\n",
        ),
        tests="tests/domain/test_busts_and_adoption.py",
    ),
    fault(
        "absence proven by when the answer was read",
        (
            "app/engine/reconcile.py",
            "found.missing[child_id] = at\n",
            "found.missing[child_id] = _now()\n",
        ),
        tests="tests/engine/test_evidence.py",
    ),
    fault(
        "what a canceled child may have filled is sent again after a bust",
        (
            "app/domain/fold_children.py",
            "(ChildStatus.FILLED, ChildStatus.CANCELED, ChildStatus.EXPIRED)",
            "(ChildStatus.FILLED,)",
        ),
        tests="tests/domain/test_busts_and_adoption.py",
    ),
)
