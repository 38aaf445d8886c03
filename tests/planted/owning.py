"""Faults of ownership: two planners, or none."""

from tests.planted.fault import fault

OWNING = (
    fault(
        "intents without an epoch",
        (
            "app/store/halts.py",
            '    if not found[0]["owned"]:\n        raise Lost(lease.name)\n',
            "",
        ),
        tests="tests/store/test_intents.py",
    ),
    fault(
        "conclusions without an epoch",
        (
            "app/store/intents.py",
            "        await leases.hold(connection, lease)\n        return",
            "        return",
        ),
        tests="tests/store/test_intents.py",
    ),
    fault(
        "lease by the transaction's clock",
        (
            "app/store/leases.py",
            '" AND (l.until IS NULL OR l.until < clock_timestamp())"',
            '" AND (l.until IS NULL OR l.until < now())"',
        ),
        (
            "app/store/leases.py",
            "AND until > clock_timestamp() FOR SHARE",
            "AND until > now() FOR SHARE",
        ),
        tests="tests/store/test_leases.py",
    ),
    fault(
        "attention cleared without the lease",
        (
            "app/engine/desk.py",
            "            await leases.hold(connection, self.lease)\n",
            "",
        ),
        tests="tests/engine/test_ills.py::test_a_desk_that_lost_its_lease_clears_no_flag",
    ),
    fault(
        "the market untold while a crowd is worked",
        (
            "app/engine/desk.py",
            "await self._market.tell()  # Or doors take us for dead: a crowd takes seconds.",
            "pass",
        ),
        tests="tests/engine/test_crowd.py",
    ),
    fault(
        "restart policy for orders that are new",
        (
            "app/engine/reconcile.py",
            "if o.execution.status is not OrderStatus.ACCEPTED)",
            "if o.execution.status is not None)",
        ),
        tests="tests/engine/test_restart_policy.py",
    ),
    fault(
        "no poll beside a lost doorbell",
        (
            "app/engine/worker.py",
            "        if rung.is_set() or now - self._looked_at > LOOK_SECONDS:\n",
            "        if rung.is_set():\n",
        ),
        tests="tests/engine/test_lost_doorbell.py",
    ),
    fault(
        "absence ended by who did not attend to it",
        (
            "app/store/leases.py",
            "CASE WHEN unattended_epoch = epoch THEN unattended_since",
            "CASE WHEN false THEN unattended_since",
        ),
        tests="tests/store/test_leases.py",
    ),
    fault(
        "measures that wait for an order somebody holds",
        ("app/store/open_orders.py", '"SKIP LOCKED"', '""'),
        tests="tests/engine/test_measuring.py",
    ),
    fault(
        "a migration that waits in a circle with an order",
        (
            "migrations/versions/0028_attention_by_itself.py",
            '    op.drop_index("ix_orders_attention", "orders")\n',
            '    op.create_index("ix_circle", "orders", ["id"])\n'
            '    op.drop_index("ix_orders_attention", "orders")\n'
            '    op.drop_index("ix_circle", "orders")\n',
        ),
        tests="tests/house/test_schemas.py"
        "::test_no_migration_waits_in_a_circle_with_who_holds_an_order",
    ),
)
