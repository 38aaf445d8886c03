"""Is it up, is it ready, how is it: for probes, Prometheus and people."""

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from app.api.auth import Reader
from app.api.clock import clock_answer
from app.domain.algos import BY_NAME
from app.engine.kill_switches import as_told, switches
from app.engine.market_clock import market_clock
from app.engine.reading import reading, unreachable
from app.engine.service import Caller, Service
from app.engine.vitals import Check, readiness, vitals
from app.store import views

router = APIRouter(tags=["health"])

PUBLIC = frozenset({"/healthz", "/readyz"})
"""Paths without a key: they tell nothing but whether to send requests here."""


@router.get("/healthz")
async def healthz() -> Response:
    """The process is up and its loop turns."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Whether orders can be entered: database, schema, a worker; 503 with the reason if not.
    A worker that is silent for 3 s is none, here as for orders; cancels go on all the while."""
    state = request.app.state
    checks = {"database": _told(Check("database", True, "answers"))}
    try:
        checks |= {check.name: _told(check) for check in await readiness(state.service)}
        if state.ready is not None:
            checks |= await state.ready()
    except Exception as failure:
        if not unreachable(failure):
            raise
        checks = {"database": _told(Check("database", False, "does not answer"))}
    ready = all(check["ok"] for check in checks.values())
    return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)


def _told(check: Check) -> dict[str, Any]:
    return {"ok": check.ok, "detail": check.detail}


@router.get("/metrics")
async def metrics(request: Request, visit: Reader) -> Response:
    """For Prometheus: give the scraper a key with scope read, bound to no account."""
    visit.check_unbound()
    page = request.app.state.metrics.page(await vitals(visit.service))
    return Response(page, media_type=CONTENT_TYPE_LATEST)


@router.get("/status")
async def status(request: Request, visit: Reader) -> Response:
    """The whole system at a glance: versions, market time, counts, streams, workers, switches."""
    clock = await market_clock(visit.service)
    thrown = await switches(visit.service, visit.caller)
    async with reading(visit.service) as connection:
        counts = await views.statistics(connection, visit.caller.accounts)
        leases = _leases_of(await views.leases(connection), visit.caller)
    told = {
        "version": request.app.version,
        "clock": clock_answer(clock) if clock else None,
        "counts": counts,
        "leases": leases,
        "kill_switches": [as_told(one.switch) for one in thrown],
    }
    return JSONResponse(told | _running(visit.service))


def _running(service: Service) -> dict[str, Any]:
    return {
        "algorithms": {name: algorithm.version for name, algorithm in BY_NAME.items()},
        "streams": {"subscribers": service.hub.subscribers},
        "cursor": str(service.hub.head),
    }


def _leases_of(leases: list[dict[str, Any]], caller: Caller) -> list[dict[str, Any]]:
    """A lease is named after what it owns, so a desk's tells that its account is there."""
    if caller.accounts is None:
        return leases
    own = {"market", *(f"desk:{account}" for account in caller.accounts)}
    return [lease for lease in leases if lease["name"] in own]
