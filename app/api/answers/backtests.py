"""Backtests' parents, as answers show them."""

from app.api.answers.shape import (
    AMOUNT,
    COUNT,
    MOMENT,
    NUMBER,
    TEXT,
    Schema,
    listed,
    mapped,
    maybe,
    one_of,
    record,
)
from app.research.backtest.measure import AFTERWARDS, COSTS, SHARES

_FIGURE = maybe(AMOUNT)
_RUN = record(
    label=TEXT,
    algo=TEXT,
    status=TEXT,
    reason=maybe(TEXT),
    filled=AMOUNT,
    average_price=_FIGURE,
    children=COUNT,
    fills=COUNT,
    **{name: _FIGURE for name in (*COSTS, *AFTERWARDS, *SHARES)},
    why=mapped(TEXT),
)
PARENTS: Schema = record(
    items=listed(
        record(
            parent=COUNT,
            symbol=TEXT,
            day={"type": "string", "format": "date"},
            side=one_of("buy", "sell"),
            qty=AMOUNT,
            start=MOMENT,
            end=MOMENT,
            share=maybe(NUMBER),
            daily_volume=_FIGURE,
            volatility=maybe(NUMBER),
            curve=TEXT,
            begins=maybe(MOMENT),
            mid=_FIGURE,
            spread_bps=_FIGURE,
            refused=maybe(TEXT),
            runs=listed(_RUN),
        )
    ),
    next_after=maybe(COUNT),
)
