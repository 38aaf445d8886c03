"""Ids as the product makes them: short enough to read, and a child's order is seen in its id."""

from functools import cache

from app.domain.identity import order_key, parse_child


def order_name(number: int) -> str:
    """The id of the day's order `number`: the older is the smaller, as everywhere."""
    return f"{number:02x}"


@cache
def order_of(child_id: str) -> str:
    """The order that a child belongs to."""
    named = parse_child(child_id)
    assert named is not None, f"{child_id} is no id of ours"
    order_id = order_name(int(named[0], 36))
    assert order_key(order_id) == named[0]
    return order_id
