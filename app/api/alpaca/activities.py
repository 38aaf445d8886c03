"""What was traded, execution by execution: for a client that missed updates."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.alpaca.access import Client, Reader
from app.api.alpaca.queries import Filters
from app.api.alpaca.wording import execution_id, plain
from app.api.amounts import Moment
from app.domain.instant import MILLISECOND, Instant, from_datetime, rfc3339, to_datetime
from app.domain.quantity import ZERO
from app.domain.refusal import Refusal
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["account"])

_NAME = re.compile(r"(\d{14})(\d{3})::[0-9a-f-]{36}(:void)?", re.ASCII)


class ActivitiesQuery(Filters):
    """A page of activities; `page_token` is the id of the last one of the page before."""

    after: Moment | None = None
    until: Moment | None = None
    direction: Literal["asc", "desc"] = "desc"
    page_size: Annotated[int, Field(ge=1, le=100)] = 100
    page_token: Annotated[str, Field(max_length=100)] | None = None


class TypedQuery(ActivitiesQuery):
    activity_types: Annotated[str, Field(max_length=400)] | None = None


@router.get("/account/activities/FILL")
async def list_fills(client: Reader, query: Annotated[ActivitiesQuery, Query()]) -> Response:
    """Executions by when they happened; one that was declared void is told once more, then."""
    return JSONResponse(await _page(client, query))


@router.get("/account/activities")
async def list_activities(client: Reader, query: Annotated[TypedQuery, Query()]) -> Response:
    """The same; we know no other activities."""
    wanted = query.activity_types is None or "FILL" in query.activity_types.split(",")
    return JSONResponse(await _page(client, query) if wanted else [])


async def _page(client: Client, query: ActivitiesQuery) -> list[dict[str, Any]]:
    newest_first = query.direction == "desc"
    beside = _moment(query.page_token) if query.page_token is not None else None
    async with reading(client.service) as connection:
        rows = await views.activities(
            connection,
            client.account,
            after=query.after,
            until=query.until,
            beside=beside,
            newest_first=newest_first,
            limit=query.page_size,
        )
    told = sorted((_shown(row) for row in rows), key=lambda row: row["id"], reverse=newest_first)
    token = query.page_token
    left = [one for one in told if token is None or _beyond(one["id"], token, newest_first)]
    return left[: query.page_size]


def _beyond(name: str, token: str, newest_first: bool) -> bool:
    return name < token if newest_first else name > token


def _moment(token: str) -> Instant:
    """The millisecond in an activity's id. Raises Refusal for what is none."""
    found = _NAME.fullmatch(token)
    try:
        if found is None:
            raise ValueError(token)
        moment = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal("bad_page_token", "no activity has that id", field="page_token") from None
    return from_datetime(moment) + int(found[2]) * MILLISECOND


def _shown(row: Any) -> dict[str, Any]:
    """An execution. Its id sorts as Alpaca's do, by time, and ends in the stream's own id."""
    name = execution_id(row["broker"], row["account"], row["execution_id"])
    void, left = row["void"], max(row["wanted"] - row["done"], ZERO)
    millis = row["at"] // MILLISECOND
    stamp = f"{to_datetime(row['at']):%Y%m%d%H%M%S}{millis % 1_000:03d}"
    kind = "trade_bust" if void else "partial_fill" if left else "fill"
    return {
        "id": f"{stamp}::{name}" + (":void" if void else ""),
        "activity_type": "FILL",
        "transaction_time": rfc3339(row["at"]),
        "type": kind,
        "price": plain(row["price"]),
        "qty": plain(row["qty"]),
        "side": row["side"],
        "symbol": row["symbol"],
        "leaves_qty": plain(left),
        "order_id": row["name"],
        "cum_qty": plain(row["done"]),
        "order_status": "partially_filled" if left else "filled",
        **({"previous_execution_id": name} if void else {}),
    }
