"""Faults of limits, of what counts towards them, and of signals."""

from tests.planted.fault import fault

RESTRAINING = (
    fault(
        "orders are counted without a lock",
        (
            "app/store/limits.py",
            "    if counting:\n",
            "    if False:\n",
        ),
        tests="tests/api/test_limits.py::test_a_hundred_at_once_never_exceed_one_budget",
    ),
    fault(
        "neighbours of one batch do not count for each other",
        (
            "app/store/restraint.py",
            "        used = _counted(used, counting[i], one.proposal)\n",
            "",
        ),
        tests="tests/api/test_limits.py::test_a_hundred_at_once_never_exceed_one_budget",
    ),
    fault(
        "the limits remembered are the limits",
        (
            "app/store/entry.py",
            '        asked.append(f"limits_are(${next(numbers)})")\n',
            '        asked.append(f"${next(numbers)}::bigint IS NOT NULL")\n',
        ),
        tests="tests/api/test_limits.py"
        "::test_once_a_change_is_answered_nothing_that_breaks_it_is_entered",
    ),
    fault(
        "a confirmation opens a hard limit",
        (
            "app/domain/risk/judge.py",
            "    if hard is not None and value > hard:\n        return Verdict(bound, value,"
            " Outcome.REFUSE)\n",
            "    if hard is not None and value > hard:\n        return Verdict(bound, value,"
            " _confirm(bound, confirmed))\n",
        ),
        tests="tests/domain/risk/test_judge.py",
    ),
    fault(
        "what is not known passes",
        (
            "app/domain/risk/judge.py",
            "Outcome.PASS if eased else Outcome.REFUSE, str(unknown))",
            "Outcome.PASS, str(unknown))",
        ),
        tests="tests/domain/risk/test_judge.py",
    ),
    fault(
        "children are as large as they like",
        ("app/domain/guards.py", "    collar,\n    child_limit,\n", "    collar,\n"),
        tests="tests/engine/test_restraints.py::test_no_child_is_larger_than_its_limit",
    ),
    fault(
        "nobody asks the ledger",
        (
            "app/store/intents.py",
            "        if sent:\n",
            "        if False:\n",
        ),
        tests="tests/engine/test_runaway.py",
    ),
    fault(
        "a restart arms a strategy again",
        (
            "app/engine/restraints.py",
            "            if held_against(self._bounds, Held.PACE):\n",
            "            if False:\n",
        ),
        tests="tests/engine/test_restraints.py"
        "::test_a_restart_within_the_minute_begins_no_window_anew",
    ),
    fault(
        "two processes decide on one symbol at once",
        (
            "app/store/signals.py",
            "SELECT pg_try_advisory_lock(",
            "SELECT pg_try_advisory_lock_shared(",
        ),
        tests="tests/api/test_signals.py::test_targets_at_once_through_two_doors_come_to_one",
    ),
    fault(
        "a strategy goes on without its record",
        (
            "app/engine/strategies.py",
            "    if open_ones:\n",
            "    if False:\n",
        ),
        tests="tests/api/test_signals.py::test_promotion_takes_what_is_on_record",
    ),
)
