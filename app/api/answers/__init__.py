"""What every route answers: the half of the API page that handlers leave open."""

from collections.abc import Mapping

from app.api.answers import control, hooks, orders
from app.api.answers.answer import Answer, Route
from app.api.answers.shape import ANY, ID, MOMENT, NUMBER, TEXT, Schema, mapped, maybe, record
from app.api.answers.shape import COUNT as _COUNT

ANSWERS: Mapping[Route, Answer] = {
    **orders.ANSWERS,
    **control.ANSWERS,
    **hooks.ANSWERS,
}

SHAPES: Mapping[str, Schema] = {
    "Order": orders.WITH_EXITS,
    "OrderInShort": {**orders.IN_SHORT, "title": "OrderInShort"},
    "Backtest": {
        **record(
            id=ID,
            state=TEXT,
            reason=maybe(TEXT),
            progress=record(done=_COUNT, total=maybe(_COUNT), fraction=maybe(NUMBER)),
            plan=mapped(ANY),
            attempt=_COUNT,
            created_at=MOMENT,
            started_at=maybe(MOMENT),
            finished_at=maybe(MOMENT),
            result=maybe(mapped(ANY)),
        ),
        "title": "Backtest",
    },
}
"""What several answers share, by the name they have in the page."""
