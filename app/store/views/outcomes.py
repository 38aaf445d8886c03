"""What was expected of finished orders and what they came to, for the cost model to learn from."""

from app.domain.cost.calibration import Outcome
from app.store.database import Connection
from app.store.rows import Row

_LOOKED_AT = 4
"""So many orders are looked at for each that is wanted: a bound, however few of them will do."""

# Orders that wait for a price, or may not pay more than one, fill when it comes to them: those that
# did would teach that they cost nothing.
_OUTCOMES = """
    SELECT side, filled_notional / filled AS average, (arrival_bid + arrival_ask) / 2 AS mid,
        estimate
    FROM (SELECT * FROM orders WHERE account = $1 ORDER BY id DESC LIMIT $2) AS newest
    WHERE status = 'filled' AND excess = 0 AND filled > 0 AND arrival_bid + arrival_ask > 0
        AND limit_price IS NULL
        AND estimate ->> 'total_bps' IS NOT NULL AND estimate ->> 'sd_bps' IS NOT NULL
        AND (estimate -> 'inputs' ->> 'crossing_share')::float8 > 0
    ORDER BY id DESC LIMIT $3"""


async def outcomes(connection: Connection, account: str, limit: int) -> list[Outcome]:
    """The newest orders of an account that were filled whole and had an estimate: what the
    published model expected, and the cost against the middle at arrival (positive = cost)."""
    found = await connection.fetch(_OUTCOMES, account, limit * _LOOKED_AT, limit)
    return [_outcome(row) for row in found]


def _outcome(row: Row) -> Outcome:
    estimate = row["estimate"]
    parts, inputs = estimate["parts"], estimate["inputs"]
    sign = 1 if row["side"] == "buy" else -1
    # As the published model has it: what was fitted must not be fitted upon.
    market = float(parts["impact_bps"]) + float(parts["urgency_bps"])
    return Outcome(
        spread=float(parts["spread_bps"]) / float(inputs["spread_scale"]),
        market=market / float(inputs["impact_scale"]),
        sd=float(estimate["sd_bps"]),
        realised=float(sign * (row["average"] - row["mid"]) / row["mid"] * 10_000),
    )
