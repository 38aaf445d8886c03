"""What the simulated data server does wrong on purpose; a test turns it on and off."""

from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """`mute`: the stream says nothing and stays open. `closed`: it takes no connection.
    `greeting`: what it says first. `refused_auth`, `taken`: how it answers a log-in. `channels`:
    how many symbols it carries. `late`: every so many-th trade is told out of order.

    REST: `limited` and `failing` answers are 429 and 500 next; `hanging` ones never come;
    `slow` seconds pass before each. `no_sip`: all exchanges' data are not permitted.
    """

    mute: bool = False
    closed: bool = False
    silent_greeting: bool = False
    refused_auth: bool = False
    taken: bool = False
    channels: int = 30
    late: int = 0
    limited: int = 0
    failing: int = 0
    hanging: int = 0
    slow: float = 0.0
    no_sip: bool = False
