"""The fills so far are far from what the market paid on average while the order worked."""

from app.domain.alert import Alert, Rule, Severity, Sight, Thresholds
from app.domain.tca import slippage_bps


def check(sight: Sight, thresholds: Thresholds) -> Alert | None:
    """Average fill against the market's VWAP over the order's own interval so far, in basis points;
    positive is a cost. Own fills are counted where the tape holds them. Far below is told like far
    above: that the order did not trade with the market is the news, not that it was lucky."""
    if sight.average_price is None or sight.market_vwap is None or sight.market_vwap <= 0:
        return None
    task = sight.execution.task
    deviation = slippage_bps(task.side, sight.average_price, sight.market_vwap)
    if abs(deviation) <= thresholds.vwap_deviation_bps:
        return None
    word = "worse" if deviation > 0 else "better"
    return Alert(
        rule=RULE.name,
        subject=task.order_id,
        severity=Severity.WARNING,
        message=f"{task.side} {task.instrument.symbol} is {abs(deviation):.1f} bps {word} than the"
        " market's VWAP since it began",
        data={
            "deviation_bps": f"{deviation:.2f}",
            "threshold_bps": format(thresholds.vwap_deviation_bps, "f"),
            "average_price": f"{sight.average_price:.6f}",
            "market_vwap": f"{sight.market_vwap:.6f}",
        },
        order_id=task.order_id,
    )


RULE = Rule("vwap_deviation", "Fills are further than the threshold from the market's VWAP.", check)
