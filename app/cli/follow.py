"""Follows orders on the stream until they end, or for ever."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from app.cli.board import Board
from app.cli.client import Client
from app.cli.exits import Exit, Failure
from app.cli.orders import fetch
from app.cli.screen import Screen
from app.cli.stream import Frame, Stream

_OPEN_SHOWN = 500


def follow_to_end(
    client: Client,
    order_ids: Sequence[str],
    screen: Screen,
    *,
    begun: Callable[[], object] = lambda: None,
) -> Board:
    """Show orders until all have ended; `begun` is called once none of it can be missed."""

    def load(board: Board) -> None:
        for name in order_ids:
            board.put(client.get(f"/orders/{name}"))
        begun()

    stream = Stream(client.place, orders=order_ids)
    return asyncio.run(_follow(stream, client, load, screen, for_ever=False))


def follow_open(client: Client, screen: Screen) -> Board:
    """Show all open orders, and those that come, until interrupted."""

    def load(board: Board) -> None:
        for answer in reversed(fetch(client, limit=_OPEN_SHOWN, status="open")):
            board.put(answer)

    return asyncio.run(_follow(Stream(client.place), client, load, screen, for_ever=True))


async def _follow(
    stream: Stream,
    client: Client,
    load: Callable[[Board], object],
    screen: Screen,
    *,
    for_ever: bool,
) -> Board:
    board = Board()
    with screen:
        async with aclosing(_begun(stream)) as frames:
            async for frame in frames:
                if frame is None:
                    # Looked up only now, with the stream open: nothing falls between.
                    load(board)
                    for order in board.orders.values():
                        screen.order(order)
                else:
                    _show(frame, board, client, screen, adopt=for_ever)
                if not for_ever and board.all_ended:
                    return board
    return board


async def _begun(stream: Stream) -> AsyncGenerator[Frame | None, None]:
    """None when the subscription stands, then its frames."""
    waiting: asyncio.Queue[Frame] = asyncio.Queue()

    async def read() -> None:
        async for frame in stream.frames():
            await waiting.put(frame)

    reading = asyncio.create_task(read())
    begun = asyncio.create_task(stream.begun.wait())
    try:
        await asyncio.wait({reading, begun}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
        yield None
        while True:
            next_frame = asyncio.create_task(waiting.get())
            await asyncio.wait({reading, next_frame}, return_when=asyncio.FIRST_COMPLETED)
            if not next_frame.done():
                next_frame.cancel()
                reading.result()
            yield next_frame.result()
    finally:
        begun.cancel()
        reading.cancel()


def _show(frame: Frame, board: Board, client: Client, screen: Screen, *, adopt: bool) -> None:
    order_id = frame["order_id"]
    if adopt and frame["type"] == "order.accepted" and order_id not in board.orders:
        screen.order(board.put(client.get(f"/orders/{order_id}")))
    moved = board.move(frame)
    screen.frame(frame, moved or board.orders.get(order_id or ""))
    if moved is not None:
        screen.order(moved)


def exit_of(board: Board) -> Exit:
    """Filled, or not. Raises Failure with the reason."""
    left = [order for order in board.orders.values() if order.status != "filled"]
    if not left:
        return Exit.OK
    order = left[0]
    reason = f" ({order.reason})" if order.reason else ""
    raise Failure(
        Exit.UNFILLED,
        f"order {order.id} is {order.status}{reason} with {order.filled} of {order.qty} filled",
    )
