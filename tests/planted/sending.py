"""Faults of sending: twice, too early, or given up without proof."""

from tests.planted.fault import fault

SENDING = (
    fault(
        "sent before the intent is committed",
        (
            "app/engine/acting.py",
            "        recorded, stopped = await intend(\n",
            "        for order, _ in acting:\n"
            "            of_order = next(e for e in entries if e.order_id == order.order_id)\n"
            "            intents = [f for f in of_order.facts if isinstance(f, Intended)]\n"
            "            self._sender.send(order.order_id, order.symbol, intents)\n"
            "        recorded, stopped = await intend(\n",
        ),
        ("app/engine/acting.py", "        self._send(entries, recorded)\n", ""),
        tests="tests/engine/test_halted_under_lock.py",
    ),
    fault(
        "resent on timeout",
        (
            "app/engine/sending.py",
            "            outcome = await self._broker.submit(ticket)\n",
            "            outcome = await self._broker.submit(ticket)\n"
            "            if isinstance(outcome, Unclear):\n"
            "                outcome = await self._broker.submit(ticket)\n",
        ),
        tests="tests/engine/test_recovery.py::test_an_unclear_send_is_never_repeated",
    ),
    fault(
        "timeout taken for a refusal",
        (
            "app/engine/sending.py",
            "            return BecameUnknown(now, ticket.child_id, outcome.why)\n",
            "            return ChildRejected(now, ticket.child_id, outcome.why)\n",
        ),
        tests="tests/engine/test_sending.py",
    ),
    fault(
        "unknown released at the first look-up",
        (
            "app/domain/recovery.py",
            "    left = _wait_left(means, silence)\n    if left > 0:\n",
            "    left = _wait_left(means, silence)\n    if left < 0:\n",
        ),
        ("app/domain/recovery.py", "silence.misses < _lookups_needed(means)", "silence.misses < 1"),
        tests="tests/domain/test_recovery.py",
    ),
    fault(
        "the end of an order waits behind moves",
        (
            "app/engine/cancels.py",
            "heappush(self._queue, (haste, self._number, child_id, at))",
            "heappush(self._queue, (Haste.END, self._number, child_id, at))",
        ),
        ("app/engine/cancels.py", "!= (haste, number):", "is None:"),
        tests="tests/engine/test_cancels.py",
    ),
    fault(
        "lease not looked at before the send",
        ("app/engine/sending.py", "not self._safe() or (", "("),
        tests="tests/engine/test_sending.py",
    ),
    fault(
        "halt read without the lock",
        (
            "app/store/halts.py",
            "database.transaction(INTEND)",
            "database.transaction()",
        ),
        tests="tests/store/test_intents.py",
    ),
    fault(
        "an order that closes a position is blocked by the halt",
        ("app/engine/roster.py", "        if not order.flattens:\n", "        if True:\n"),
        tests="tests/engine/test_flatten.py::test_a_halted_position_is_flattened_through_every_halt",
    ),
    fault(
        "a position closed twice after a crash",
        (
            "app/store/flatten.py",
            "order_id=closing[0] if closing else None,",
            "order_id=None,",
        ),
        (
            "app/store/numbered.py",
            '        if there == order["role"]:\n            return None\n',
            "",
        ),
        tests="tests/engine/test_flatten.py::test_a_death_in_the_midst_enters_it_once",
    ),
    fault(
        "the kill file is not looked at before a send",
        (
            "app/engine/sending.py",
            " or (self._kill_file.there and not flattens)",
            "",
        ),
        tests="tests/engine/test_kill_file.py::test_what_is_committed_and_not_yet_sent_stays_here",
    ),
    fault(
        "kill switch forgotten after a take-over",
        (
            "app/engine/halting.py",
            "        self._switches = switches\n",
            "        first, self._switches = not self._switches, switches\n"
            "        if first:\n            return True\n",
        ),
        tests="tests/engine/test_kill_switches.py::test_who_takes_over_carries_the_switch_out",
    ),
    fault(
        "no reconciliation before the first send",
        (
            "app/engine/desk.py",
            "        latest = await self._reconciling.now(now)\n",
            "        latest = now\n",
        ),
        tests="tests/engine/test_before_the_first_send.py",
    ),
)
