"""Faults of deciding: too much, at a wrong price, or against oneself."""

from tests.planted.fault import fault

GUARDS = "app/domain/guards.py"
TESTS = "tests/domain/test_decide.py"

DECIDING = (
    fault(
        "quantities rounded twice",
        (
            "app/domain/quantity.py",
            "    _add_tail(slices, total - whole)\n",
            "    slices = [floor_to(size, lot * 10) for size in slices]\n"
            "    _add_tail(slices, total - whole)\n",
        ),
        tests="tests/domain/test_quantity.py",
    ),
    fault(
        "participation without own volume",
        (
            GUARDS,
            "cap * scene.market.volume / (1 - cap), lot) - used",
            "cap * scene.market.volume / (1 - cap), lot)",
        ),
        tests=TESTS,
    ),
    fault(
        "missed slices sent in one burst",
        ("app/domain/pacing.py", "deficit <= CATCH_UP_SLICES * envelope.step:", "deficit >= 0:"),
        tests=TESTS,
    ),
    fault(
        "limit rounded the wrong way",
        (
            "app/domain/quantity.py",
            "return floor_to(price, tick) if side is Side.BUY else ceil_to(price, tick)",
            "return ceil_to(price, tick) if side is Side.BUY else floor_to(price, tick)",
        ),
        tests="tests/domain/test_quantity.py",
    ),
    fault(
        "stale quote accepted",
        (GUARDS, "    stale_quote,\n", ""),
        tests=TESTS,
    ),
    fault(
        "an order that only reduces forgets its unknown children",
        (
            "app/domain/reducing.py",
            "desk.reducing - execution.reserved",
            "desk.reducing - execution.working",
        ),
        tests="tests/domain/test_reduce_only.py",
    ),
    fault(
        "self-match allowed",
        (GUARDS, "    self_match,\n", ""),
        tests=TESTS,
    ),
    fault(
        "who waits for another order is not woken by it where something else binds as well",
        ("app/engine/index.py", "decided.own", 'decided.bound == "self_match"'),
        tests="tests/engine/test_roster.py",
    ),
    fault(
        "spare lots sent first",
        (
            "app/domain/quantity.py",
            "(2 * units * up_to + whole) // (2 * whole)",
            "-(-units * up_to // whole)",
        ),
        tests="tests/domain/test_quantity.py",
    ),
)
