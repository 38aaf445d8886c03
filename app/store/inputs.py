"""What a decision saw, as JSON beside what it did: enough to make it again.

Only what differs from the usual is written: a whole tape, a desk with nothing in the way, the
session of the order itself are not. The volume of past bins grows by a bin at a time: a decision
names the one before it that has the others (`since`, its version), and the new ones (`more`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain.desk import Desk
from app.domain.instant import Instant, from_datetime, rfc3339
from app.domain.market import ONE, Anchored, Market, Quote
from app.domain.plan import Envelope
from app.domain.quantity import Side
from app.domain.session import Session

FORM = 1
"""Marks inputs that are complete, and how they are written."""

Json = dict[str, Any]
Profile = tuple[float | None, ...]

NO_DESK = Desk()


@dataclass(frozen=True, slots=True)
class Kept:
    """The profile that the latest stored decision of an order has, and that decision's version."""

    version: int
    profile: Profile


class NotStored(Exception):
    """A decision cannot be made again: what it saw is not there. The message says what."""


def market_to_json(market: Market, session: Session, kept: Kept | None) -> Json:
    """`session` is the order's own."""
    told: Json = {"market_volume": market.volume, "last": market.last}
    quote = market.quote
    if quote is not None:
        told["quote"] = {
            "bid": quote.bid,
            "ask": quote.ask,
            "bid_size": quote.bid_size,
            "ask_size": quote.ask_size,
            "bid_at": rfc3339(quote.bid_at),
            "ask_at": rfc3339(quote.ask_at),
        }
    if market.last_at is not None:
        told["last_at"] = rfc3339(market.last_at)
    if market.volume_coverage != ONE:
        told["coverage"] = market.volume_coverage
    if market.own_volume:
        told["own_volume"] = market.own_volume
    anchored = market.anchored
    if anchored != Anchored(market.volume, market.own_volume):
        told["anchored"] = anchored and {"volume": anchored.volume, "own": anchored.own}
    if market.session != session:
        told["session"] = market.session and [market.session.opens_at, market.session.closes_at]
    if market.profile:
        told["profile"] = _profile_to_json(market.profile, kept)
    return told


def _profile_to_json(profile: Profile, kept: Kept | None) -> Json:
    known = len(kept.profile) if kept is not None else 0
    if kept is None or not known or profile[:known] != kept.profile:
        return {"more": profile}
    return {"since": kept.version, "more": profile[known:]}


def market_from_json(told: Mapping[str, Any], session: Session, profiles: "Profiles") -> Market:
    """Raises NotStored where the decision that has the first bins is missing."""
    volume, own = Decimal(told["market_volume"]), Decimal(told.get("own_volume", 0))
    anchored: Anchored | None = Anchored(volume, own)
    if "anchored" in told:
        since = told["anchored"]
        anchored = since and Anchored(Decimal(since["volume"]), Decimal(since["own"]))
    hours = told.get("session", [session.opens_at, session.closes_at])
    return Market(
        quote=_quote(told["quote"]) if "quote" in told else None,
        last=_decimal(told["last"]),
        last_at=_instant(told.get("last_at")),
        volume=volume,
        session=hours and Session(*hours),
        volume_coverage=Decimal(told.get("coverage", 1)),
        own_volume=own,
        anchored=anchored,
        profile=profiles.read(told),
    )


class Profiles:
    """The volumes of past bins that the decisions of one order saw, in the order of events."""

    def __init__(self) -> None:
        self._by_version: dict[int, Profile] = {}

    def read(self, told: Mapping[str, Any]) -> Profile:
        written = told.get("profile")
        if written is None:
            return ()
        first: Profile = ()
        if "since" in written:
            if written["since"] not in self._by_version:
                raise NotStored(f"the decision of version {written['since']} is missing")
            first = self._by_version[written["since"]]
        # JSON knows no difference between 3.0 and 3.
        profile = first + tuple(None if v is None else float(v) for v in written["more"])
        self._by_version[told["version"]] = profile
        return profile


def desk_to_json(desk: Desk) -> Json:
    """Empty for a desk with nothing in the way."""
    if desk == NO_DESK:
        return {}
    told: Json = {"halt": desk.halt, "own_bid": desk.own_bid, "own_ask": desk.own_ask}
    told |= {"queued": desk.queued or None, "margin_us": desk.margin or None}
    told |= {"pause_us": desk.pause or None}
    told |= {"no_auction": not desk.auction or None}
    told |= {"auctioned": sorted(side.value for side in desk.auctioned) or None}
    told |= {"held": desk.held, "reducing": desk.reducing or None}
    told |= {"netted": desk.netted or None, "stops": desk.stops or None}
    told |= {"own_stop": desk.own_stop or None}
    told |= {"child_qty": desk.child_qty, "child_notional": desk.child_notional}
    return {name: value for name, value in told.items() if value is not None}


def desk_from_json(told: Mapping[str, Any]) -> Desk:
    return Desk(
        halt=told.get("halt"),
        own_bid=_decimal(told.get("own_bid")),
        own_ask=_decimal(told.get("own_ask")),
        queued=told.get("queued", False),
        margin=told.get("margin_us", 0),
        auction=not told.get("no_auction", False),
        auctioned=frozenset(Side(side) for side in told.get("auctioned", ())),
        pause=told.get("pause_us", 0),
        held=_decimal(told.get("held")),
        reducing=Decimal(told.get("reducing", 0)),
        netted=told.get("netted", False),
        child_qty=_decimal(told.get("child_qty")),
        child_notional=_decimal(told.get("child_notional")),
        stops=told.get("stops", False),
        own_stop=told.get("own_stop", False),
    )


def envelope_to_json(envelope: Envelope) -> Json:
    told: Json = {
        "must": envelope.must,
        "may": envelope.may,
        "next_at": rfc3339(envelope.next_at) if envelope.next_at is not None else None,
        "step": envelope.step,
    }
    if envelope.resting is not None:
        told["resting"] = [rfc3339(at) for at in envelope.resting]
    return told


def envelope_from_json(told: Mapping[str, Any]) -> Envelope:
    """Without the triggers, which are not stored."""
    begun, due = map(_instant, told.get("resting", (None, None)))
    return Envelope(
        must=Decimal(told["must"]),
        may=Decimal(told["may"]),
        next_at=_instant(told["next_at"]),
        step=Decimal(told["step"]),
        resting=None if begun is None or due is None else (begun, due),
    )


def _quote(told: Mapping[str, Any]) -> Quote:
    return Quote(
        bid=Decimal(told["bid"]),
        ask=Decimal(told["ask"]),
        bid_size=Decimal(told["bid_size"]),
        ask_size=Decimal(told["ask_size"]),
        bid_at=moment(told["bid_at"]),
        ask_at=moment(told["ask_at"]),
    )


def moment(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


def _instant(text: str | None) -> Instant | None:
    return moment(text) if text is not None else None


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
