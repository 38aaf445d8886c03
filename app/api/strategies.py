"""Strategies: which gates judge their signals, how far those go, and what a promotion takes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.algorithms import parameter_schema
from app.api.amounts import Id, Label
from app.api.auth import Reader, Risk
from app.api.bodies import Strict, parsed
from app.api.kill_switches import Reason
from app.api.openapi import body_of
from app.api.order_bodies import Algo, Params
from app.domain.gate import Gate, StrategyKind
from app.domain.gates import BY_NAME, IN_ORDER
from app.domain.instant import rfc3339
from app.domain.mode import Mode
from app.domain.strategy import Strategy
from app.engine import strategies
from app.engine.strategies import Settings, Standing

router = APIRouter(tags=["signals"])


class GateBody(Strict):
    """A gate that is switched on; what is not given of its parameters has its default."""

    gate: Algo
    params: Params = Field(default_factory=dict)


class StrategyBody(Strict):
    """What to set; what is left out stays. `gates` are asked in the order given."""

    account: Id | None = None
    mode: Mode | None = None
    kind: StrategyKind | None = Field(None, description="Its row in the regime gate's matrix.")
    gates: Annotated[tuple[GateBody, ...], Field(max_length=20)] | None = None
    smart: bool | None = Field(
        None, description="Off: where the algorithm is ours to choose, orders are plain."
    )
    reason: Reason


class AccountQuery(Strict):
    account: Id | None = None


_EXAMPLES: dict[str, dict[str, Any]] = {
    "gates": {
        "summary": "A momentum strategy that needs the order flow with it",
        "value": {
            "kind": "momentum",
            "gates": [
                {"gate": "freshness", "params": {"max_age": "30"}},
                {"gate": "regime"},
                {"gate": "flow"},
                {"gate": "cost", "params": {"multiple": "1.5"}},
            ],
            "reason": "first settings",
        },
    },
    "mode": {"summary": "Go one mode further", "value": {"mode": "canary", "reason": "ready"}},
}


@router.get("/gates")
async def list_gates(visit: Reader) -> Response:
    """The gates there are, and their parameters as JSON schema."""
    names = sorted(BY_NAME, key=_place)
    return JSONResponse({"items": [_described(BY_NAME[name]) for name in names]})


def _described(gate: Gate) -> dict[str, Any]:
    return {
        "name": gate.name,
        "title": gate.title,
        "description": gate.doc,
        "version": gate.version,
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {p.name: parameter_schema(p) for p in gate.parameters},
        },
    }


def _place(name: str) -> tuple[int, str]:
    return (IN_ORDER.index(name) if name in IN_ORDER else len(IN_ORDER), name)


@router.get("/strategies")
async def list_strategies(visit: Reader) -> Response:
    """All strategies that something is set for, in the caller's accounts."""
    found = await visit.service.strategies.listed(visit.caller.accounts)
    return JSONResponse({"items": [_shown(strategy) for strategy in found]})


@router.get("/strategies/{name}")
async def get_strategy(
    name: Label, visit: Reader, query: Annotated[AccountQuery, Query()]
) -> Response:
    """What holds for a strategy, and what its next mode takes: each condition, met or not."""
    found = await strategies.standing(visit.service, visit.account(query.account), name)
    return JSONResponse(_standing(found))


@router.put("/strategies/{name}", openapi_extra=body_of(StrategyBody, _EXAMPLES))
async def set_strategy(name: Label, request: Request, visit: Risk) -> Response:
    """Set a strategy; `*` holds for all that have no settings of their own.

    A mode further on is refused until its conditions are on record; back is always open.
    """
    body = await parsed(request, StrategyBody)
    account = visit.account(body.account)
    gates = [(g.gate, g.params) for g in body.gates] if body.gates is not None else None
    wanted = Settings(body.mode, body.kind, gates, body.smart)
    await strategies.change(visit.service, visit.caller, account, name, wanted, body.reason)
    return JSONResponse(_standing(await strategies.standing(visit.service, account, name)))


def _shown(strategy: Strategy) -> dict[str, Any]:
    since = strategy.mode_since
    return {
        "account": strategy.account,
        "name": strategy.name,
        "mode": strategy.mode.value,
        "mode_since": rfc3339(since) if since is not None else None,
        "held_back": strategy.held_back.value if strategy.held_back is not None else None,
        "kind": strategy.kind.value if strategy.kind is not None else None,
        "gates": [{"gate": name, "params": dict(params)} for name, params in strategy.gates],
        "smart": strategy.smart,
        "version": strategy.version or None,
    }


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        **_shown(standing.strategy),
        "next_mode": standing.next_mode.value if standing.next_mode is not None else None,
        "conditions": [
            {"name": c.name, "met": c.met, "found": c.found, "needed": c.needed}
            for c in standing.conditions
        ],
    }
