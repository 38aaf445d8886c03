"""Steps towards the far touch where the feed shows our own children: they are not climbed on."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.fact import Intended
from app.domain.instant import SECOND, Instant, Micros
from app.domain.market import Market, Quote
from app.domain.quantity import Side
from tests.domain.tasks import OPEN, a_task
from tests.domain.toyworld import Row, Venue, World, ended

D = Decimal
LENGTH = 100 * SECOND
FOREVER = 1 << 62


@dataclass
class Shown:
    """One of our children, as a feed shows it."""

    price: Decimal
    since: Instant
    until: Instant = FOREVER


@dataclass
class Telling(Venue):
    """A venue whose feed shows our own children, and what it does to them, `late`."""

    late: Micros = 0
    own: dict[str, Shown] = field(default_factory=dict)

    def submit(self, order: Intended, market: Market, now: Instant) -> None:
        super().submit(order, market, now)
        if order.child_id in self.resting:
            self.own[order.child_id] = Shown(order.price, now + self.late)

    def cancel(self, child_id: str, now: Instant) -> None:
        super().cancel(child_id, now)
        if child_id in self.own:
            self.own[child_id].until = now + self.late


class Mirrored(World):
    """An order whose quotes hold its own children, as a real feed's do."""

    def market(self, now: Instant) -> Market:
        plain = super().market(now)
        assert isinstance(self.venue, Telling)
        prices = [s.price for s in self.venue.own.values() if s.since <= now < s.until]
        if plain.quote is None or not prices:
            return plain
        side = self.task.side
        near = max([s * side.sign for s in (*prices, plain.quote.near(side))]) * side.sign
        shown = {"bid" if side is Side.BUY else "ask": near}
        return replace(plain, quote=replace(plain.quote, **shown))


def row(at: Instant, bid: Decimal, ask: Decimal) -> Row:
    return Row(at, Quote(bid, ask, D(500), D(500), at, at), D(100))


Sent = list[tuple[float, str, str]]


def sent(world: World) -> Sent:
    return [
        ((at - OPEN) / SECOND, send.purpose.value, format(send.price, "f"))
        for at, send in world.run().sends
    ]


def worlds(
    rows: list[Row], late: Micros, side: Side = Side.BUY, lag: Micros = 0, **params: object
) -> tuple[World, World]:
    """The same order where the feed leaves its children out, and where it shows them."""
    given = {"slices": 1, "jitter": 0, "placement": "step_up", "reprice_pause": 0, **params}
    task = a_task("twap", 100, side=side, length=LENGTH, params=given)
    plain = World(task, rows, Venue(hits=0, lag=lag))
    # Whatever the feed tells is one more moment to look.
    moments = range(OPEN, OPEN + LENGTH, SECOND // 4)
    shown = Mirrored(task, rows, Telling(hits=0, lag=lag, late=late), extra=moments)
    return plain, shown


@pytest.mark.parametrize("late", [0, SECOND, 20 * SECOND])
@pytest.mark.parametrize("side", list(Side))
def test_the_ladder_does_not_climb_on_itself(side: Side, late: Micros) -> None:
    plain, shown = worlds([row(OPEN, D("99.90"), D("100.20"))], late, side, steps=3)
    prices = ["99.90", "100.00", "100.10", "100.20"]
    expected = prices if side is Side.BUY else prices[::-1]
    assert [price for _, _, price in sent(plain)] == expected
    assert sent(shown) == sent(plain)


@given(seed=st.integers(0, 10**9), late=st.sampled_from([0, 1, 3, 15]), data=st.data())
@settings(deadline=None)
def test_it_is_the_same_ladder_whoever_shows_us(seed: int, late: int, data: st.DataObject) -> None:
    """As long as only the far side moves, and away: whether others left the near touch no feed can
    tell while we stand on it."""
    rng, side = Random(seed), data.draw(st.sampled_from(list(Side)))
    near, spread = D(100), D(rng.choice([1, 2, 5, 30, 90])) / 100
    rows = []
    for k in range(rng.choice([1, 5, 40])):
        far = near + side.sign * spread
        at = OPEN + k * LENGTH // 40
        rows.append(row(at, near, far) if side is Side.BUY else row(at, far, near))
        spread += D(rng.choice([0, 0, 1, 5])) / 100
    plain, shown = worlds(
        rows,
        late * SECOND,
        side,
        lag=rng.choice([0, SECOND // 2]),
        steps=rng.choice([1, 2, 3, 7, 20]),
        reprice_pause=rng.choice([0, 0, 1, 9]),
        display=rng.choice([None, 40]),
        slices=rng.choice([1, 2]),
    )
    assert sent(shown) == sent(plain)
    assert ended(shown) is ended(plain)


def test_a_touch_beyond_ours_is_somebody_elses() -> None:
    rows = [row(OPEN, D("99.90"), D("100.20")), row(OPEN + 5 * SECOND, D("99.96"), D("100.20"))]
    plain, shown = worlds(rows, 0, steps=3)
    assert [price for _, _, price in sent(plain)] == [
        "99.90",
        "99.96",
        "100.04",
        "100.12",
        "100.20",
    ]
    assert sent(shown) == sent(plain)


def test_a_market_that_falls_away_is_not_waited_for_above_it() -> None:
    """What was canceled meanwhile is not put back at a price that would cross."""
    rows = [row(OPEN, D("99.90"), D("100.20")), row(OPEN + 18 * SECOND, D("99.50"), D("99.80"))]
    plain, _ = worlds(rows, 0, lag=5 * SECOND, steps=3)
    # Asked to leave at 16.7 s for 100.00, gone five seconds later.
    assert [(at, price) for at, _, price in sent(plain)[:3]] == [
        (0, "99.90"),
        (21.666666, "99.60"),
        (38.333333, "99.70"),
    ]
