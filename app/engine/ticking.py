"""What is told of a symbol that is watched: quote, last trade, and each minute that is over."""

from app.domain.instant import MINUTE, Instant
from app.domain.market import Bar
from app.domain.tape import Tape
from app.store.market_state import Ticked


class Ticker:
    """Tells every minute once; who asks later finds it where it was written."""

    def __init__(self) -> None:
        self._told: dict[str, Instant] = {}

    def ticked(self, tape: Tape, symbol: str, now: Instant) -> Ticked:
        last = tape.last(now)
        return Ticked(
            symbol,
            tape.quote(now),
            last[0] if last else None,
            last[1] if last else None,
            tape.last_size(now),
            self._minute(tape, symbol, now),
        )

    def _minute(self, tape: Tape, symbol: str, now: Instant) -> Bar | None:
        over = now // MINUTE * MINUTE
        begun, self._told[symbol] = self._told.get(symbol, 0), over
        return tape.bar(over - MINUTE, over) if over > begun else None
