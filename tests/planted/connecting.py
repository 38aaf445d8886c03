"""Faults of a broker's adapter: answers misread, news lost, limits ignored, keys shown."""

from tests.planted.fault import fault

_ALPACA = "app/brokers/alpaca"
_TESTS = "tests/brokers/test_alpaca"

CONNECTING = (
    fault(
        "a used client id taken for a refusal",
        (f"{_ALPACA}/outcomes.py", " or _DUPLICATE.search(message)", ""),
        tests=f"{_TESTS}_rules.py",
    ),
    fault(
        "a rate limit taken for a refusal",
        (
            f"{_ALPACA}/outcomes.py",
            '    (422, 42210000): "not_allowed",\n',
            '    (422, 42210000): "not_allowed",\n    (429, 42910000): "rate_limited",\n',
        ),
        tests=f"{_TESTS}_faults.py",
    ),
    fault(
        "no look back after a socket was away",
        (
            f"{_ALPACA}/stream.py",
            "                await self._recover(self._gap_from - OVERLAP)\n",
            "                pass\n",
        ),
        tests=f"{_TESTS}_line.py",
    ),
    fault(
        "what ended in a gap is not looked up",
        (f"{_ALPACA}/broker.py", "if known.child_id not in listed:", "if False:"),
        tests=f"{_TESTS}_line.py",
    ),
    fault(
        "execution ids of the stream believed unseen",
        (
            f"{_ALPACA}/agreement.py",
            "        if self._same.get(told.pair, False):\n            return [told.report]\n",
            "        return [told.report]\n",
        ),
        tests=f"{_TESTS}_line.py::test_ids_that_differ_are_told_by_the_list_alone",
    ),
    fault(
        "a correction counted beside what it replaces",
        (
            f"{_ALPACA}/reading.py",
            'if event == "trade_correct" else None',
            'if event == "corrected" else None',
        ),
        tests="tests/certification/test_certification.py::test_certified",
    ),
    fault(
        "no requests kept for cancels",
        (f"{_ALPACA}/budget.py", "    ORDER = 0.2\n", "    ORDER = 0.0\n"),
        tests=f"{_TESTS}_rules.py {_TESTS}_line.py",
    ),
    fault(
        "a broken line is tried for ever",
        (f"{_ALPACA}/breaker.py", "        self._become(State.OPEN)\n", ""),
        tests=f"{_TESTS}_rules.py",
    ),
    fault(
        "a secret in the errors of the settings",
        ("app/settings/__init__.py", "hide_input_in_errors=True", "hide_input_in_errors=False"),
        tests="tests/house/test_settings.py",
    ),
)
