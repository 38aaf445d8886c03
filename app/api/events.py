"""GET /events: the stream as server-sent events, for `curl -N` and EventSource."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import Field
from starlette.responses import Response

from app.api.amounts import Id
from app.api.auth import Reader, bearer
from app.api.bodies import Strict
from app.api.stream_verbs import known_channels, seen_by
from app.api.streams import Streams, gap_answer
from app.engine.subscription import CHANNELS, Cursor, Event, FellBehind, Gap, Hub, Wish

router = APIRouter(tags=["stream"])

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_PING = format_sse_event(comment="ping")
_BEGIN = format_sse_event(comment="slipstream", retry=1000)


class EventsQuery(Strict):
    """`channels` are separated by commas; `after` is a cursor, or `start` for
    the oldest event kept (Last-Event-ID goes first)."""

    after: Annotated[str | None, Field(max_length=64)] = None
    channels: Annotated[str, Field(max_length=100)] = ",".join(CHANNELS)
    account: Id | None = None


_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events, for ever", "content": {"text/event-stream": {}}}
}


# Not `response_class=EventSourceResponse`: FastAPI would start the answer before we could refuse.
@router.get("/events", response_class=Response, responses=_ANSWER)
async def events(
    request: Request, visit: Reader, query: Annotated[EventsQuery, Query()]
) -> Response:
    """Events after a cursor, then live, for ever; `id` is the cursor to come back with."""
    hub, streams = visit.service.hub, request.app.state.streams
    given = request.headers.get("last-event-id") or query.after
    after = Cursor.parse(given) if given else await hub.now()
    own = frozenset({visit.account(query.account)}) if query.account else seen_by(visit.caller)
    wish = Wish(known_channels(tuple(query.channels.split(","))), own)
    text = bearer(request.headers.get("authorization")) or ""
    return EventSourceResponse(_lines(hub, streams, wish, after, text), headers=_HEADERS)


async def _lines(
    hub: Hub, streams: Streams, wish: Wish, after: Cursor, key: str
) -> AsyncGenerator[bytes, None]:
    yield _BEGIN
    try:
        async with aclosing(_paced(hub, streams, wish, after, key)) as lines:
            async for line in lines:
                yield line
    except Gap as gap:
        yield format_sse_event(event="gap", data_str=json.dumps(gap_answer(gap)))
        async with aclosing(_paced(hub, streams, wish, gap.oldest, key)) as lines:
            async for line in lines:
                yield line


async def _paced(
    hub: Hub, streams: Streams, wish: Wish, after: Cursor, key: str
) -> AsyncGenerator[bytes, None]:
    """Events, and a ping where none comes; ends when the key does, or the server, or when the
    reader falls behind: it comes back with Last-Event-ID and has lost nothing."""
    look_at = time.monotonic() + streams.pace.look
    closing = asyncio.ensure_future(streams.closing.wait())
    events = hub.follow(after, wish)
    upcoming = asyncio.ensure_future(anext(events))
    try:
        while not closing.done():
            await asyncio.wait(
                {upcoming, closing},
                timeout=max(look_at - time.monotonic(), 0),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + streams.pace.look
                if not await streams.still_living(key, "read"):
                    return
                yield _PING
            if upcoming.done():
                yield b"".join(map(_line, upcoming.result()))
                upcoming = asyncio.ensure_future(anext(events))
    except FellBehind:
        return
    finally:
        closing.cancel()
        upcoming.cancel()
        await asyncio.wait({upcoming})
        await events.aclose()


def _line(event: Event) -> bytes:
    return format_sse_event(data_str=event.frame, event=event.type, id=str(event.cursor))
