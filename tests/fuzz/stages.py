"""Both stages at once on one server: schemathesis here, the storm in a process of its own."""

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from queue import Empty

from tests.fuzz.campaign import Campaign
from tests.fuzz.shots import Shot
from tests.fuzz.storm import Orders, rage
from tests.fuzz.tally import Tally

OWN_SHARE = 25
"""Of so many requests at least one is of schemathesis' own making."""


class Ended(BaseException):
    """The stages were told to end. No Exception: none of a request's making, to be written up."""


def split(requests: int) -> tuple[int, int]:
    """How many requests each stage makes: schemathesis an eighth, at most 2,000 or its share."""
    own = max(requests // OWN_SHARE, min(requests // 8, 2_000), 1)
    return own, requests - own


def both(
    url: str,
    key: str,
    seed: int,
    requests: int,
    *,
    say: Callable[[str], None] = lambda line: None,
    until: float = float("inf"),
    over: threading.Event | None = None,
) -> Tally:
    """One tally of both. `until` is a moment of the monotonic clock. Raises Ended once `over` is
    set, at the next request."""
    over = over or threading.Event()
    own, rest = split(requests)
    spawning = multiprocessing.get_context("spawn")
    cases, results = spawning.Queue(), spawning.Queue()
    storm = spawning.Process(
        target=rage, args=(Orders(url, key, seed, rest, until), cases, results), daemon=True
    )
    storm.start()

    def hand_on(shot: Shot) -> None:
        _go_on(over)
        if storm.exitcode:
            raise _died(storm)
        cases.put(shot)

    try:
        campaign = Campaign(url, key, seed, Tally(own), say, hand_on)
        tally = campaign.run(until=until)
        tally.add(_result(storm, results, over))
    finally:
        cases.cancel_join_thread()
        storm.terminate()
        storm.join()
    return tally


def _go_on(over: threading.Event) -> None:
    """Raises Ended."""
    if over.is_set():
        raise Ended


def _result(storm: BaseProcess, results: "Queue[Tally]", over: threading.Event) -> Tally:
    """What the storm has found. Raises RuntimeError for one that ended without a word, Ended."""
    while True:
        _go_on(over)
        try:
            return results.get(timeout=0.5)
        except Empty:
            if not storm.is_alive():
                raise _died(storm) from None


def _died(storm: BaseProcess) -> RuntimeError:
    return RuntimeError(f"the storm ended with code {storm.exitcode}")
