"""What answers about costs look like."""

from typing import Any

from app.domain.tca.summary import FIGURES

Responses = dict[int | str, dict[str, Any]]


def table_answer(example: dict[str, Any]) -> Responses:
    """An answer in JSON."""
    return {
        200: {"description": "The figures", "content": {"application/json": {"example": example}}}
    }


def page_answer(description: str) -> Responses:
    """An answer that is a page."""
    return {200: {"description": description, "content": {"text/html": {}}}}


def _part(bps: str | None, money: str | None, reason: str | None = None) -> dict[str, Any]:
    return {"bps": bps, "money": money, "reason": reason}


def _measure(bps: str | None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"bps": bps, "reason": reason, **more}


_SPREAD = {
    "fills": 4,
    "qty": "500",
    "effective": _measure("1.2", qty="500"),
    "realised": {
        "1m": _measure("-0.4", qty="500"),
        "5m": _measure(None, "after_close", qty="0"),
    },
    "markout": {
        "1m": _measure("-0.2", qty="500"),
        "5m": _measure(None, "after_close", qty="0"),
    },
}

TCA: dict[str, Any] = {
    "order_id": "019b8e6c-5f00-7a3e-8f00-000000000001",
    "account": "main",
    "broker": "paper",
    "symbol": "ACME",
    "side": "buy",
    "algo": "twap",
    "strategy": None,
    "status": "filled",
    "currency": "USD",
    "qty": "500",
    "filled": "500",
    "average_price": "100.01",
    "fees": "1.75",
    "arrival": {
        "benchmark": "100", "slippage_bps": "1", "slippage_money": "5", "reason": None,
    },
    "interval_vwap": {
        "benchmark": "100.005", "slippage_bps": "0.5", "slippage_money": "2.5", "reason": None,
        "own_included": False,
    },
    "participation": "0.0123",
    "market_volume": "40150",
    "measured_from": "2026-01-05T15:30:00.000000Z",
    "measured_to": "2026-01-05T16:00:00.000000Z",
    "shortfall": {
        "prices": {
            "decision": {"mid": "100", "reason": None},
            "begin": {"mid": "100.005", "reason": None},
            "end": {"mid": "100.02", "reason": None},
        },
        "delay": _part("0.5", "2.5"),
        "execution": _part("0.5", "2.5"),
        "opportunity": _part("0", "0"),
        "fees": _part("0.35", "1.75"),
        "trading": _part("1", "5"),
        "total": _part("1.35", "6.75"),
    },
    "reversion": {"1m": _measure("-0.5"), "5m": _measure(None, "after_close")},
    "spread": {"rest": _SPREAD, "cross": _SPREAD},
    "resting": {
        "children": 10, "touched": 7, "qty": "500", "filled": "350", "fill_probability": "0.7",
        "reason": None,
    },
    "estimate": {
        "expected_bps": "2.1",
        "sd_bps": "24",
        "parts": {
            "spread_bps": "1", "impact_bps": "1.1", "urgency_bps": "0", "volatility_bps": None,
        },
        "source": "model",
        "realised_bps": "1",
        "error_bps": "-1.1",
        "reason": None,
        "quality": {"z": "-0.0458", "score": "51.83", "grade": "C", "reason": None},
    },
    "fills": [
        {
            "execution_id": "p-1",
            "child_id": "019b8e6c5f0-1",
            "purpose": "rest",
            "at": "2026-01-05T15:33:10.000000Z",
            "qty": "50",
            "price": "99.99",
            "mid": "100",
            "effective_bps": "-2",
            "markout_bps": {"1m": "-1.5", "5m": None},
        }
    ],
}  # fmt: skip

SAMPLE: dict[str, Any] = {
    "count": 40, "mean": "3.1", "weighted": "2.8", "sd": "12.4", "standard_error": "1.9606",
    "reason": None,
}  # fmt: skip

GROUP: dict[str, Any] = {
    "key": "twap",
    "orders": 41,
    "filled_completely": 38,
    "ordered_notional": "2050000",
    "currency": "USD",
    "bps": dict.fromkeys(FIGURES, SAMPLE),
    "participation": SAMPLE,
    "quality": SAMPLE,
}

SUMMARY: dict[str, Any] = {
    "since": "2026-01-05T00:00:00.000000Z",
    "until": None,
    "group_by": "algo",
    "total": GROUP | {"key": None},
    "groups": [GROUP],
}

DAILY: dict[str, Any] = {
    "date": "2026-01-05",
    "orders": 42,
    "by_status": {"filled": 38, "canceled": 3, "working": 1},
    "fill_ratio": "0.97",
    "notional": "1988500",
    "fees": "70",
    "currency": "USD",
    "costs": GROUP | {"key": None},
    "by_algo": [GROUP],
    "worst": [
        {
            "order_id": "019b8e6c-5f00-7a3e-8f00-000000000001",
            "symbol": "ACME",
            "side": "buy",
            "algo": "twap",
            "bps": dict.fromkeys(FIGURES, "41.2"),
            "ordered_notional": "50000",
        }
    ],
    "alerts": [{"severity": "warning", "rule": "excessive_slippage", "count": 2}],
}
