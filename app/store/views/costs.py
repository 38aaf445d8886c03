"""Costs as clients see them: basis points and money, positive = cost; null has its reason."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.quantity import Side
from app.domain.tca import Outcome, Slippage
from app.domain.tca.analysis import Analysis, Worked, executions
from app.domain.tca.day import Day
from app.domain.tca.quality import Comparison
from app.domain.tca.shortfall import Part, Price, Shortfall
from app.domain.tca.spread import HORIZONS, Aftermath, Mark, Measure, Resting, spread
from app.domain.tca.summary import FIGURES, Line, Sample, Summary
from app.store.views.plain import Answer, moment, rounded, text

FILLS_MAX = 1_000
"""So many fills are shown one by one."""

_AFTER = ("1m", "5m")


def tca(worked: Worked, analysis: Analysis) -> Answer:
    """All that is known of what one order cost."""
    return {
        "order_id": worked.order_id,
        "account": worked.account,
        "broker": worked.broker,
        "symbol": worked.symbol,
        "side": worked.side.value,
        "algo": worked.algo,
        "strategy": worked.strategy,
        "status": worked.status,
        "currency": worked.currency,
        "qty": text(worked.qty),
        **_outcome(analysis.outcome),
        "market_volume": text(worked.market.volume) if worked.market else None,
        "measured_from": moment(worked.start),
        "measured_to": moment(worked.measured_to),
        "shortfall": _shortfall(analysis.shortfall),
        "reversion": dict(zip(_AFTER, map(_measure, analysis.reversion), strict=True)),
        "spread": {p: _aftermath(found) for p, found in analysis.aftermath.items()},
        "resting": _resting(analysis.resting),
        "estimate": _comparison(worked, analysis.comparison),
        "fills": _fills(worked),
    }


def _outcome(outcome: Outcome) -> Answer:
    return {
        "filled": text(outcome.filled),
        "average_price": text(rounded(outcome.average_price, 10)),
        "fees": text(outcome.fees),
        "arrival": _slippage(outcome.arrival),
        "interval_vwap": _slippage(outcome.interval_vwap) | {"own_included": outcome.own_included},
        "participation": text(rounded(outcome.participation, 6)),
    }


def _slippage(slippage: Slippage) -> Answer:
    return {
        "benchmark": text(rounded(slippage.benchmark, 10)),
        "slippage_bps": text(rounded(slippage.bps, 4)),
        "slippage_money": text(rounded(slippage.money, 4)),
        "reason": slippage.reason,
    }


def _shortfall(found: Shortfall) -> Answer:
    """As it is: a rounded part would not sum to the total any more."""
    prices = {"decision": found.decision, "begin": found.begin, "end": found.end}
    parts = {
        "delay": found.delay,
        "execution": found.execution,
        "opportunity": found.opportunity,
        "fees": found.fees,
        "trading": found.trading,
        "total": found.total,
    }
    return {
        "prices": {name: _price(price) for name, price in prices.items()},
        **{name: _part(part) for name, part in parts.items()},
    }


def _price(price: Price) -> Answer:
    return {"mid": text(price.mid), "reason": price.reason}


def _part(part: Part) -> Answer:
    return {"bps": text(part.bps), "money": text(part.money), "reason": part.reason}


def _measure(measure: Measure) -> Answer:
    return {"bps": text(rounded(measure.bps, 4)), "reason": measure.reason}


def _aftermath(found: Aftermath) -> Answer:
    def weighed(measures: Sequence[Measure]) -> Answer:
        return {
            name: _measure(m) | {"qty": text(m.weight)}
            for name, m in zip(_AFTER, measures, strict=True)
        }

    return {
        "fills": found.fills,
        "qty": text(found.qty),
        "effective": _measure(found.effective) | {"qty": text(found.effective.weight)},
        "realised": weighed(found.realised),
        "markout": weighed(found.markout),
    }


def _resting(found: Resting) -> Answer:
    return {
        "children": found.children,
        "touched": found.touched,
        "qty": text(found.qty),
        "filled": text(found.filled),
        "fill_probability": text(rounded(found.probability, 6)),
        "reason": None if found.qty > 0 else "nothing rested",
    }


def _comparison(worked: Worked, found: Comparison) -> Answer:
    parts = worked.estimate.parts if worked.estimate is not None else {}
    quality = found.quality
    return {
        "expected_bps": text(rounded(found.expected_bps, 4)),
        "sd_bps": text(rounded(found.sd_bps, 4)),
        "parts": {name: text(rounded(bps, 4)) for name, bps in parts.items()},
        "source": worked.estimate.source if worked.estimate is not None else None,
        "realised_bps": text(rounded(found.realised_bps, 4)),
        "error_bps": text(rounded(found.error_bps, 4)),
        "reason": found.reason,
        "quality": {
            "z": _float(quality.z, 4),
            "score": _float(quality.score, 2),
            "grade": quality.grade,
            "reason": quality.reason,
        },
    }


def _float(value: float | None, places: int) -> str | None:
    return f"{value:.{places}f}" if value is not None else None


def _fills(worked: Worked) -> list[Answer]:
    """Each fill with the mids around it."""
    shown = []
    for fill, execution in zip(worked.fills[:FILLS_MAX], executions(worked), strict=False):
        seen = worked.marks.get(fill.at)
        mid = seen.mid if seen is not None else None
        later = [worked.marks.get(fill.at + after) for after in HORIZONS]
        shown.append(
            {
                "execution_id": fill.execution_id,
                "child_id": fill.child_id,
                "purpose": fill.purpose,
                "at": moment(fill.at),
                "qty": text(fill.qty),
                "price": text(fill.price),
                "mid": text(mid),
                "effective_bps": _effective(execution.side, fill.price, mid),
                "markout_bps": {
                    name: _markout(execution.side, fill.price, mid, mark)
                    for name, mark in zip(_AFTER, later, strict=True)
                },
            }
        )
    return shown


def _effective(side: Side, price: Decimal, mid: Decimal | None) -> str | None:
    return text(rounded(spread(side, price, mid, mid).effective, 4)) if mid else None


def _markout(side: Side, price: Decimal, mid: Decimal | None, mark: Mark | None) -> str | None:
    later = mark.mid if mark is not None else None
    if not mid or later is None:
        return None
    return text(rounded(spread(side, price, mid, later).realised / 2, 4))


def cost_summary(found: Summary) -> Answer:
    """Costs of many orders."""
    return {
        "key": found.key,
        "orders": found.orders,
        "filled_completely": found.whole,
        "ordered_notional": text(rounded(found.ordered, 2)),
        "currency": found.currency,
        "bps": {name: sample(found.figures[name]) for name in FIGURES},
        "participation": sample(found.participation, 6),
        "quality": sample(found.score),
    }


def sample(of: Sample, places: int = 4) -> Answer:
    """Equal- and money-weighted mean, spread, and how far the mean is uncertain."""
    return {
        "count": of.count,
        "mean": text(rounded(of.mean, places)),
        "weighted": text(rounded(of.weighted, places)),
        "sd": text(rounded(of.sd, places)),
        "standard_error": text(rounded(of.standard_error, places)),
        "reason": of.reason,
    }


def cost_row(worked: Worked, of: Line) -> Answer:
    """One order as a line of a table."""
    return {
        "order_id": of.order_id,
        "client_order_id": worked.client_order_id,
        "account": of.account,
        "broker": of.broker,
        "symbol": of.symbol,
        "side": of.side,
        "algo": of.algo,
        "strategy": of.strategy,
        "status": worked.status,
        "hour": of.hour,
        "accepted_at": moment(worked.accepted_at),
        "finished_at": moment(worked.finished_at),
        "currency": of.currency,
        "qty": text(worked.qty),
        "filled": text(worked.filled),
        "ordered_notional": text(of.ordered),
        "filled_notional": text(of.filled),
        **{f"{name}_bps": text(rounded(of.bps.get(name), 6)) for name in FIGURES},
        "participation": text(rounded(of.participation, 6)),
        "score": _float(of.score, 2),
    }


def daily(day: Day) -> Answer:
    """One day, as clients see it."""
    return {
        "date": day.date,
        "orders": day.orders,
        "by_status": dict(day.by_status),
        "fill_ratio": text(rounded(day.fill_ratio, 6)),
        "notional": text(day.notional),
        "fees": text(day.fees),
        "currency": day.currency,
        "costs": cost_summary(day.costs),
        "by_algo": [cost_summary(group) for group in day.groups],
        "worst": [_worst(line) for line in day.worst],
        "alerts": [
            {"severity": severity, "rule": rule, "count": count}
            for severity, rule, count in day.alerts
        ],
    }


def _worst(of: Line) -> Answer:
    return {
        "order_id": of.order_id,
        "symbol": of.symbol,
        "side": of.side,
        "algo": of.algo,
        "bps": {name: text(bps) for name, bps in of.bps.items()},
        "ordered_notional": text(of.ordered),
    }
