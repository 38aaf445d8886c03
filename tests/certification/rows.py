"""The situations, in the order of the table."""

from collections.abc import Mapping

ROWS: Mapping[str, str] = {
    "same_id_twice": "the same client id twice trades once",
    "answer_lost": "taken, and the answer lost: unclear, then found, never twice",
    "order_lost": "lost before it arrived: unclear, then absent",
    "reject": "refused: definite, with a code, nothing left behind",
    "partial_fill": "filled in part: what filled counts, the rest is over",
    "fill_first": "filled before the acknowledgement",
    "cancel": "a resting order is canceled, with evidence",
    "cancel_filled": "a cancel of a filled order changes nothing",
    "told_twice": "updates told twice count once",
    "out_of_order": "updates out of order can be put in order",
    "gap": "what happened while the line was away is told after",
    "another_adapter": "another process finds everything",
    "look_up_lag": "look-ups are late by no more than stated",
    "rate_limit": "one order too many is not lost, doubled or lied about",
    "bust": "an execution declared void is told, with its id",
    "correction": "a corrected execution names the one that it replaces",
    "stop_rests": "a stop rests at the broker beside the limit, and one cancels the other",
    "stop_unheard": "a stop that fired while nobody listened is told after",
    "stop_after_part": "what the limit filled in part and its stop after it is the whole, once",
    "stop_canceled": "a limit and its stop are canceled as one, with evidence",
    "stop_refused": "a stop that cannot be taken is refused: definite, nothing left behind",
}
