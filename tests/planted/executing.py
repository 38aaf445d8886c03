"""Faults of algorithms and of what an execution cost."""

from tests.planted.fault import fault

EXECUTING = (
    fault(
        "the rate is of the others' volume",
        (
            "app/domain/algos/pov.py",
            "allowed = rate * seen.volume / (1 - rate)",
            "allowed = rate * seen.volume",
        ),
        tests="tests/domain/test_pov.py",
    ),
    fault(
        "volume from before a pause is caught up with",
        (
            "app/domain/seen.py",
            "    if anchor.at != task.start:\n",
            "    if anchor.at < task.start:\n",
        ),
        tests="tests/domain/test_seen.py",
    ),
    fault(
        "a bin counts before it is over",
        (
            "app/domain/seen.py",
            "over = edges[edges <= now]",
            "over = edges[: (edges <= now).sum() + 1]",
        ),
        tests="tests/domain/test_adaptive.py",
    ),
    fault(
        "a resting child steps back with the touch",
        (
            "app/domain/placement.py",
            "    followed = (MixReaches(task.side, 0, 1, better),)\n",
            "    followed = (MixReaches(task.side.other, 1, 1, better),)\n",
        ),
        tests="tests/domain/test_placement.py",
    ),
    fault(
        "steps climb on our own child in the quote",
        (
            "app/domain/placement.py",
            "    return min(price, ladder) if task.side is Side.BUY else max(price, ladder)\n",
            "    return price\n",
        ),
        tests="tests/domain/test_ladder.py",
    ),
    fault(
        "who leaves beside it moves a child",
        (
            "app/domain/message_rate.py",
            "return max(pause, before) if rests else pause",
            "return pause",
        ),
        tests="tests/domain/test_message_rate.py",
    ),
    fault(
        "more is shown than may be",
        ("app/domain/guards.py", "    display,\n", ""),
        tests="tests/domain/test_placement.py",
    ),
    fault(
        "a trajectory of cosh leaves shares unsold",
        (
            "app/domain/algos/is.py",
            "return sooner * (1 + exp(-2 * kappa * (task.end - middle)))",
            "return sooner * (1 - exp(-2 * kappa * (task.end - middle)))",
        ),
        tests="tests/domain/test_is.py",
    ),
    fault(
        "a seller's cost has the sign of a buyer's",
        (
            "app/domain/tca/benchmark.py",
            "return side.sign * (price - benchmark) / benchmark * _BPS",
            "return (price - benchmark) / benchmark * _BPS",
        ),
        tests="tests/domain/test_tca.py",
    ),
    fault(
        "a slow broker is given no time",
        (
            "app/domain/pacing.py",
            "return replace(envelope, must=envelope.may), wake",
            "return envelope, wake",
        ),
        tests="tests/domain/test_placement.py",
    ),
)
