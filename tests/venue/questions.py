"""What can be asked of the venue: answered as of a moment ago, and not always."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import count

from tests.venue.behaviour import Behaviour
from tests.venue.exchange import Exchange
from tests.venue.telling import Report, bust_report, execution_report, order_report
from tests.venue.wire import Cut, Reply

WAIT_MS_MAX = 30_000
LATELY = 5


class Questions:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._ledger = exchange, exchange.ledger
        self._numbers = count()

    async def answer(self, account: str, path: Sequence[str], query: dict[str, str]) -> Reply:
        behaviour = self._exchange.behaviours[account]
        if path == ["capabilities"]:
            return Reply(200, self._capabilities(account, behaviour))
        if path == ["reports"]:
            return await self._reports(account, behaviour, query)
        subject = f"{'/'.join(path)}#{next(self._numbers)}"
        failed = await self._failed(account, behaviour, subject)
        if failed is not None:
            return failed
        lag = self._exchange.chance.span((0, behaviour.lookup_lag_ms), "lag", subject)
        t = self._ledger.now() - lag
        match list(path):
            case ["orders", client_id]:
                return self._lookup(account, behaviour, client_id, t)
            case ["orders"]:
                return Reply(200, {"orders": self._open_orders(account, behaviour, subject, t)})
            case ["executions"]:
                since = max(int(query.get("since", 0)), t - behaviour.lookback_ms * 1_000)
                return Reply(200, {"executions": self._executions(account, since, t)})
            case ["positions"]:
                return Reply(200, {"positions": self._positions(account, t)})
        return Reply(404, {"code": "no_such_place"})

    def _capabilities(self, account: str, behaviour: Behaviour) -> Report:
        """What the venue says of itself; `head` is where its stream stands now."""
        return {
            "id_scope": behaviour.id_scope,
            "lookup": behaviour.lookup,
            "lookup_lag_ms": behaviour.lookup_lag_ms,
            "executions_lookback_ms": behaviour.lookback_ms,
            "quarantine_ms": behaviour.quarantine_ms,
            "deadline_ms": behaviour.deadline_ms,
            "cancels_per_second": behaviour.cancels_per_second,
            "execution_ids": behaviour.execution_ids,
            "head": self._exchange.teller.head(account),
        }

    async def _failed(self, account: str, behaviour: Behaviour, subject: str) -> Reply | None:
        chance = self._exchange.chance
        with self._ledger.transaction():
            cut = chance.fault(account, behaviour, "question_cut", subject)
            away = not cut and chance.fault(account, behaviour, "question_503", subject)
            late = not away and chance.fault(account, behaviour, "question_delay", subject)
        if cut:
            raise Cut
        if late:
            await asyncio.sleep(chance.span(behaviour.delay_ms, subject) / 1e6)
        return Reply(503, {"code": "try_later"}) if away else None

    def _lookup(self, account: str, behaviour: Behaviour, client_id: str, t: int) -> Reply:
        known = [o for o in self._ledger.orders_of(account, client_id) if o["received_at"] <= t]
        if behaviour.lookup == "open_only":
            known = [
                o
                for o in known
                if o["code"] == "accepted" and self._ledger.end_of(o["seq"], t) is None
            ]
        if behaviour.lookup == "none" or not known:
            return Reply(404, {"code": "not_found"})
        return Reply(200, order_report(self._ledger, known[0], t))

    def _open_orders(
        self, account: str, behaviour: Behaviour, subject: str, t: int
    ) -> list[Report]:
        chance, shown = self._exchange.chance, self._ledger.open_at(account, t)
        told = []
        with self._ledger.transaction():
            for order in shown:
                about = f"{order['client_id']}:{subject}"
                if not chance.fault(account, behaviour, "list_omits", about):
                    told.append(order_report(self._ledger, order, t))
            for end in self._lately_ended(account, t):
                about = f"{end['client_id']}:{subject}"
                if chance.fault(account, behaviour, "list_shows_closed", about):
                    # As it stood right before it ended.
                    before = min(end["at"] - 1, t)
                    told.append(
                        order_report(self._ledger, self._ledger.order(end["order_seq"]), before)
                    )
        return told

    def _lately_ended(self, account: str, t: int) -> list[Report]:
        return [
            dict(row)
            for row in self._ledger.rows(
                "SELECT * FROM ends WHERE account = :account AND at <= :t"
                " ORDER BY seq DESC LIMIT :limit",
                account=account,
                t=t,
                limit=LATELY,
            )
        ]

    def _executions(self, account: str, since: int, t: int) -> list[Report]:
        values = {"account": account, "since": since, "t": t}
        where = "WHERE account = :account AND at >= :since AND at <= :t"
        told = [
            *map(
                execution_report, self._ledger.rows(f"SELECT * FROM executions {where}", **values)
            ),
            *map(bust_report, self._ledger.rows(f"SELECT * FROM busts {where}", **values)),
        ]
        return sorted(told, key=lambda report: int(report["at"]))

    def _positions(self, account: str, t: int) -> dict[str, str]:
        held: dict[str, Decimal] = {}
        for e in self._ledger.counting(account, t):
            signed = Decimal(e["qty"]) if e["side"] == "buy" else -Decimal(e["qty"])
            held[e["symbol"]] = held.get(e["symbol"], Decimal(0)) + signed
        return {symbol: format(qty, "f") for symbol, qty in held.items() if qty}

    async def _reports(self, account: str, behaviour: Behaviour, query: dict[str, str]) -> Reply:
        """The stream: what was told after a place in it, as soon as there is something."""
        teller, after = self._exchange.teller, int(query.get("after", 0))
        bell = teller.bell(account)
        reports = teller.after(account, after)
        if not reports:
            seconds = min(int(query.get("wait_ms", 0)), WAIT_MS_MAX) / 1_000
            with suppress(TimeoutError):
                await asyncio.wait_for(bell.wait(), seconds)
            reports = teller.after(account, after)
        if reports:
            with self._ledger.transaction():
                subject = f"stream#{next(self._numbers)}"
                cut = self._exchange.chance.fault(account, behaviour, "stream_cut", subject)
            if cut:
                raise Cut
        return Reply(200, {"reports": reports})
