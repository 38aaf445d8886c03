"""How a long harness ends when it is told to: whatever it started ends with it."""

import signal
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 130


def ended(main: Callable[[], int]) -> int:
    """A harness's exit code. SIGTERM ends it as Ctrl-C does: every `finally` on its way runs."""
    signal.signal(signal.SIGTERM, _as_by_hand)
    try:
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED


def _as_by_hand(number: int, frame: FrameType | None) -> None:
    by_hand = signal.getsignal(signal.SIGINT)
    # In an event loop it is the loop's own, which cancels what runs. In the background of a shell
    # Ctrl-C is nobody's affair, and this is meant all the same.
    if callable(by_hand):
        by_hand(number, frame)
    else:
        raise KeyboardInterrupt
