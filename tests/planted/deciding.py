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
        ("app/domain/decide.py", "deficit <= CATCH_UP_SLICES * envelope.step:", "deficit >= 0:"),
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
        "self-match allowed",
        (GUARDS, "    self_match,\n", ""),
        tests=TESTS,
    ),
)
