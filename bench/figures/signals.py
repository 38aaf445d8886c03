"""How long a signal waits for its decision: the gates by themselves, and over HTTP."""

import time
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import httpx

from app.domain.gate import Case, StrategyKind
from app.domain.gates import IN_ORDER
from app.domain.quantity import Side
from app.domain.ruling import Decision, choose, rule
from app.engine.judging import cost_of
from bench.figure import Figure, Goal, Measured, Rounds, Setting, percentile
from bench.figures.cost import OPEN, REQUEST, RULES, admitted, times
from bench.servers import own_desk_elsewhere, slipstream

CALLS = 5_000
POSTS = 400
HOUR_IN = 3_600_000_000


async def measure(setting: Setting) -> Measured:
    rounds, calls = Rounds(), setting.many(CALLS)
    async with AsyncExitStack() as stack:
        folder = setting.folder / "signals"
        await own_desk_elsewhere(folder)
        house = await stack.enter_async_context(slipstream(folder, SPEED="1", SYMBOLS="ACME"))
        headers = {"Authorization": f"Bearer {house.key}"}
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.port}", headers=headers)
        )
        for number in range(setting.rounds):
            rounds.add(**times("passes", judged(stop="98"), calls))
            rounds.add(**times("resized", judged(stop="99.5", target="101.05"), calls // 10))
            rounds.add(**await posted(client, "/orders", number, setting.many(POSTS)))
            rounds.add(**await posted(client, "/signals", number, setting.many(POSTS)))
    return Measured(
        [
            rounds.reading("all gates, p50", "passes_p50", "µs"),
            rounds.reading("all gates, p99", "passes_p99", "µs", Goal("≤", 2000)),
            rounds.reading("all gates, a size looked for, p50", "resized_p50", "µs"),
            rounds.reading("all gates, a size looked for, p99", "resized_p99", "µs",
                           Goal("≤", 2000)),
            rounds.reading("POST /signals, p50", "signals_p50_ms", "ms"),
            rounds.reading("POST /signals, p99", "signals_p99_ms", "ms"),
            rounds.reading("POST /orders, p50", "orders_p50_ms", "ms"),
            rounds.ratio("a signal over an order, p50", "signals_p50_ms", "orders_p50_ms"),
        ],
        (
            "the gates in one process, by the processor's clock, the cost by the real model for"
            " every quantity asked; flow and regime without data pass by their parameters",
            f"{setting.many(POSTS)} signals and orders a round, one after the other, each committed"
            " before its answer; the four gates that are on unless set otherwise",
        ),
    )  # fmt: skip


def judged(stop: str, target: str = "110") -> Any:
    """All gates on one signal, as an API process asks them."""
    order, scene = admitted(OPEN + HOUR_IN)
    params: dict[str, dict[str, Any]] = {
        "flow": {"no_data": "pass"}, "regime": {"unclassified": "yes"}, "cost": {"multiple": "1"}
    }  # fmt: skip
    chosen = [choose(name, params.get(name, {})) for name in IN_ORDER]

    def decided() -> Decision:
        case = Case(
            side=Side.BUY,
            qty=REQUEST.qty or Decimal(0),
            now=scene.now,
            kind=StrategyKind.MOMENTUM,
            at=scene.now,
            confidence=0.7,
            expected_edge=Decimal(90),
            reference=Decimal(100),
            stop=Decimal(stop),
            target=Decimal(target),
            quote=order.quote,
            cost_at=cost_of(REQUEST, scene, RULES),
        )
        return rule(case, chosen)

    return decided


async def posted(client: httpx.AsyncClient, path: str, number: int, count: int) -> dict[str, float]:
    """Milliseconds an answer, one request after the other."""
    seen = []
    for n in range(count):
        own = f"{number}-{n}"
        body = {"symbol": "ACME", "size": "100", "action": "buy", "id": own}
        if path == "/orders":
            body = {"symbol": "ACME", "qty": "100", "side": "buy", "client_order_id": own}
        began = time.perf_counter()
        answer = await client.post(path, json=body)
        seen.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    name = path.strip("/")
    return {f"{name}_p50_ms": percentile(seen, 0.5), f"{name}_p99_ms": percentile(seen, 0.99)}


FIGURE = Figure("signals", "A signal's decision", measure)
