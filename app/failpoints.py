"""Named places on the order path where a test may end or freeze this process.

`SLIPSTREAM_TEST_FAILPOINT=name[:nth[:kill|stop]]` arms one; without it a place costs one
comparison. Production never sets it. Every place is listed in `PLACES`, so that "each was killed
at once" is a number.
"""

import os
import signal

VARIABLE = "SLIPSTREAM_TEST_FAILPOINT"

PLACES: tuple[str, ...] = ()
"""All there are, in the order an order meets them."""


class _Armed:
    """The one place that is armed, and how many passes are left before it fires."""

    def __init__(self, told: str | None) -> None:
        name, _, rest = (told or "").partition(":")
        nth, _, how = rest.partition(":")
        self.name = name or None
        self.left = int(nth or 1)
        self.number = signal.SIGSTOP if how == "stop" else signal.SIGKILL

    def pass_by(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)


_armed = _Armed(os.environ.get(VARIABLE))


def reach(name: str) -> None:
    """Say that the order path is here; ends or freezes the process if a test armed the place."""
    if _armed.name is not None and name == _armed.name:
        _armed.pass_by()
