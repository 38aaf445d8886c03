"""Faults of pace (I11), of switches (I16, I22), and of what is not rebuilt (I26, I27)."""

from dataclasses import dataclass

from tests.cli.planted import CANCELED_ORDER, CHILD_OF_TWAP, FILLED_ORDER, OPEN_ORDER, Planted


@dataclass(frozen=True)
class PlantedRow(Planted):
    """`row` is SQL for a word that the subject of the fault has: which row it is."""

    row: str = "SELECT ''"


TWAP = f"SELECT id::text FROM orders WHERE id = {FILLED_ORDER}"
CHILD = f"SELECT id FROM children WHERE {CHILD_OF_TWAP}"
RESTING = f"SELECT id::text FROM orders WHERE id = {OPEN_ORDER}"
CANCELED = f"SELECT id::text FROM orders WHERE id = {CANCELED_ORDER}"
NAMED = "(version, scope, name, halted, level, reason, changed_at, changed_by)"
THROWN = "'strategy', 'momentum', true, 'halt', 'losses', clock_timestamp()"


def _envelope(**values: str) -> str:
    """SQL: the second child of the TWAP was decided on another envelope."""
    made = "why"
    for name, value in values.items():
        made = f"jsonb_set({made}, '{{envelope,{name}}}', to_jsonb(({value})::text))"
    return f"UPDATE children SET why = {made} WHERE {CHILD_OF_TWAP}"


def _thrown(table: str, columns: str, values: str) -> str:
    return f"INSERT INTO {table} {columns} VALUES ({values})"


PACE = (
    PlantedRow(
        "no decision sends beyond its envelope",
        (_envelope(may="(why -> 'envelope' ->> 'may')::numeric - 1"),),
        row=CHILD,
    ),
    PlantedRow(
        "a TWAP's envelope keeps within a slice of the straight line",
        (_envelope(may="1000"),),
        row=CHILD,
    ),
    PlantedRow(
        "a TWAP's envelope keeps within a slice of the straight line",
        # Six slices were asked for: with a hundred, each is small and the stairs are too steep.
        (f"UPDATE orders SET params = params || '{{\"slices\": 100}}' WHERE id = {FILLED_ORDER}",),
        row=CHILD,
    ),
    PlantedRow(
        "what a TWAP is late with goes out two slices at a time at most",
        (
            f"UPDATE children SET qty = 600 WHERE {CHILD_OF_TWAP}",
            _envelope(may="1000"),
        ),
        row=CHILD,
    ),
)

SWITCHES = (
    PlantedRow(
        "a switch stands as its last change left it, and every change has a name",
        (
            _thrown("control_log", NAMED, f"1, {THROWN}, 'risk'"),
            # Armed again behind everybody's back.
            "INSERT INTO controls (scope, name, halted, version)"
            " VALUES ('strategy', 'momentum', false, 1)",
            "UPDATE controls SET version = 1 WHERE scope = 'all'",
        ),
        row="SELECT 'strategy:momentum'",
    ),
    PlantedRow(
        "a switch stands as its last change left it, and every change has a name",
        (
            _thrown("control_log", NAMED, f"1, {THROWN}, ''"),
            "INSERT INTO controls (scope, name, halted, version)"
            " VALUES ('strategy', 'momentum', true, 1)",
            "UPDATE controls SET version = 1 WHERE scope = 'all'",
        ),
        row="SELECT 'strategy:momentum'",
    ),
    PlantedRow(
        "the log of switches is numbered from 1 without a gap, and is only ever added to",
        (_thrown("control_log", NAMED, f"2, {THROWN}, 'risk'"),),
        row="SELECT 'change 2'",
    ),
    PlantedRow(
        "the log of switches is numbered from 1 without a gap, and is only ever added to",
        ("ALTER TABLE control_log DISABLE TRIGGER only_added",),
        row="SELECT 'control_log'",
    ),
)


def _order(columns: str, row: str, order: str) -> PlantedRow:
    return PlantedRow(
        "terms, reasons and counts of an order are rebuilt from its events",
        (f"UPDATE orders SET {columns} WHERE id = {order}",),
        row=row,
    )


def _child(columns: str) -> PlantedRow:
    return PlantedRow(
        "what is known of a child is rebuilt from its events",
        (f"UPDATE children SET {columns} WHERE {CHILD_OF_TWAP}",),
        row=CHILD,
    )


REBUILT = (
    # The limit was amended: the row must have what the amendment says.
    _order("limit_price = 38", RESTING, OPEN_ORDER),
    _order("pause_requested = true", RESTING, OPEN_ORDER),
    _order("anchor_done = anchor_done + 1", RESTING, OPEN_ORDER),
    _order("cancel_reason = 'other'", CANCELED, CANCELED_ORDER),
    _order("reason = 'other'", CANCELED, CANCELED_ORDER),
    _order("next_child = next_child + 1", TWAP, FILLED_ORDER),
    _order("rejections = 5", TWAP, FILLED_ORDER),
    _child("broker_order_id = 'V-other'"),
    _child("reason = 'other'"),
    _child("cancel_requested_at = '2001-01-01Z'"),
    PlantedRow(
        "an order's chance is seeded by its own id, or by the seed it asked for",
        (f"UPDATE orders SET seed = 'another' WHERE id = {FILLED_ORDER}",),
        row=TWAP,
    ),
)

ALL = (*PACE, *SWITCHES, *REBUILT)
