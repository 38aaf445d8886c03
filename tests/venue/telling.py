"""What happened, told by a stream: late, twice, out of order or not at all."""

import asyncio
import json
from decimal import Decimal
from typing import Any

from tests.venue.behaviour import Behaviour
from tests.venue.chance import Chance
from tests.venue.ledger import Ledger, Row

Report = dict[str, Any]


def execution_report(e: Row) -> Report:
    return {
        "kind": "execution",
        "client_id": e["client_id"],
        "venue_id": e["venue_id"],
        "execution_id": e["execution_id"],
        "symbol": e["symbol"],
        "side": e["side"],
        "qty": e["qty"],
        "price": e["price"],
        "fee": e["fee"],
        "liquidity": e["liquidity"],
        "at": e["at"],
        "corrects": e["corrects"],
    }


def bust_report(b: Row) -> Report:
    return {
        "kind": "bust",
        "client_id": b["client_id"],
        "execution_id": b["execution_id"],
        "symbol": b["symbol"],
        "at": b["at"],
        "reason": b["reason"],
    }


def order_report(ledger: Ledger, order: Row, t: int) -> Report:
    """The state of an order as it was at `t`."""
    filled, end = ledger.filled(order["seq"], t), ledger.end_of(order["seq"], t)
    status, reason = _status(order, filled, end)
    latest = ledger.value(
        "SELECT max(at) FROM executions WHERE order_seq = :seq AND at <= :t", seq=order["seq"], t=t
    )
    moments = (order["received_at"], latest or 0, end["at"] if end is not None else 0)
    return {
        "kind": "order",
        "client_id": order["client_id"],
        "venue_id": order["venue_id"],
        "status": status,
        "reason": reason,
        "filled": format(filled, "f"),
        "symbol": order["symbol"],
        "side": order["side"],
        "qty": order["qty"],
        "limit_price": order["limit_price"],
        "at": max(moments),
    }


def _status(order: Row, filled: Decimal, end: Row | None) -> tuple[str, str | None]:
    if order["code"] != "accepted":
        return "rejected", order["code"]
    if end is None:
        return ("partially_filled" if filled else "working"), None
    if filled >= Decimal(order["qty"]):
        return "filled", None
    if end["status"] == "filled":
        # Over, and what filled it was declared void or corrected.
        return "canceled", "busted"
    return end["status"], end["reason"]


def _subject(report: Report) -> str:
    """What a report is about: the same for the same seed and orders, whenever it happens."""
    if report["kind"] == "order":
        return f"order:{report['venue_id']}:{report['status']}:{report['filled']}"
    return f"{report['kind']}:{report['symbol']}:{report['execution_id']}"


class Teller:
    """Writes the stream. What is held back stands on the agenda until it is told."""

    def __init__(self, ledger: Ledger, chance: Chance) -> None:
        self._ledger, self._chance = ledger, chance
        self._bells: dict[str, asyncio.Event] = {}
        self._told: set[str] = set()

    def tell(self, account: str, behaviour: Behaviour, report: Report) -> None:
        subject = _subject(report)

        def drawn(kind: str) -> bool:
            return self._chance.fault(account, behaviour, kind, subject)

        def later(kind: str) -> int:
            return self._ledger.now() + self._chance.span(behaviour.delay_ms, kind, subject)

        if drawn("report_drop"):
            return
        if drawn("report_garbage"):
            self.publish(account, report | {"at": "yesterday"})
            return
        if drawn("report_duplicate"):
            self._ledger.schedule(account, later("again"), "tell", report)
        if drawn("report_delay"):
            self._ledger.schedule(account, later("late"), "tell", report)
        elif drawn("report_reorder"):
            self._ledger.schedule(account, later("behind"), "tell_behind", report)
        else:
            self.publish(account, report)

    def publish(self, account: str, report: Report) -> None:
        """Put it on the stream, and whatever waited to come behind it."""
        self._write(account, report)
        held = self._ledger.rows(
            "SELECT seq, subject FROM agenda WHERE account = :account AND kind = 'tell_behind'"
            " ORDER BY seq",
            account=account,
        )
        for row in held:
            self._ledger.strike(row["seq"])
            self._write(account, json.loads(row["subject"]))

    def head(self, account: str) -> int:
        head = self._ledger.value(
            "SELECT max(seq) FROM stream WHERE account = :account", account=account
        )
        return int(head or 0)

    def after(self, account: str, seq: int, limit: int = 500) -> list[Report]:
        rows = self._ledger.rows(
            "SELECT seq, report FROM stream WHERE account = :account AND seq > :seq"
            " ORDER BY seq LIMIT :limit",
            account=account,
            seq=seq,
            limit=limit,
        )
        return [json.loads(row["report"]) | {"seq": row["seq"]} for row in rows]

    def bell(self, account: str) -> asyncio.Event:
        return self._bells.setdefault(account, asyncio.Event())

    def ring(self) -> None:
        """Wake who waits for what was written: after it is committed, never before."""
        for account in self._told:
            # Whoever waits holds the old bell; whoever comes now waits for the next.
            self._bells.pop(account, asyncio.Event()).set()
        self._told.clear()

    def _write(self, account: str, report: Report) -> None:
        self._ledger.add(
            "stream", account=account, at=self._ledger.now(), report=json.dumps(report)
        )
        self._told.add(account)
