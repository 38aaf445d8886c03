"""Faults of children that rest with a stop: two orders at the broker, of which one is believed."""

from tests.planted.fault import fault

STOPPING = (
    fault(
        "child over as soon as its limit is",
        (
            "app/brokers/alpaca/twin.py",
            "working = any(status in OPEN for status in statuses)",
            "working = statuses[0] in OPEN",
        ),
        tests="tests/brokers/test_alpaca_stops.py",
    ),
    fault(
        "execution of a leg taken for somebody else's",
        (
            "app/brokers/alpaca/listing.py",
            "if not self._twins.is_stray(said):",
            "if said:",
        ),
        tests="tests/brokers/test_alpaca_stops.py"
        " tests/certification/test_certification.py::test_certified",
    ),
    fault(
        "stop left working by a cancel of what is over",
        (
            "app/brokers/alpaca/broker.py",
            "await self._cancel_legs(known)",
            "pass",
        ),
        tests="tests/brokers/test_alpaca_stops.py",
    ),
    fault(
        "stop beside an order that still opens",
        (
            "app/engine/acting.py",
            "order.role == EXIT and not self._roster.opposed(order)",
            "order.role == EXIT",
        ),
        tests="tests/engine/test_exits_at_broker.py",
    ),
    fault(
        "refused stop sent again for ever",
        (
            "app/store/rows.py",
            "stop_refused=any(map(_refused_with_stop, known)),",
            "stop_refused=False,",
        ),
        tests="tests/engine/test_exits_at_broker.py",
    ),
)
