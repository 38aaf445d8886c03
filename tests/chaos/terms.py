"""What is drawn for a round from the seed: how the venue misbehaves, and how hard we hit."""

from dataclasses import dataclass
from random import Random
from typing import Any

ACCOUNTS = ("ever", "open-only", "window", "none")
"""One account for each class of client ids."""

CHANCES = {
    "cut_before": 0.02,
    "hang_before": 0.003,
    "503_before": 0.02,
    "429_before": 0.02,
    "refuse": 0.01,
    "cut_after": 0.03,
    "hang_after": 0.005,
    "503_after": 0.02,
    "429_after": 0.02,
    "garbage_after": 0.02,
    "ack_delay": 0.05,
    "ack_reorder": 0.03,
    "ack_duplicate": 0.03,
    "cancel_ignored": 0.05,
    "cancel_cut": 0.05,
    "cancel_delay": 0.05,
    "report_drop": 0.06,
    "report_delay": 0.06,
    "report_duplicate": 0.06,
    "report_reorder": 0.06,
    "late_fill": 0.1,
    "over_fill": 0.01,
    "bust": 0.02,
    "correct": 0.02,
    "stream_cut": 0.02,
    "question_cut": 0.02,
    "question_503": 0.02,
    "question_delay": 0.05,
    "list_omits": 0.05,
    "list_shows_closed": 0.05,
}
"""How often each fault happens, give or take; `linger` only where a late order can be refused or
is never given up."""

LINGER = 0.05
"""Longer on its way than the adapter waits for an answer, and than the next look-up."""

FREEZE_LEASES = (0.1, 3.0)
"""How long a frozen process stays so, in leases."""

COLD = 0.05
"""Starts that import everything anew."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One round. `gap` is the mean time between blows, `open_orders` what the client keeps open;
    lengths are seconds."""

    seed: str
    kills: int
    lease: float
    gap: float = 0.15
    open_orders: int = 28
    duration: tuple[int, int] = (5, 25)
    closing: int = 8

    @property
    def quarantine(self) -> int:
        """Longer than anybody is frozen: a send that outlives it was written down as a bound."""
        return int(FREEZE_LEASES[1] * self.lease) + 2

    def random(self, what: str) -> Random:
        return Random(f"{self.seed}/{what}")


def behaviours(terms: Terms) -> dict[str, dict[str, Any]]:
    """How each account behaves."""
    return {account: _behaviour(account, terms) for account in ACCOUNTS}


def _behaviour(account: str, terms: Terms) -> dict[str, Any]:
    random = terms.random(f"behaviour/{account}")
    chances = {kind: round(often * random.uniform(0.3, 1.7), 4) for kind, often in CHANCES.items()}
    told: dict[str, Any] = {
        "id_scope": account.replace("-", "_"),
        "lookup_lag_ms": random.choice((0, 300, 2_000)),
        "execution_ids": random.choice(("account", "symbol")),
        "partial": round(random.uniform(0.1, 0.6), 2),
        "misses": round(random.uniform(0.05, 0.3), 2),
        "rest_ms": [100, random.choice((400, 1_500))],
        "chances": chances,
    }
    match account:
        case "open-only":
            told |= {"deadline_ms": random.choice((1_000, 4_000)), "quarantine_ms": 4_000}
        case "window":
            told |= {"window_ms": 5_000}
        case "none":
            told |= {"quarantine_ms": 2_000, "lookup": random.choice(("all", "open_only"))}
        case _ if random.random() < 0.5:
            told |= {"deadline_ms": random.choice((1_000, 4_000)), "quarantine_ms": 4_000}
    if told.get("quarantine_ms"):
        # Never where silence alone has to be the proof: there it would add to a freeze.
        chances["linger"] = LINGER
    return told
