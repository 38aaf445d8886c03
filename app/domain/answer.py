"""What became of one child that was to be sent."""

from dataclasses import dataclass

from app.domain.instant import Instant


@dataclass(frozen=True, slots=True)
class Acknowledged:
    broker_order_id: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Refused:
    """Definitely not taken: only codes listed for that broker become this."""

    code: str
    message: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Withheld:
    """Never left this house, for certain: our own rate limit, or a line that is left alone. No
    word of the broker's."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """No clear answer: timeout, lost line, anything not listed."""

    why: str


Outcome = Acknowledged | Refused | Withheld | Unclear
