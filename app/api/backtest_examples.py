"""What is asked of backtests, and what answers look like."""

from typing import Any

REQUESTS: dict[str, Any] = {
    "feed": {
        "summary": "TWAP against VWAP on what the server plays",
        "value": {
            "tape": "feed",
            "symbols": ["ACME"],
            "algos": [
                {"algo": "twap"},
                {"algo": "vwap"},
                {"label": "crossing", "algo": "twap", "params": {"placement": "cross"}},
            ],
            "parents": 200,
            "first_day": "2026-01-05",
            "last_day": "2026-01-30",
            "participation": ["0.001", "0.01"],
            "window": "60m",
            "seed": "1",
        },
    },
    "dataset": {
        "summary": "A dataset of the tape store, with impact",
        "value": {
            "tape": "mine",
            "algos": [{"algo": "twap"}, {"algo": "is"}],
            "parents": 1000,
            "participation": "0.01",
            "window": "day",
            "impact": {"permanent": "0.05", "temporary": "0.1", "half_life": "5m"},
        },
    },
}

WHAT_IF_REQUESTS: dict[str, Any] = {
    "crossing": {
        "summary": "What if it had crossed, as VWAP?",
        "value": {"set": {"algo": "vwap", "placement": "cross"}},
    }
}

_ALGO = {"label": "twap", "algo": "twap", "params": {}}

_SHORT: dict[str, Any] = {
    "id": "019b8e6c-5f00-7a3e-8f00-000000000002",
    "state": "done",
    "reason": None,
    "progress": {"done": 200, "total": 200, "fraction": 1.0},
    "plan": {
        "tape": "feed",
        "symbols": ["ACME"],
        "algos": [_ALGO, {"label": "vwap", "algo": "vwap", "params": {}}],
        "parents": 200,
        "days": ["2026-01-05", "2026-01-30"],
        "qty": None,
        "participation": ["0.001", "0.01"],
        "window": 3600,
        "side": "random",
        "seed": "1",
        "latency_ms": 5,
        "impact": None,
        "max_participation": None,
        "fee_per_share": "0.0035",
        "fee_bps": "0",
    },
    "attempt": 1,
    "created_at": "2026-01-31T09:00:00.000000Z",
    "started_at": "2026-01-31T09:00:01.000000Z",
    "finished_at": "2026-01-31T09:00:41.000000Z",
}

BACKTESTS: dict[str, Any] = {"items": [_SHORT], "next_cursor": None}

_SUMMARY = {
    "n": 200, "mean": 1.2, "sd": 14.1, "p05": -21.0, "p25": -8.2, "median": 0.9, "p75": 10.4,
    "p95": 24.8,
}  # fmt: skip

BACKTEST: dict[str, Any] = _SHORT | {
    "result": {
        "format": 1,
        "plan": _SHORT["plan"],
        "partial": False,
        "parents": {
            "asked": 200, "worked": 200, "refused": {}, "days": 19, "symbols": ["ACME"],
        },
        "sessions_left_out": {},
        "algorithms": [_ALGO | {"statuses": {"filled": 200}, "figures": {"total": _SUMMARY}}],
        "comparison": [
            {
                "label": "vwap",
                "against": "twap",
                "figures": {
                    "total": {
                        "n": 200, "days": 19, "mean": -0.4, "mean_interval": [-0.9, 0.1],
                        "median": -0.3, "median_interval": [-0.7, 0.1], "wins": 0.54,
                        "ties": 0.02, "reason": None,
                    }
                },
            }
        ],
        "sample": None,
        "notes": ["Costs in basis points, positive = cost, for buys and sells alike."],
    }
}  # fmt: skip

PARENTS: dict[str, Any] = {
    "items": [
        {
            "parent": 0,
            "symbol": "ACME",
            "day": "2026-01-06",
            "side": "buy",
            "qty": "12400",
            "start": "2026-01-06T15:01:12.000000Z",
            "end": "2026-01-06T16:01:12.000000Z",
            "refused": None,
            "runs": [
                {"label": "twap", "status": "filled", "total": "1.1", "completion": "1"},
                {"label": "vwap", "status": "filled", "total": "0.7", "completion": "1"},
            ],
        }
    ],
    "next_after": None,
}

_LEG: dict[str, Any] = {
    "status": "filled",
    "algo": "twap",
    "params": {"placement": "rest", "slices": "10"},
    "qty": "500",
    "filled": "500",
    "average_price": "100.01",
    "shortfall": {"total": {"bps": "1.35", "money": "6.75", "reason": None}},
    "children_count": 10,
    "fills_count": 12,
}

WHAT_IF: dict[str, Any] = {
    "order_id": "019b8e6c-5f00-7a3e-8f00-000000000001",
    "set": {"algo": "vwap", "placement": "cross"},
    "baseline_is_what_happened": True,
    "really": _LEG,
    "baseline": _LEG,
    "changed": _LEG | {"algo": "vwap", "average_price": "100.02"},
    "notes": [],
}
